package limit

import (
	"slices"
	"time"
)

// Count is what is kept of one key: pure arithmetic, no clock and no store.
type Count struct {
	Used  int64  // in the one window that it is about
	Slots []Slot // of a smooth rule instead, in order of Start
}

// Slot is how much of a smooth rule was used in one slot.
type Slot struct{ Start, Used int64 }

// Left is how much the rule still lets through in w. It may be negative: bytes
// are known only once they were sent.
func (c *Count) Left(r *Rule, w Window) int64 {
	if r.slot == 0 {
		return r.most - c.Used
	}
	// Every run of slots + 1 that holds w must keep to it; a later slot may have been
	// used already, by an instance that was sooner there.
	most := int64(0)
	for end := w.Start; ; end += r.slot {
		most = max(most, c.within(end-r.slots*r.slot, end))
		if n := len(c.Slots); n == 0 || end >= c.Slots[n-1].Start || end >= w.Start+r.slots*r.slot {
			return r.most - most
		}
	}
}

func (c *Count) within(first, last int64) (used int64) {
	for _, s := range c.Slots {
		if s.Start >= first && s.Start <= last {
			used += s.Used
		}
	}
	return used
}

// Add counts n more in w, and forgets slots that no window can reach any more.
func (c *Count) Add(r *Rule, w Window, n int64) {
	if r.slot == 0 {
		c.Used += n
		return
	}
	oldest := w.Start - (r.slots+1)*r.slot
	c.Slots = slices.DeleteFunc(c.Slots, func(s Slot) bool { return s.Start < oldest })
	i, found := slices.BinarySearchFunc(c.Slots, w.Start, func(s Slot, start int64) int { return int(s.Start - start) })
	if !found {
		c.Slots = slices.Insert(c.Slots, i, Slot{Start: w.Start})
	}
	c.Slots[i].Used += n
}

// Forget drops slots that lie further ahead than any instance's clock can be:
// whoever wrote those was wrong.
func (c *Count) Forget(r *Rule, w Window) {
	c.Slots = slices.DeleteFunc(c.Slots, func(s Slot) bool { return r.slot > 0 && s.Start > w.Start+r.slots*r.slot })
}

// Again is when n may be had: the start of a window or slot, in seconds since
// 1970; 0 for never.
func (c *Count) Again(r *Rule, w Window, n int64) int64 {
	if r.slot == 0 {
		return w.End
	}
	if n > r.most {
		return 0
	}
	for start := w.Start + r.slot; ; start += r.slot {
		if c.Left(r, Window{start, start + r.slot}) >= n {
			return start
		}
	}
}

// Ends is when nothing of the count matters any more, in seconds since 1970; 0 for never.
func (r *Rule) Ends(w Window) int64 {
	if r.slot == 0 {
		return w.End
	}
	return w.End + (r.slots+1)*r.slot
}

// Horizon is how long a block is meant to last: an instance that dies loses no
// more than it would have spent in that time. For a window of a minute that is
// ten seconds, of an hour two minutes, and never more than five.
func (r *Rule) Horizon(w Window) time.Duration {
	length := 30 * 24 * time.Hour
	if w.End > 0 {
		length = time.Duration(w.End-w.Start) * time.Second
	}
	return max(min(length/6, 10*time.Second), min(length/30, 5*time.Minute))
}

// Demand is what the size of a block follows from.
type Demand struct {
	Want   int64         // what is asked for now
	Most   int64         // of the limit as a whole
	Left   int64         // in the store
	Last   int64         // the block before, 0 for none
	Spent  int64         // since then
	Passed time.Duration // in which that was spent
	Active int           // instances that share the count, this one included
}

const (
	growth = 16   // a block is at most so many times the one before: an instance's first calls don't tell its rate
	others = 4    // instances are reckoned with at least, whether they were seen or not
	crumb  = 2000 // less than one part in so many of the limit isn't worth an exchange
)

// Block is how much to reserve, from what is asked for to what the instance is
// likely to spend within the horizon, but no more than twice its equal share of
// what is left: near the end that is next to nothing, so that nothing is left
// over on an instance that is done.
func (d Demand) Block(horizon time.Duration) int64 {
	if d.Left < d.Want {
		return max(0, d.Left)
	}
	likely := d.Want
	if d.Last > 0 {
		seconds := max(d.Passed, time.Millisecond).Seconds()
		likely = int64(min(float64(d.Spent)/seconds*horizon.Seconds(), float64(growth*max(d.Last, d.Want))))
	}
	fair := max(2*d.Left/int64(max(d.Active, others)), d.Most/crumb)
	return min(max(d.Want, min(likely, fair)), d.Left)
}
