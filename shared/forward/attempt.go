package forward

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/wire"
)

// attempt is one request to one target.
type attempt struct {
	target *target
	out    *http.Request
	sent   *body // nil: none
	err    error // why no answer came
}

// Pauses before the same target is tried again: doubled each time, up to a bound.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 500 * time.Millisecond
)

// try asks one target after another until an answer's head is there. A call goes
// on to the next only if nothing of it was sent, so that nothing is ever done
// twice, and only where the contract says retries. Neither an answer nor a
// refusal: the client left.
func (rt *route) try(ctx context.Context, c *pipeline.Call, sent *body, waiting *clock) (*http.Response, *attempt, *refusal.Refusal) {
	left, pause := 0, firstPause
	if contract.Idempotent(c.Request.Method) {
		left = rt.api.plan.Retries
	}
	var tried mask
	var last *attempt
	for {
		t, report := rt.api.targets.choose(tried)
		if t == nil && tried != 0 && rt.wait(ctx, &pause) {
			tried = 0 // each had its turn
			t, report = rt.api.targets.choose(tried)
		}
		if t == nil {
			return nil, nil, rt.nobody(ctx, c, last)
		}
		resp, got, refused := rt.once(ctx, c, t, sent, report)
		if refused != nil || resp != nil {
			return resp, got, refused
		}
		if left == 0 || !errors.Is(got.err, wire.ErrNotSent) || ctx.Err() != nil {
			return nil, nil, got.failed(ctx, c)
		}
		left, last = left-1, got
		tried |= t.bit
		rt.api.targets.rest(t)
	}
}

// nobody is left to ask.
func (rt *route) nobody(ctx context.Context, c *pipeline.Call, last *attempt) *refusal.Refusal {
	if last != nil { // that it failed is the better reason
		return last.failed(ctx, c)
	}
	return refusal.New(refusal.Unavailable, "backend_open", "The backend has failed too often and is left alone for a moment.").
		By("backend.breaker").Retry(rt.api.targets.opensIn())
}

// once asks one target. report hears what became of it, whatever happens here.
func (rt *route) once(ctx context.Context, c *pipeline.Call, t *target, sent *body, report func(error)) (resp *http.Response, got *attempt, refused *refusal.Refusal) {
	verdict := errExcluded
	defer func() { report(verdict) }()
	got = &attempt{target: t, out: rt.request(ctx, c, t, sent), sent: sent}
	for _, prove := range rt.api.prove {
		if refused := prove(ctx, c, got.out); refused != nil {
			return nil, got, refused // never an unproved call
		}
	}
	c.Outcome.Backend = t.url.Host
	resp, got.err = rt.api.rt.RoundTrip(got.out)
	verdict = got.verdict(c, resp)
	return resp, got, nil
}

// wait is the pause before targets that were all tried are tried again; false:
// the call has ended before.
func (rt *route) wait(ctx context.Context, pause *time.Duration) bool {
	timer := time.NewTimer(*pause)
	defer timer.Stop()
	*pause = min(2**pause, maxPause)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
