package revocation

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/shared/tables"
)

// How old a list may be. Its age counts from before the store was asked.
const (
	// interval: the store is asked no more often than this. A younger list is used at once.
	interval = 2 * time.Second
	// waiting: from this age on a request waits for a newer one. Until then it only
	// starts the check. What is left of five seconds is for the request itself.
	waiting = 4 * time.Second
	// relist: the entries are listed anew even though the generation is the same, in
	// case whoever wrote an entry died before the generation was written.
	relist = 5 * time.Minute
	// moment is the longest that a request waits while there is a list it could use.
	moment = time.Second
	// longest is the same while there is none.
	longest = 3 * time.Second
	// patience is for one check, with all pages of a listing.
	patience = 10 * time.Second
)

// Rows are read from the store. *tables.Table is one.
type Rows interface {
	Get(ctx context.Context, key tables.Key) (tables.Row, error)
	List(ctx context.Context, q tables.Query) iter.Seq2[tables.Row, error]
}

var _ Rows = (*tables.Table)(nil)

// Clock is the store's: *tables.Clock is one.
type Clock interface {
	Bounds() (lo, hi time.Time, ok bool)
}

// Options are what a Watch needs besides.
type Options struct {
	Now      func() time.Time // with its monotonic reading
	Clock    Clock
	MaxStale time.Duration // how old a list may be used while the store can't be asked; at least 4 s
	Report   func(error)   // told once of each outage, and once when it lasts too long; nil drops it
}

// Watch keeps the list fresh. It is safe for concurrent use.
type Watch struct {
	rows    Rows
	options Options
	held    atomic.Pointer[held] // nil: nothing was ever read

	mu       sync.Mutex
	flight   *flight // the check under way; nil for none
	outage   outage
	reported level
}

var _ Lists = (*Watch)(nil)

// NewWatch asks nothing yet.
func NewWatch(rows Rows, o Options) *Watch {
	o.MaxStale = max(o.MaxStale, waiting)
	return &Watch{rows: rows, options: o}
}

// held is a list, and how old it is.
type held struct {
	list       *List
	generation string
	listed     time.Time // when the entries were listed last

	// The store was asked at that time, or an age was taken then which is added.
	at     time.Time
	before time.Duration
}

func (h *held) age(now time.Time) time.Duration { return h.before + elapsed(h.at, now) }

// elapsed is how much time has passed for sure: the monotonic clock stands still
// while the function is frozen, and the wall clock can be set back.
func elapsed(since, now time.Time) time.Duration {
	wall := now.Round(0).Sub(since.Round(0)) // Round(0) strips the monotonic reading
	return max(now.Sub(since), wall, 0)
}

// flight is one check under way.
type flight struct {
	began time.Time
	done  chan struct{}
	slow  chan struct{} // closed once a request has waited for it in vain
}

// Current is the list. It asks the store if the list has grown old, once for all
// who ask at the same time, and waits only if the list may not be used any more.
func (w *Watch) Current(ctx context.Context) (*List, bool, error) {
	if h := w.held.Load(); h != nil && h.age(w.options.Now()) < interval {
		return h.list, false, nil
	}
	return w.look(ctx)
}

// look goes by an old list. Two checks are waited for at the most: the first may
// have begun before the function was frozen, or meet a connection that died then.
func (w *Watch) look(ctx context.Context) (*List, bool, error) {
	for again := false; ; again = true {
		now := w.options.Now()
		f, known, blocked := w.check(now, again)
		h := w.held.Load() // after check: one that has just ended left it
		age := w.options.MaxStale
		if h != nil {
			age = h.age(now)
		}
		usable := age < w.options.MaxStale
		switch {
		case usable && age < waiting:
			return h.list, false, nil
		case usable && (known || blocked > 0):
			return w.stale(h)
		case blocked > 0:
			return w.nothing(ctx, blocked)
		}
		landed := w.await(ctx, f, usable)
		if again || !landed {
			return w.settle(ctx, usable)
		}
	}
}

// settle takes what there is after all waiting.
func (w *Watch) settle(ctx context.Context, usable bool) (*List, bool, error) {
	h, now := w.held.Load(), w.options.Now()
	switch {
	case h != nil && h.age(now) < waiting:
		return h.list, false, nil
	case h != nil && usable: // it was when the request came
		return w.stale(h)
	default:
		return w.nothing(ctx, firstPause)
	}
}

func (w *Watch) stale(h *held) (*List, bool, error) {
	w.report(old, w.why())
	return h.list, true, nil
}

func (w *Watch) nothing(ctx context.Context, wait time.Duration) (*List, bool, error) {
	why := w.why()
	if ctx.Err() == nil { // or else it was the request that didn't wait
		w.report(tooOld, why)
	}
	return nil, false, &Unavailable{Cause: fmt.Errorf("the list of revocations can't be read: %w", why), Wait: wait}
}

// await waits for the check. The first who did so in vain frees the others.
func (w *Watch) await(ctx context.Context, f *flight, usable bool) (landed bool) {
	most, slow := longest, chan struct{}(nil)
	if usable {
		most, slow = moment, f.slow
	}
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-f.done:
		return true
	case <-slow:
	case <-t.C:
		w.slow(f)
	case <-ctx.Done():
	}
	return false
}

func (w *Watch) slow(f *flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !f.isSlow() {
		close(f.slow)
	}
}

func (f *flight) isSlow() bool {
	select {
	case <-f.slow:
		return true
	default:
		return false
	}
}
