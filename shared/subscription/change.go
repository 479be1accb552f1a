package subscription

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate/shared/tables"
)

// attempts: how often a change is tried again that somebody else's came before.
const attempts = 5

// Approve lets a subscription that was asked for be used.
func (o *Office) Approve(ctx context.Context, id string) (*Record, error) {
	return o.move(ctx, id, Active, []State{Submitted})
}

// Reject turns down a subscription that was asked for.
func (o *Office) Reject(ctx context.Context, id string) (*Record, error) {
	return o.move(ctx, id, Cancelled, []State{Submitted})
}

// Suspend stops a subscription until it is resumed. No instance lets its keys in
// for longer than the contract's refresh after it, as long as the store answers.
func (o *Office) Suspend(ctx context.Context, id string) (*Record, error) {
	return o.move(ctx, id, Suspended, []State{Active})
}

// Resume lets a suspended subscription be used again.
func (o *Office) Resume(ctx context.Context, id string) (*Record, error) {
	return o.move(ctx, id, Active, []State{Suspended})
}

// Cancel ends a subscription for good.
func (o *Office) Cancel(ctx context.Context, id string) (*Record, error) {
	return o.move(ctx, id, Cancelled, []State{Submitted, Active, Suspended, Expired})
}

// move is a step of the state machine. A step that was taken already is no error:
// it may have been this one, whose answer was lost.
func (o *Office) move(ctx context.Context, id string, to State, from []State) (*Record, error) {
	return o.change(ctx, id, func(r *Record, now time.Time) error {
		state := r.At(now)
		if state == to {
			return errNothing
		}
		if !slices.Contains(from, state) {
			return fmt.Errorf("the subscription %s is %s; only one that is %s can become %s", id, state, names(from), to)
		}
		if r.State = to; to == Active && r.Started.IsZero() {
			r.Started = now
		}
		return nil
	})
}

func names(states []State) string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = string(s)
	}
	return strings.Join(out, " or ")
}

// errNothing: the row is as it is wanted.
var errNothing = errors.New("nothing to change")

// change reads, edits and writes one subscription, anew if somebody else's change came between.
func (o *Office) change(ctx context.Context, id string, edit func(r *Record, now time.Time) error) (*Record, error) {
	for range attempts {
		row, err := o.row(ctx, id)
		if err != nil {
			return nil, err
		}
		now, err := o.now(ctx)
		if err != nil {
			return nil, err
		}
		r := recordOf(row)
		if err := edit(&r, now); errors.Is(err, errNothing) {
			return &r, nil
		} else if err != nil {
			return nil, err
		}
		err = o.write(ctx, tables.Row{Key: row.Key, ETag: row.ETag, Fields: r.fields()}, o.ledger.Replace)
		if !errors.Is(err, tables.ErrChanged) {
			return &r, err
		}
	}
	return nil, fmt.Errorf("the subscription %s is being changed by others at the same time; try again", id)
}

// Rotation says how a key is renewed.
type Rotation struct {
	Grace     time.Duration // how long the old key is good beside the new one; 0: it ends at once
	Overwrite bool          // also the key that is still in its grace
}

// ErrGrace: the slot for the new key holds one that is still good.
var ErrGrace = errors.New("the key before the last one is still in its grace")

// Rotate makes a key in the other slot, and ends the one that it replaces.
func (o *Office) Rotate(ctx context.Context, id string, how Rotation) (*Record, string, error) {
	key := ""
	r, err := o.change(ctx, id, func(r *Record, now time.Time) error {
		if state := r.At(now); state == Cancelled || state == Expired {
			return fmt.Errorf("the subscription %s is %s; its keys can't be renewed", id, state)
		}
		old, slot := r.newest()
		if s := r.Slots[slot]; s.Digest != "" && !over(s.Ends, now) && !how.Overwrite {
			return fmt.Errorf("%w, until %s: whoever still uses it would be cut off", ErrGrace, s.Ends.Format(time.RFC3339))
		}
		r.Slots[old].Ends = now.Add(how.Grace)
		var err error
		key, err = o.fill(ctx, r, slot, now)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return r, key, nil
}

// newest is the slot with the key that people use now, and the other one.
func (r *Record) newest() (used, other int) {
	p, s := r.Slots[Primary], r.Slots[Secondary]
	if s.Digest != "" && (p.Digest == "" || s.Ends.IsZero() && !p.Ends.IsZero() || s.Ends.IsZero() == p.Ends.IsZero() && s.Made.After(p.Made)) {
		return Secondary, Primary
	}
	return Primary, Secondary
}
