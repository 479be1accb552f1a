package tables

import (
	"sync"
	"time"

	"tollgate/shared/limit"
)

// count is what this instance holds of one key: blocks of at most two windows,
// one on each side of an edge.
type count struct {
	key limit.Key // without its value
	id  string
	by  string // the value, for people

	mu    sync.Mutex
	parts [2]*part
}

// part is what is held of one window.
type part struct {
	window limit.Window
	held   int64     // debited and not yet spent; below zero: charged past what was held
	left   int64     // in the store, when it was last asked
	asked  time.Time // when that was, by the store's clock; zero: never
	until  int64     // when what was asked for may be had, in seconds of the store's clock; 0: never
	rest   time.Time // until then, by this machine, no call waits for this count

	flight *flight
	pace   pace
}

// pace is how fast this instance spends, and beside how many others.
type pace struct {
	last   int64     // the last block; 0: there was none
	spent  int64     // since it was debited
	since  time.Time // when that was
	active int       // instances, this one included
}

// part finds the part of t, or begins it in place of the older one. Under mu.
func (c *count) part(t time.Time) *part {
	for _, p := range c.parts {
		if p != nil && p.window.Holds(t, t) {
			return p
		}
	}
	p, old := &part{window: c.key.At(t)}, 0
	if c.parts[0] != nil && (c.parts[1] == nil || c.parts[1].window.Start < c.parts[0].window.Start) {
		old = 1
	}
	if was := c.parts[1-old]; was != nil {
		p.pace = was.pace // the best guess for a new window
	}
	c.parts[old] = p
	return p
}

// spend hands out n from what is held, on both sides of an edge that the bounds
// straddle. short is the part that must be asked for more first.
func (c *count) spend(lo, hi time.Time, n int64) (g limit.Grant, short *part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, second := c.part(lo), c.part(hi)
	if first != second && second.window.Start > first.window.End {
		return g, first // more than one edge lies between: the next answer narrows the bounds
	}
	for _, p := range [2]*part{first, second} {
		if p.held >= n {
			continue
		}
		if !p.refuses(n, lo) {
			return g, p
		}
		g = limit.Grant{Left: max(0, p.held+p.left), Count: c, Window: p.window}
		if p.until != 0 {
			g.Reset = limit.Window{End: p.until}.Until(lo)
		}
		return g, nil
	}
	first.take(n)
	if second != first {
		second.take(n)
	}
	return limit.Grant{OK: true, Left: max(0, first.held+first.left), Reset: first.window.Until(lo), Count: c, Window: first.window}, nil
}

// refuses tells that not enough is left. Others only make it less, so what the
// store said holds for a while.
func (p *part) refuses(n int64, lo time.Time) bool {
	believed := latest
	if p.window.End > 0 {
		believed = min(max(p.window.Until(p.asked)/4, soonest), latest)
	}
	return !p.asked.IsZero() && p.held+p.left < n && lo.Sub(p.asked).Abs() < believed
}

func (p *part) take(n int64) {
	p.held -= n
	p.pace.spent += n
}

// at is the window of t, held from now on.
func (c *count) at(t time.Time) limit.Window {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.part(t).window
}

// settle corrects what is held; the part is returned if it owes the store something.
func (c *count) settle(w limit.Window, n int64) (owes *part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.parts {
		if p == nil || p.window != w {
			continue
		}
		p.take(n)
		if p.held < 0 {
			return p
		}
	}
	return nil
}

// over tells that the windows have ended.
func (c *count) over(lo time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.parts {
		if p != nil && (p.window.End == 0 || p.window.End > lo.Unix()) {
			return false
		}
	}
	return true
}

// empty tells that nothing is held, owed or under way.
func (c *count) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.parts {
		if p != nil && (p.held != 0 || p.flight != nil) {
			return false
		}
	}
	return true
}

// order decides how much to debit for want; 0 if nothing is left. owed is what
// was charged before it was debited, and goes even past the limit. Under mu.
func (p *part) order(r *limit.Rule, state *state, want int64, now, lo time.Time) (block, owed int64) {
	p.left, p.asked = state.Left(r, p.window), lo
	owed = max(0, -p.held)
	p.pace.active = max(len(state.active), p.pace.active*7/8) // a new window's row knows nobody yet
	d := limit.Demand{
		Want: max(1, want+owed-max(0, p.held)), Most: r.Amount, Left: p.left,
		Last: p.pace.last, Spent: p.pace.spent, Passed: now.Sub(p.pace.since), Active: p.pace.active,
	}
	p.until = state.Again(r, p.window, d.Want)
	return max(d.Block(r.Horizon(p.window)), owed), owed
}

// receive takes a block in. Under mu.
func (p *part) receive(block, owed, left int64, now time.Time) {
	p.held += block
	p.left = left
	p.pace.last, p.pace.spent, p.pace.since = max(1, block-owed), 0, now
}
