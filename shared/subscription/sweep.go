package subscription

import (
	"context"
	"errors"
	"time"

	"tollgate/shared/tables"
)

// newborn: a key's row is written before the subscription that names it.
const newborn = time.Hour

// Sweep removes rows of keys that open nothing any more: their end has passed,
// their slot has another key, or their subscription is over. It removes most of
// them at a time, and may be called by anyone at any time. Subscriptions stay: they tell who had access.
func (o *Office) Sweep(ctx context.Context, most int) (removed int, err error) {
	now, err := o.now(ctx)
	if err != nil {
		return 0, err
	}
	live := map[string]bool{}
	for r, err := range o.List(ctx) {
		if err != nil {
			return 0, err
		}
		for _, s := range r.Slots {
			// now is the earliest that it may be, so what is over is over.
			live[s.Digest] = r.State != Cancelled && r.State != Expired && !over(s.Ends, now)
		}
	}
	for row, err := range o.catalog.List(ctx, allDigests()) {
		if err != nil {
			return removed, err
		}
		young := now.Before(moment(row.Fields.Int("made")).Add(newborn))
		if live[row.Fields.Text("digest")] || young {
			continue
		}
		if removed >= most {
			break
		}
		if err := o.catalog.Delete(ctx, row.Key, row.ETag); errors.Is(err, tables.ErrChanged) {
			continue // written anew a moment ago
		} else if err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
