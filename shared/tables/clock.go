package tables

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// drift: this machine's clock and the store's may run apart by one part in so many: what a kernel slews them by, and as much again.
	drift = 1000
	// disagreement is how far the wall clock and the monotonic one may differ since
	// the last answer. Beyond it one of them was set, or stood still while the
	// function was frozen, and what time it is must be asked anew.
	disagreement = 250 * time.Millisecond
)

// Clock is the store's time, as far as its answers tell. Date is in whole
// seconds, so one answer tells it to within a second and its own round trip; several narrow it
// down. No clock of this machine is believed for what time it is, only for how
// much time has passed.
type Clock struct {
	now  Machine
	mu   sync.Mutex // of those who write
	told atomic.Pointer[told]
}

// Machine is what this machine's clocks show: the one that people set, and the
// time that has passed since some moment, by the one that nobody can.
type Machine func() (wall time.Time, passed time.Duration)

// MachineOf are both of them in one, as time.Now gives them.
func MachineOf(now func() time.Time) Machine {
	began := now()
	return func() (time.Time, time.Duration) {
		t := now()
		return t.Round(0), t.Sub(began) // Round(0) strips the monotonic reading
	}
}

// Moment is one reading of both of them.
type Moment struct {
	wall   time.Time
	passed time.Duration
}

// since is how much time passed from one moment to a later one, and by how much
// that may be wrong: either clock may be the right one. ok is false if they are
// too far apart.
func (m Moment) since(began Moment) (passed, wrong time.Duration, ok bool) {
	passed = m.passed - began.passed
	apart := (m.wall.Sub(began.wall) - passed).Abs()
	return passed, passed/drift + apart, passed >= 0 && apart <= disagreement
}

// told is what was known at one moment.
type told struct {
	at     Moment
	lo, hi time.Time // the store's time then
}

// NewClock knows nothing yet.
func NewClock(now Machine) *Clock { return &Clock{now: now} }

// Bounds are the earliest and the latest that the store's clock may show now. ok
// is false while that isn't known.
func (c *Clock) Bounds() (lo, hi time.Time, ok bool) {
	return c.told.Load().bounds(c.Moment())
}

func (t *told) bounds(now Moment) (lo, hi time.Time, ok bool) {
	if t == nil {
		return lo, hi, false
	}
	passed, wrong, ok := now.since(t.at)
	if !ok {
		return lo, hi, false
	}
	return t.lo.Add(passed - wrong), t.hi.Add(passed + wrong), true
}

// Heard takes one answer in: date is what the store said between asked and now.
func (c *Clock) Heard(asked Moment, date time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Moment()
	took, wrong, ok := now.since(asked)
	if !ok {
		return // the machine may have stood still in between, and the answer be old
	}
	// Date is cut to the second, and the answer was made after the request was sent.
	lo, hi := date, date.Add(time.Second+took+wrong)
	if a, b, ok := c.told.Load().bounds(now); ok && a.Before(hi) && lo.Before(b) {
		// Both hold, so what they have in common does. Where they have nothing in
		// common, the store's clock was set, and the answer is newer.
		lo, hi = later(a, lo), earlier(b, hi)
	}
	c.told.Store(&told{at: now, lo: lo, hi: hi})
}

// Moment is now, by this machine, for Heard.
func (c *Clock) Moment() Moment {
	wall, passed := c.now()
	return Moment{wall, passed}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// watched tells the clock of each answer.
type watched struct {
	http.RoundTripper
	clock *Clock
	seen  *seen
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := w.clock.Moment()
	resp, err := w.RoundTripper.RoundTrip(r)
	w.seen.note(w.clock.Moment(), err == nil && resp.StatusCode < http.StatusInternalServerError)
	if err != nil {
		return nil, err
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		resp.Header.Del("Date") // over one that can't be read aztables fails what was done
		return resp, nil
	}
	w.clock.Heard(asked, date)
	return resp, nil
}
