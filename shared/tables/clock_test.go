package tables_test

import (
	"net/http"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/tables"
)

// world has the true time, which is the store's, and a machine whose clocks go
// wrong in their own ways. Both count seconds as Unix does: neither daylight
// saving nor the name of a leap second can come up, only how long a second is.
type world struct {
	true  time.Time
	wall  time.Time     // as people set it
	since time.Duration // as nobody can set it
	rate  float64       // of the machine's clocks: 1 is right
	clock *tables.Clock
}

func newWorld(at time.Time) *world {
	w := &world{true: at, wall: at.Add(-17 * time.Hour), since: 3 * time.Hour, rate: 1}
	w.clock = tables.NewClock(func() (time.Time, time.Duration) { return w.wall, w.since })
	return w
}

// pass is time that both clocks of the machine see.
func (w *world) pass(d time.Duration) {
	w.true = w.true.Add(d)
	mine := time.Duration(float64(d) * w.rate)
	w.wall, w.since = w.wall.Add(mine), w.since+mine
}

// freeze is time that the monotonic clock doesn't see.
func (w *world) freeze(d time.Duration) { w.true, w.wall = w.true.Add(d), w.wall.Add(d) }

// ask is one exchange, with a store whose clock is off by so much.
func (w *world) ask(there, back, off time.Duration) {
	asked := w.clock.Moment()
	w.pass(there)
	date := w.true.Add(off).Truncate(time.Second)
	w.pass(back)
	w.clock.Heard(asked, date)
}

// holds wants the true time, with the store off by so much, to be within bounds no wider than that.
func (w *world) holds(t testing.TB, off, wide time.Duration) {
	t.Helper()
	lo, hi, ok := w.clock.Bounds()
	if now := w.true.Add(off); !ok || now.Before(lo) || now.After(hi) || hi.Sub(lo) > wide {
		t.Errorf("got from %s to %s of now (%t), %s wide, want now in between and %s at most", lo.Sub(now), hi.Sub(now), ok, hi.Sub(lo), wide)
	}
}

func (w *world) unknown(t testing.TB, when string) {
	t.Helper()
	if lo, hi, ok := w.clock.Bounds(); ok {
		t.Errorf("%s: got %s to %s, want nothing known", when, lo, hi)
	}
}

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 300_000_000, time.UTC) }

func TestOneAnswerTellsTheTimeToASecondAndItsRoundTrip(t *testing.T) {
	w := newWorld(noon())
	w.unknown(t, "before any answer")
	w.ask(3*time.Millisecond, 4*time.Millisecond, 0)
	w.holds(t, 0, time.Second+8*time.Millisecond)
	w.pass(time.Minute)
	w.holds(t, 0, time.Second+140*time.Millisecond)
}

func TestAnswersOnBothSidesOfATickNarrowItDown(t *testing.T) {
	w := newWorld(noon())
	for w.true.Before(noon().Add(2 * time.Second)) {
		w.ask(2*time.Millisecond, 3*time.Millisecond, 0)
	}
	w.holds(t, 0, 12*time.Millisecond)
}

// The function stays up for hours, and its clock is slewed as far as kernels do it.
func TestADriftOf900PartsPerMillionIsWithinBounds(t *testing.T) {
	for _, rate := range []float64{1 - 900e-6, 1 + 900e-6} {
		w := newWorld(noon())
		w.rate = rate
		for w.true.Before(noon().Add(2 * time.Second)) {
			w.ask(2*time.Millisecond, 3*time.Millisecond, 0)
		}
		for range 12 {
			w.pass(time.Hour) // without an answer
			w.holds(t, 0, 2*time.Minute)
		}
		for range 10_000 {
			w.pass(time.Second)
			w.ask(time.Millisecond, time.Millisecond, 0)
			w.holds(t, 0, 2*time.Minute)
		}
	}
}

// Each of these leaves the machine in doubt until the store answers again.
func TestAMachineThatCanNotBeBelievedKnowsNothing(t *testing.T) {
	for when, happens := range map[string]func(w *world){
		"the wall clock is set forward":  func(w *world) { w.wall = w.wall.Add(5 * time.Minute) },
		"the wall clock is set back":     func(w *world) { w.wall = w.wall.Add(-5 * time.Minute) },
		"the wall clock is set a little": func(w *world) { w.wall = w.wall.Add(251 * time.Millisecond) },
		"the machine was frozen":         func(w *world) { w.freeze(10 * time.Second) },
		"it was frozen many times": func(w *world) {
			w.pass(time.Second)
			w.freeze(130 * time.Millisecond)
			w.freeze(130 * time.Millisecond)
		},
		"the monotonic clock goes back":    func(w *world) { w.since -= time.Nanosecond; w.wall = w.wall.Add(-time.Nanosecond) },
		"the monotonic clock jumps":        func(w *world) { w.since += time.Minute },
		"both clocks go back":              func(w *world) { w.since -= time.Hour; w.wall = w.wall.Add(-time.Hour) },
		"the wall clock is set far beyond": func(w *world) { w.wall = w.wall.AddDate(300, 0, 0) },
	} {
		w := newWorld(noon())
		w.ask(time.Millisecond, time.Millisecond, 0)
		happens(w)
		w.unknown(t, when)
		w.ask(time.Millisecond, time.Millisecond, 0)
		w.holds(t, 0, time.Second+3*time.Millisecond)
	}
}

// Below what casts doubt, the bounds get as much wider.
func TestALittleStandstillIsWithinBounds(t *testing.T) {
	w := newWorld(noon())
	for w.true.Before(noon().Add(2 * time.Second)) {
		w.ask(2*time.Millisecond, 3*time.Millisecond, 0)
	}
	for range 20 {
		w.freeze(200 * time.Millisecond)
		w.holds(t, 0, 3*time.Second)
		w.ask(time.Millisecond, time.Millisecond, 0)
		w.holds(t, 0, 3*time.Second)
	}
	w.wall = w.wall.Add(-200 * time.Millisecond)
	w.holds(t, 0, 3*time.Second)
}

// An answer that comes after the machine stood still may be as old as that.
func TestAnAnswerFromBeforeAStandstillTellsNothing(t *testing.T) {
	w := newWorld(noon())
	asked := w.clock.Moment()
	w.pass(time.Millisecond)
	date := w.true.Truncate(time.Second)
	w.freeze(10 * time.Second)
	w.pass(time.Millisecond)
	w.clock.Heard(asked, date)
	w.unknown(t, "after an old answer")
	w.ask(time.Millisecond, time.Millisecond, 0)
	w.holds(t, 0, time.Second+3*time.Millisecond)
}

func TestWhereTheStoresClockWasSetTheNewerAnswerWins(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour, 2 * time.Second, -2 * time.Second} {
		w := newWorld(noon())
		w.ask(time.Millisecond, time.Millisecond, 0)
		w.pass(time.Second)
		w.ask(time.Millisecond, time.Millisecond, off)
		w.holds(t, off, time.Second+3*time.Millisecond)
	}
	for _, off := range []time.Duration{700 * time.Millisecond, -700 * time.Millisecond, 300 * time.Millisecond, -300 * time.Millisecond} {
		w := newWorld(noon()) // by less than a second: it shows at the next tick
		for w.true.Before(noon().Add(2 * time.Second)) {
			w.ask(2*time.Millisecond, 3*time.Millisecond, 0)
		}
		for w.true.Before(noon().Add(5 * time.Second)) {
			w.ask(2*time.Millisecond, 3*time.Millisecond, off)
		}
		w.holds(t, off, 20*time.Millisecond)
	}
}

// A leap second that is smeared over a day is a drift of 12 parts per million; one
// that is smeared over a minute is a clock that is set, again and again.
func TestALeapSecondThatIsSmearedIsWithinBoundsOrFollowed(t *testing.T) {
	for _, over := range []time.Duration{24 * time.Hour, time.Minute} {
		w := newWorld(noon())
		smear := func() time.Duration { return -min(time.Second, w.true.Sub(noon())*time.Second/over) }
		for w.true.Before(noon().Add(over)) {
			w.pass(over / 10_000)
			w.ask(2*time.Millisecond, 3*time.Millisecond, smear())
			if over > time.Hour {
				w.holds(t, smear(), 4*time.Second)
			}
		}
		for end := w.true.Add(2 * time.Second); w.true.Before(end); {
			w.ask(2*time.Millisecond, 3*time.Millisecond, -time.Second)
		}
		w.holds(t, -time.Second, 20*time.Millisecond)
	}
}

// remark answers with what it is told to say of the date.
type remark struct {
	http.RoundTripper
	date []string
}

func (r remark) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.RoundTripper.RoundTrip(req)
	if err == nil && r.date != nil {
		resp.Header["Date"] = r.date
	}
	return resp, err
}

func TestAnAnswerWithoutADateTellsNoTime(t *testing.T) {
	_, service := standIn(t, storage.Options{})
	for _, date := range [][]string{{}, {""}, {"soon"}, {"1764158400"}, {"2026-11-26T12:00:00Z"}, {"Thu, 26 Nov 2026 12:00:00 CET"}, {"Thu, 31 Nov 2026 12:00:00 GMT"}} {
		a, err := tables.Open(tables.Options{Address: shared(service), Transport: remark{transport(t), date}, Now: time.Now, Try: patient})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Table("things").Put(t.Context(), counted(one, 1)); err != nil {
			t.Errorf("%q: got %v, want the row written all the same", date, err)
		}
		if _, _, known := a.Clock().Bounds(); known {
			t.Errorf("%q: got a time, want none", date)
		}
	}
}

// What the store says of the time counts whatever else it says.
func TestEachAnswerOfTheStoreTellsTheTime(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	a := open(t, shared(service), patient)
	for _, off := range []time.Duration{0, time.Hour, -time.Hour} {
		s.Offset(off)
		before := time.Now().Add(off)
		_, err := a.Table("things").Get(t.Context(), one)
		lo, hi, known := a.Clock().Bounds()
		if plain(err) != tables.ErrNotFound || !known || hi.Before(before) || lo.After(time.Now().Add(off)) || hi.Sub(lo) > patient {
			t.Errorf("off by %s: got %s to %s (%t), %v", off, lo, hi, known, err)
		}
	}
}
