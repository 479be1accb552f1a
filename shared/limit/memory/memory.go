// Package memory counts in this process: what each instance does by itself
// while the store can't be asked, and the model that other stores are held against.
package memory

import (
	"context"
	"sync"
	"time"

	"tollgate/shared/limit"
)

// Most is how many counts are kept. Beyond it, new ones of a rule share one, so
// that whoever can choose what is counted by can neither fill the memory nor
// push out someone else's count.
const Most = 100_000

// Store is exact within its process. It is safe for concurrent use.
type Store struct {
	now  func() time.Time
	most int

	mu     sync.Mutex
	counts map[string]*count
	swept  time.Time
}

var _ limit.Store = (*Store)(nil)

type count struct {
	key    limit.Key // without its value
	begun  bool
	window limit.Window
	count  limit.Count
}

// New counts by this clock.
func New(now func() time.Time) *Store {
	return &Store{now: now, most: Most, counts: map[string]*count{}}
}

// Take debits n, if there is as much left. It never fails.
func (s *Store) Take(_ context.Context, key limit.Key, n int64) (limit.Grant, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(key, now)
	c.turn(now)
	g := limit.Grant{OK: true, Left: c.count.Left(key.Rule, c.window) - n, Reset: c.window.Until(now), Count: c, Window: c.window}
	if g.Left < 0 {
		g.OK, g.Left = false, max(0, g.Left+n)
		g.Reset = limit.Window{End: c.count.Again(key.Rule, c.window, n)}.Until(now)
		return g, nil
	}
	c.count.Add(key.Rule, c.window, n)
	return g, nil
}

// Settle corrects the count.
func (s *Store) Settle(_ context.Context, g limit.Grant, n int64) error {
	c, ok := g.Count.(*count)
	if !ok {
		return nil
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 {
		c.turn(now)
	}
	if n > 0 || c.window == g.Window {
		c.count.Add(c.key.Rule, c.window, n)
	}
	return nil
}

// turn begins a new count where a new window has begun. A clock that was set
// back doesn't bring an old one back.
func (c *count) turn(now time.Time) {
	w := c.key.At(now)
	if c.begun && w.Start <= c.window.Start {
		return
	}
	c.begun = true
	if !c.key.Rule.Smooth {
		c.count = limit.Count{}
	}
	c.window = w
}

func (s *Store) find(key limit.Key, now time.Time) *count {
	if c := s.counts[key.ID()]; c != nil {
		return c
	}
	if len(s.counts) >= s.most {
		s.sweep(now)
	}
	if len(s.counts) >= s.most {
		key.Value = nil // no encoded value is empty, so this is nobody's own
		if c := s.counts[key.ID()]; c != nil {
			return c
		}
	}
	c := &count{key: limit.Key{Rule: key.Rule, Since: key.Since}}
	s.counts[key.ID()] = c
	return c
}

// sweep forgets what has ended, once a second at most.
func (s *Store) sweep(now time.Time) {
	if now.Sub(s.swept).Abs() < time.Second {
		return
	}
	s.swept = now
	for id, c := range s.counts {
		if end := c.key.Rule.Ends(c.window); end != 0 && end <= now.Unix() {
			delete(s.counts, id)
		}
	}
}
