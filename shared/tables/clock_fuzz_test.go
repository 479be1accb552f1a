package tables_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever the time is, however the machine's clocks go within what is allowed
// for, and however the ways there and back differ: the bounds hold the true time.
func FuzzTheBoundsHoldTheTrueTime(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, int64(seed*7919), int64(seed%3)*50_000+1)
	}
	f.Fuzz(func(t *testing.T, seed uint64, offset, latency int64) {
		chance := rand.New(rand.NewPCG(seed, 1))
		slow := time.Duration(latency)%time.Second.Abs() + 1
		slow = max(slow.Abs(), time.Microsecond)
		w := newWorld(noon().Add(time.Duration(offset) % (400 * 24 * time.Hour)))
		w.rate = 1 + (chance.Float64()-0.5)*300e-6
		for range 300 {
			w.asksSomehow(chance, slow)
			w.holds(t, 0, time.Hour)
			if chance.IntN(20) == 0 {
				w.pass(time.Duration(chance.Int64N(int64(10 * time.Minute))))
				w.holds(t, 0, time.Hour)
			}
			if t.Failed() {
				return
			}
		}
		w.narrows(t, chance, slow)
	})
}

// asksSomehow is an exchange in which the machine may stand still or be set, a little.
func (w *world) asksSomehow(chance *rand.Rand, slow time.Duration) {
	asked := w.clock.Moment()
	w.pass(time.Duration(chance.Int64N(int64(slow))))
	date := w.true.Truncate(time.Second)
	switch chance.IntN(10) {
	case 0:
		w.freeze(time.Duration(chance.Int64N(int64(240 * time.Millisecond))))
	case 1:
		w.wall = w.wall.Add(time.Duration(chance.Int64N(int64(480*time.Millisecond))) - 240*time.Millisecond)
	}
	w.pass(time.Duration(chance.Int64N(int64(slow))))
	w.clock.Heard(asked, date)
}

// narrows: once the store's clock has ticked between two answers, what is not
// known is how long they were under way, and a few milliseconds.
func (w *world) narrows(t *testing.T, chance *rand.Rand, slow time.Duration) {
	t.Helper()
	slow = min(slow, 50*time.Millisecond)
	for end := w.true.Add(2 * time.Second); w.true.Before(end); w.pass(time.Millisecond) {
		w.ask(time.Duration(chance.Int64N(int64(slow))), time.Duration(chance.Int64N(int64(slow))), 0)
		w.holds(t, 0, time.Hour)
	}
	// Between the last answer before the tick and the first after it: two round trips at most.
	w.holds(t, 0, 4*slow+5*time.Millisecond)
}
