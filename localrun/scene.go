package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/shared/boot"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/limit"
	"tollgate/shared/limit/memory"
	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
)

// scene is where a call is judged that nobody makes: a plan, where its issuers'
// keys come from, and who can mint tokens for it.
type scene struct {
	plan       *contract.Plan
	dir        string                                          // where the contracts are read
	source     string                                          // where a person finds them
	keys       http.RoundTripper                               // nil: the network
	subscribed func(contract.PlannedStore) subscription.Source // of subscription keys; nil: none is asked
	unlimited  bool                                            // no limit is ever used up
	mint       func(context.Context, issuer.Token) (string, error)
}

// gateway is the plan, compiled as the handler compiles it; only nothing can leave it.
func (s *scene) gateway(now func() time.Time) *gateway.Gateway {
	parts := boot.Parts(io.Discard, io.Discard)
	parts.Subscriptions = s.subscribed
	parts.Limits = func(contract.PlannedStore) limit.Store { return memory.New(now) } // what is asked here costs nobody anything
	if s.unlimited {
		parts.Limits = func(contract.PlannedStore) limit.Store { return plenty{} }
	}
	parts.Now, parts.Backends = now, func(contract.PlannedAPI) http.RoundTripper { return nowhere{} }
	parts.Revocations = func(*contract.Plan) revocation.Lists { return revocation.Fixed(revocation.NewList(nil)) } // no store is asked here
	if s.keys != nil {
		parts.Keys = s.keys
	}
	return gateway.Compile(s.plan, parts)
}

// nowhere carries no request: nothing is forwarded here.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nothing is forwarded here")
}

// plenty is a store of limits that are never used up.
type plenty struct{}

func (plenty) Take(context.Context, limit.Key, int64) (limit.Grant, error) {
	return limit.Grant{OK: true}, nil
}

func (plenty) Settle(context.Context, limit.Grant, int64) error { return nil }

// sceneOfRun is the local run's plan, whose own issuer mints.
func sceneOfRun(r run, environment string) (*scene, error) {
	s := &scene{dir: r.Contracts, source: r.Source}
	if environment == "" || environment == r.Environment {
		s.mint, s.subscribed = func(ctx context.Context, t issuer.Token) (string, error) { return mint(ctx, r, t) }, runKeys(r)
	} else {
		r.Environment = environment
	}
	var err error
	s.plan, err = planOf(r)
	return s, err
}

// sceneOfFolder is a folder bound to one of its environments. Only that
// environment's real issuers can mint.
func sceneOfFolder(info io.Writer, dir, environment string) (*scene, error) {
	if stat, err := os.Stat(dir); err != nil || !stat.IsDir() {
		return nil, fmt.Errorf("there is no folder of contracts at %s; name one with --contracts, or go where it is", dir)
	}
	read, faults := contract.Load(os.DirFS(dir))
	if read == nil {
		return nil, unenforceable(info, dir, faults)
	}
	if environment == "" {
		all := read.Environments()
		if len(all) != 1 {
			return nil, fmt.Errorf("%s has %d environments; name one with --environment: %s", dir, len(all), strings.Join(all, ", "))
		}
		environment = all[0]
	}
	plan, faults := read.Plan(environment)
	if plan == nil {
		return nil, unenforceable(info, dir, faults)
	}
	return &scene{plan: plan, dir: dir, source: dir}, nil
}

// standIns are where a plan without a real environment finds its neighbours.
// RFC 2606 §2: .invalid never exists, so a leak can't reach anyone.
func standIns() estate.Addresses {
	return estate.Addresses{Gateway: "https://gateway.invalid", Issuer: "https://issuer.invalid", Backend: "https://backend.invalid"}
}

// sceneOfStandIns is a folder bound to a made-up environment, as in a local run
// but within this process.
func sceneOfStandIns(info io.Writer, dir string, now func() time.Time) (*scene, error) {
	scratch, err := os.MkdirTemp("", "tollgate-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }() // a copy in the system's own temporary folder
	local, faults, err := estate.Prepare(dir, filepath.Join(scratch, "contracts"), standIns())
	if err != nil {
		return nil, err
	}
	if local == nil {
		return nil, unenforceable(info, dir, faults)
	}
	options := local.Options
	options.Now, options.BaseURL = now, standIns().Issuer
	entra, err := issuer.New(options)
	if err != nil {
		return nil, fmt.Errorf("the stand-in for Entra: %w", err)
	}
	return &scene{
		plan: local.Plan, dir: dir, source: dir, keys: inProcess{entra},
		mint: func(_ context.Context, t issuer.Token) (string, error) { return entra.Mint(t) },
	}, nil
}

// unenforceable shows the errors where the person wrote them. Warnings are check's matter.
func unenforceable(info io.Writer, dir string, faults contract.Faults) error {
	writeFaults(info, dir, faults.Errors())
	return fmt.Errorf("the contracts in %s can't be enforced; mend the errors above", dir)
}
