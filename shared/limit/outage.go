package limit

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

var errNoStore = errors.New("the gateway has no store")

// outage does what the contract says for the time that the store can't be asked.
// Every call that it lets through is marked in its event.
func (s *spender) outage(ctx context.Context, c *pipeline.Call, got spent, key Key, why error) (spent, *refusal.Refusal) {
	b, wait := got.bound, time.Second
	if down, ok := errors.AsType[*Unavailable](why); ok {
		wait = down.Wait
	}
	switch {
	case b.Shadow, b.Outage == contract.OutageAllow:
		c.Marks = append(c.Marks, "limit_outage:"+b.Name+":allow")
		return spent{}, nil
	case b.share != nil && s.stores.Local != nil:
		key.Rule = b.share
		g, err := s.stores.Local.Take(ctx, key, got.n)
		if err != nil {
			break
		}
		c.Marks = append(c.Marks, "limit_outage:"+b.Name+":local")
		if !g.OK {
			return spent{}, b.exceeded(g.Reset).Because(why)
		}
		got.grant, got.store = g, s.stores.Local
		return got, nil
	}
	return spent{}, refusal.New(refusal.Unavailable, "limit_unavailable", "Limits can't be checked now.").
		By(b.PlannedLimit.Rule).Because(why).Retry(wait)
}

// giveBack returns what other limits gave to a call that one refused.
func giveBack(ctx context.Context, all []spent) {
	for _, s := range all {
		if s.grant.OK {
			_ = s.store.Settle(ctx, s.grant, -s.n) // below zero never asks the store
		}
	}
}

// correctLater has grants corrected once the outcome is known, where that can matter.
func correctLater(c *pipeline.Call, all []spent) {
	var later []spent
	for _, s := range all {
		if s.grant.OK && (s.Bytes || s.UncountedRefused || s.Uncounted != [6]bool{}) {
			later = append(later, s)
		}
	}
	if later == nil {
		return
	}
	c.Afterwards = append(c.Afterwards, func(ctx context.Context, c *pipeline.Call, refused *refusal.Refusal) {
		for _, s := range later {
			// What can't be charged now is lost: the answer is out. The store's own caller
			// sees the outage with the next call.
			_ = s.store.Settle(ctx, s.grant, s.correction(c.Outcome, refused))
		}
	})
}

// correction is what the call cost, less what was debited for it.
func (s spent) correction(o pipeline.Outcome, refused *refusal.Refusal) int64 {
	class := o.Status / 100
	switch {
	// What the caller brought about is counted: else one who breaks off each body calls the backend for nothing.
	case refused != nil && s.UncountedRefused && refused.Kind.Status() >= http.StatusInternalServerError, refused == nil && class > 0 && class < len(s.Uncounted) && s.Uncounted[class]:
		return -s.n
	case s.Bytes:
		return o.Bytes + o.Received - s.n
	}
	return 0
}
