// Package renewal keeps what grows stale (a secret, a token) and renews it on
// the request that finds it stale, once for all who ask at the same time.
//
// Nothing here needs a timer or a goroutine to be right: a function can be
// frozen between any two instructions, and what is too old is found so by
// whoever asks next.
package renewal

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Until is how long a fetched value is good.
type Until struct {
	Renew time.Time // from then on the next request renews it
	End   time.Time // from then on it isn't used any more
}

// Options are a Cache's limits.
type Options struct {
	Most     int           // values kept; the least recently used goes
	Patience time.Duration // for one fetch
	Moment   time.Duration // the request that finds a value stale waits no longer for a newer one
	First    time.Duration // no fetch so soon after a failed one; doubles with each failure in a row
	Last     time.Duration // the longest such wait
	// Shared tells of a failure whether it is about the source as a whole: then no
	// other key is asked for in that time either. nil: each key is by itself.
	Shared func(error) bool
	// Together: all who find a value stale wait that moment, not only the first. For
	// what must not be used any longer while its source can be asked.
	Together bool
}

// Unavailable says that there is no value now, and when to ask again.
type Unavailable struct {
	Cause error
	Wait  time.Duration
}

func (u *Unavailable) Error() string { return u.Cause.Error() }
func (u *Unavailable) Unwrap() error { return u.Cause }

// Cache holds values by key. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	options Options
	now     func() time.Time

	mu      sync.Mutex
	entries map[K]*list.Element // of *entry[K, V]
	order   list.List           // most recently used first
	source  backOff             // of the source as a whole
}

type entry[K comparable, V any] struct {
	key    K
	held   bool
	value  V
	until  Until
	flight *flight
	own    backOff
}

// flight is one fetch under way.
type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// Fetch gets a value from its source. It must end when its context does, which
// isn't that of the request.
type Fetch[V any] func(context.Context) (V, Until, error)

// New makes a cache.
func New[K comparable, V any](now func() time.Time, o Options) *Cache[K, V] {
	// Without the monotonic reading: it may stand still while a function is frozen.
	return &Cache[K, V]{options: o, now: func() time.Time { return now().Round(0) }, entries: map[K]*list.Element{}}
}

// Get is the value of key, fetched if it must be. Its error is an *Unavailable.
func (c *Cache[K, V]) Get(ctx context.Context, key K, fetch Fetch[V]) (V, error) {
	e, value, f, first, err := c.look(key, fetch)
	switch {
	case err != nil:
		return value, err
	case f == nil:
		return value, nil
	case first: // stale: this request waits a moment; the others don't, or do together
		moment := time.NewTimer(c.options.Moment)
		defer moment.Stop()
		select {
		case <-f.done:
		case <-moment.C:
		case <-ctx.Done():
		}
		return c.current(e, value), nil
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return value, &Unavailable{context.Cause(ctx), c.options.First}
	}
	if f.err != nil {
		return value, f.err
	}
	return c.current(e, value), nil
}

// look finds the value, and the fetch to wait for if there is one. first is a
// request that found a value stale that may still be used.
func (c *Cache[K, V]) look(key K, fetch Fetch[V]) (e *entry[K, V], value V, f *flight, first bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, now := c.entry(key), c.now()
	usable := e.held && now.Before(e.until.End)
	if usable {
		value = e.value
	}
	blocked := c.blocked(e, now)
	switch {
	case usable && (now.Before(e.until.Renew) || e.flight != nil && !c.options.Together || blocked != nil):
		return e, value, nil, false, nil
	case e.flight != nil:
		return e, value, e.flight, usable, nil
	case blocked != nil:
		return e, value, nil, false, blocked
	}
	e.flight = &flight{done: make(chan struct{})}
	go c.renew(e, e.flight, fetch)
	return e, value, e.flight, usable, nil
}

// blocked: a source that failed a moment ago isn't asked again yet.
func (c *Cache[K, V]) blocked(e *entry[K, V], now time.Time) error {
	for _, b := range []*backOff{&e.own, &c.source} {
		if b.next.After(now) {
			return &Unavailable{b.why, b.next.Sub(now)}
		}
	}
	return nil
}

func (c *Cache[K, V]) entry(key K) *entry[K, V] {
	if at := c.entries[key]; at != nil {
		c.order.MoveToFront(at)
		return at.Value.(*entry[K, V])
	}
	e := &entry[K, V]{key: key}
	c.entries[key] = c.order.PushFront(e)
	for len(c.entries) > c.options.Most {
		oldest := c.order.Remove(c.order.Back()).(*entry[K, V])
		delete(c.entries, oldest.key)
	}
	return e
}

// current is the newest value, or the one that was good a moment ago.
func (c *Cache[K, V]) current(e *entry[K, V], before V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.held {
		return e.value
	}
	return before
}

// renew goes on when its request leaves: the next one needs the value too.
func (c *Cache[K, V]) renew(e *entry[K, V], f *flight, fetch Fetch[V]) {
	value, until, err := c.guarded(fetch)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if err == nil && !now.Before(until.End) {
		err = errors.New("what came had expired before it came")
	}
	if err != nil {
		b := &e.own
		if c.options.Shared != nil && c.options.Shared(err) {
			b = &c.source
		}
		f.err = &Unavailable{err, b.failed(err, now, c.options)}
	} else {
		e.held, e.value, e.until, e.own, c.source = true, value, until, backOff{}, backOff{}
	}
	e.flight = nil
	close(f.done)
}

// guarded: a panic in a vendor's code, over an answer that it didn't expect,
// must not end the gateway. It names no value.
func (c *Cache[K, V]) guarded(fetch Fetch[V]) (value V, until Until, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the answer couldn't be read (%T)", fault)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), c.options.Patience)
	defer cancel()
	return fetch(ctx)
}

// backOff keeps a broken source from being asked by every request.
type backOff struct {
	failures int
	next     time.Time
	why      error
}

func (b *backOff) failed(why error, now time.Time, o Options) time.Duration {
	wait := min(o.First<<min(b.failures, 10), o.Last)
	b.failures++
	b.next, b.why = now.Add(wait), why
	return wait
}
