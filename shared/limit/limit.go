// Package limit decides whether a caller has any calls, or bytes, left.
//
// What is counted is debited from a store before it is spent, so a limit is
// never passed, however many instances there are, whatever dies whenever. Time
// is the store's.
package limit

import (
	"context"
	"time"
)

// Store hands out what limits allow. Its implementations pass limittest.
type Store interface {
	// Take asks for n of the count; n is above zero. The error is a *Unavailable.
	Take(ctx context.Context, key Key, n int64) (Grant, error)
	// Settle corrects a grant once more is known: below zero gives back what wasn't
	// used after all, above zero charges what was used beyond it, even past the limit.
	// Once the grant's window is over nothing is given back, and what is charged is
	// charged to the window that it is: else a caller who takes long enough pays nothing.
	// It waits for no store; other instances hear of a charge a moment later.
	Settle(ctx context.Context, g Grant, n int64) error
}

// Grant is a store's answer.
type Grant struct {
	OK    bool
	Left  int64         // at most so much is left after it, as far as is known here
	Reset time.Duration // until the window ends, or until as much as was asked for may be had again; 0: never
	// Count and Window are the store's own, for Settle.
	Count  any
	Window Window
}

// Unavailable says that the store gives no decision now: it can't be asked, or too
// many want the same count at once.
type Unavailable struct {
	Cause error
	Wait  time.Duration // until it is asked again
}

func (u *Unavailable) Error() string { return u.Cause.Error() }
func (u *Unavailable) Unwrap() error { return u.Cause }
