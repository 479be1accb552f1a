package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"tollgate/localrun/inspector"
	"tollgate/localrun/issuer"
)

// openInspector serves the live page. It is there once the run is described: only
// then can it judge, mint and count.
func (s *stage) openInspector(at net.Listener) error {
	page, err := inspector.New(s.seen, inspector.Options{
		Plan: s.local.Plan, Dir: s.local.Dir, Source: s.flags.contracts, Gateway: s.run.Gateway, Bare: s.flags.host == "none",
		Judge: s.judge, Uses: s.counts(),
		Mint: func(ctx context.Context, t issuer.Token) (string, error) { return mint(ctx, s.run, t) },
	})
	if err != nil {
		return fmt.Errorf("the inspector: %w", err)
	}
	s.serve(at, page)
	s.onClose(page.Close)
	return nil
}

// judge says what each stage makes of a request, as at that time. The first go
// fetches key sets and verifies the token; a second one tells the times without that.
func (s *stage) judge(ctx context.Context, r *http.Request, at time.Time) ([]inspector.Stage, error) {
	scene := &scene{plan: s.local.Plan, dir: s.local.Dir, subscribed: runKeys(s.run)}
	began := time.Now()
	gw := scene.gateway(func() time.Time { return at.Add(time.Since(began)) })
	var goes [2][]inspector.Stage
	for i := range goes {
		call := gw.NewCall(r.Clone(ctx))
		_, _, steps := gw.Explain(ctx, call)
		for _, step := range steps {
			one := inspector.Stage{Name: step.Stage, Took: step.Took}
			if refused := step.Refused; refused != nil {
				_, text := call.Style.Answer(refused)
				one.Refused, one.Code, one.Detail, one.Cause = true, refused.Code, text, refused.Cause()
			}
			goes[i] = append(goes[i], one)
		}
	}
	return timed(goes[0], goes[1]), nil
}

// timed are the first stages with the second's times, if they say the same.
func timed(first, second []inspector.Stage) []inspector.Stage {
	for i := range first {
		first[i].First = first[i].Took
	}
	same := func(a, b inspector.Stage) bool { return a.Name == b.Name && a.Code == b.Code }
	if !slices.EqualFunc(first, second, same) { // such as a proof that was used already
		return first
	}
	for i := range first {
		first[i].Took = second[i].Took
	}
	return first
}

// counts reads the limits of the local run's store; nil where it keeps nothing.
func (s *stage) counts() func(context.Context) ([]inspector.Use, error) {
	plan := s.local.Plan
	if plan.Store == nil || s.connection == "" {
		return nil
	}
	open := sync.OnceValues(func() (*openStore, error) {
		store := &openStore{plan: plan, digest: plan.Store.Digest, local: true}
		return store, (&storeFlags{}).connect(context.Background(), store, s.connection, runTokens{s.run, plan})
	})
	return func(ctx context.Context) ([]inspector.Use, error) {
		store, err := open()
		if err != nil {
			return nil, err
		}
		all, err := store.uses(ctx, usageFilter{})
		if err != nil {
			return nil, err
		}
		out := make([]inspector.Use, 0, len(all))
		for _, u := range all {
			l := lineOf(u)
			out = append(out, inspector.Use{Scope: l.scope, Limit: l.limit, By: l.by, Amount: l.amount, Ends: l.ends, Share: l.share})
		}
		return out, nil
	}
}
