// Package kept keeps one value that grows old. The request that finds it old
// renews it: a function can be frozen at any time, so no timer would.
package kept

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Span says how long a value is good.
type Span struct {
	Since time.Time // a clock that stands before it was set back, and the value is old; some seconds early, since clocks are
	Renew time.Time // from here on it is old: used, but renewed
	Until time.Time // from here on it isn't used; zero: always
}

// Times say how long anybody waits.
type Times struct {
	Patience time.Duration // for a value where there is none
	Spare    time.Duration // for a newer one where there is one
	Pause    time.Duration // after a failure, before the next attempt
}

// Value is such a value. At most one caller at a time makes it.
type Value[T any] struct {
	now   func() time.Time
	make  func(context.Context) (T, Span, error)
	times Times
	turn  chan struct{}

	mu      sync.Mutex
	have    T
	span    Span
	made    bool
	tried   time.Time // the last attempt
	retry   time.Time // none before it
	failure error     // of that attempt
}

// New keeps what make makes. The context that make gets is that of the caller
// whose turn it is, with a deadline; where there is a value already it doesn't
// end when the caller leaves.
func New[T any](now func() time.Time, times Times, make_ func(context.Context) (T, Span, error)) *Value[T] {
	// Without the monotonic reading: it may stand still while a function is frozen.
	wall := func() time.Time { return now().Round(0) }
	return &Value[T]{now: wall, make: make_, times: times, turn: make(chan struct{}, 1)}
}

type state int

const (
	none state = iota
	old
	fresh
)

func (v *Value[T]) look() (T, state) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	switch {
	case !v.made, !v.span.Until.IsZero() && !now.Before(v.span.Until):
		var zero T
		return zero, none
	case now.Before(v.span.Since), !now.Before(v.span.Renew):
		return v.have, old
	}
	return v.have, fresh
}

// Get is a value that is good now. Who finds it old renews it, unless somebody
// does already; where there is none, callers wait for their turn, or until
// their context ends.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	have, s := v.look()
	switch s {
	case fresh:
		return have, nil
	case old:
		select {
		case v.turn <- struct{}{}:
		default:
			return have, nil
		}
	case none:
		if err := v.wait(ctx); err != nil {
			return have, err
		}
	}
	defer func() { <-v.turn }()
	if have, s = v.look(); s == fresh { // somebody made it meanwhile
		return have, nil
	}
	if err := v.resting(); err != nil {
		return orElse(have, s, err)
	}
	made, err := v.renew(ctx, s)
	if err != nil {
		return orElse(have, s, err)
	}
	return made, nil
}

// Newer is a value that was made within the last floor, or the attempt of which
// was: callers can't drive more than one attempt in that time.
func (v *Value[T]) Newer(ctx context.Context, floor time.Duration) (T, error) {
	if err := v.wait(ctx); err != nil {
		var zero T
		return zero, err
	}
	defer func() { <-v.turn }()
	have, s := v.look()
	v.mu.Lock()
	since, failure := v.now().Sub(v.tried), v.failure
	v.mu.Unlock()
	if s != none && since >= 0 && since < floor {
		return have, failure
	}
	if err := v.resting(); err != nil {
		return have, err
	}
	return v.renew(ctx, old)
}

func (v *Value[T]) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, v.times.Patience)
	defer cancel()
	select {
	case v.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waited for another caller's attempt: %w", context.Cause(ctx))
	}
}

// resting is the failure after which no attempt is made yet.
func (v *Value[T]) resting() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	// A clock that was set back must not make the rest longer than it is.
	if left := v.retry.Sub(v.now()); left > 0 && left <= v.times.Pause {
		return v.failure
	}
	return nil
}

// renew makes the value. The turn is the caller's.
func (v *Value[T]) renew(ctx context.Context, s state) (T, error) {
	patience := v.times.Patience
	if s != none {
		// Others are told what this attempt meets, and nobody shall make it fail by leaving.
		ctx, patience = context.WithoutCancel(ctx), v.times.Spare
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	made, span, err := v.make(within)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tried, v.failure = v.now(), err
	switch {
	case err == nil:
		v.have, v.span, v.made = made, span, true
	case ctx.Err() == nil: // the caller didn't leave: the next one would meet the same
		v.retry = v.tried.Add(v.times.Pause)
	}
	return made, err
}

func orElse[T any](have T, s state, err error) (T, error) {
	if s == none {
		return have, err
	}
	return have, nil
}
