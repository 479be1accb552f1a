// Package limittest is what every limit.Store must keep to, whatever it is kept in.
package limittest

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
)

// Backing is what instances share.
type Backing struct {
	// Instance is one more instance on it; of a store that is one process's own, always the same.
	Instance func(t *testing.T) limit.Store
	// Pass moves the store's clock on; nil where it can't be moved.
	Pass func(time.Duration)
}

// Rule compiles a rule of calls for a test.
func Rule(name string, edit func(*contract.PlannedLimit)) *limit.Rule {
	l := contract.PlannedLimit{
		Name: name, Scope: "api/test", Rule: "limits.0", Amount: 1000, Period: contract.PeriodMonth, Quota: true,
		By: []contract.CountedBy{{Kind: contract.PerSubscription}},
	}
	if edit != nil {
		edit(&l)
	}
	return limit.NewRule(l)
}

// Key is the rule's count of that text. Like the gateway's own it is used for one call.
func Key(r *limit.Rule, value string) limit.Key {
	return limit.Key{Rule: r, Value: limit.Value(value)}
}

// Run holds the store to all of it. Each test begins with a backing of its own.
func Run(t *testing.T, begin func(t *testing.T) Backing) {
	for name, test := range map[string]func(*testing.T, Backing){
		"no instance passes the limit, and nearly all of it is given": exact,
		"a call of weight is one decision":                            weights,
		"what was given back may be taken again":                      givenBack,
		"what was used beyond a grant is charged":                     charged,
		"counts never share and never split":                          apart,
		"each window holds its own limit":                             windows,
		"total never begins anew":                                     total,
		"a smooth limit holds in any window":                          smooth,
		"instances count one":                                         together,
	} {
		t.Run(name, func(t *testing.T) { test(t, begin(t)) })
	}
}

func take(t *testing.T, s limit.Store, k limit.Key, n int64) limit.Grant {
	t.Helper()
	g, err := s.Take(t.Context(), k, n)
	if err != nil {
		t.Fatalf("got %v, want a decision", err)
	}
	return g
}

// exact: 8 instances, 4 callers each, who go on until they were refused five times.
func exact(t *testing.T, b Backing) {
	r := Rule("exact", nil)
	var admitted atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		s := b.Instance(t)
		for range 4 {
			all.Go(func() {
				for refused := 0; refused < 5; {
					g, err := s.Take(context.Background(), Key(r, "a"), 1)
					if err != nil {
						t.Errorf("got %v, want a decision", err)
						return
					}
					if g.OK {
						admitted.Add(1)
					} else {
						refused++
					}
				}
			})
		}
	}
	all.Wait()
	if n := admitted.Load(); n > r.Amount || n < r.Amount*97/100 {
		t.Errorf("got %d of %d admitted", n, r.Amount)
	}
}

func weights(t *testing.T, b Backing) {
	s, r := b.Instance(t), Rule("weights", func(l *contract.PlannedLimit) { l.Amount = 10 })
	if g := take(t, s, Key(r, "a"), 11); g.OK || g.Left != 10 {
		t.Errorf("got %+v, want 11 of 10 refused and all left", g)
	}
	if g := take(t, s, Key(r, "a"), 8); !g.OK || g.Left != 2 {
		t.Errorf("got %+v, want 8 granted and 2 left", g)
	}
	if g := take(t, s, Key(r, "a"), 3); g.OK {
		t.Errorf("got %+v, want 3 refused with 2 left", g)
	}
	if g := take(t, s, Key(r, "a"), 2); !g.OK || g.Left != 0 {
		t.Errorf("got %+v, want the last 2 granted", g)
	}
	if g := take(t, s, Key(r, "a"), 1); g.OK || g.Reset <= 0 {
		t.Errorf("got %+v, want a refusal that says when", g)
	}
}

func givenBack(t *testing.T, b Backing) {
	s, r := b.Instance(t), Rule("back", func(l *contract.PlannedLimit) { l.Amount = 2 })
	take(t, s, Key(r, "a"), 1)
	g := take(t, s, Key(r, "a"), 1)
	if again := take(t, s, Key(r, "a"), 1); again.OK {
		t.Errorf("got %+v, want a third call refused", again)
	}
	if err := s.Settle(t.Context(), g, -1); err != nil {
		t.Fatal(err)
	}
	if again := take(t, s, Key(r, "a"), 1); !again.OK {
		t.Errorf("got %+v, want what was given back", again)
	}
	if again := take(t, s, Key(r, "a"), 1); again.OK {
		t.Errorf("got %+v, want it given once", again)
	}
}

// charged: bytes are known only once they were sent.
func charged(t *testing.T, b Backing) {
	s, r := b.Instance(t), Rule("charged", func(l *contract.PlannedLimit) { l.Amount, l.Bytes = 1000, true })
	g := take(t, s, Key(r, "a"), 1)
	if err := s.Settle(t.Context(), g, 599); err != nil {
		t.Fatal(err)
	}
	if g = take(t, s, Key(r, "a"), 1); !g.OK || g.Left != 399 {
		t.Errorf("got %+v, want 399 left", g)
	}
	if err := s.Settle(t.Context(), g, 10_000); err != nil {
		t.Fatal(err)
	}
	other := b.Instance(t)
	// Nobody waits for a charge, so it takes a moment.
	for began := time.Now(); time.Since(began) < 5*time.Second; {
		if g = take(t, other, Key(r, "a"), 1); !g.OK {
			break
		}
	}
	if g.OK || g.Left != 0 {
		t.Errorf("got %+v, want nothing left for anyone", g)
	}
}

// apart: G130. Values that a store could confuse, each with a limit of one.
func apart(t *testing.T, b Backing) {
	s, r := b.Instance(t), Rule("apart", func(l *contract.PlannedLimit) { l.Amount = 1 })
	long := strings.Repeat("7", 2048)
	values := []string{
		"", " ", "a", "A", "a/b", "a\\b", "a#b", "a?b", "a%2Fb", "a'b", "a''b", "a\x00b", "a\nb", "a\x7f", "é", "e\u0301", "\u2028", "ａ",
		long, long + "x", long[1:], "a ", " a", "a\tb", "..", "-", "_", "smooth", "clock", "\xff",
	}
	for _, v := range values {
		if g := take(t, s, Key(r, v), 1); !g.OK {
			t.Errorf("%q shares a count with another", v)
		}
	}
	other := b.Instance(t)
	for _, v := range values {
		if g := take(t, other, Key(r, v), 1); g.OK {
			t.Errorf("%q has two counts", v)
		}
	}
	if g := take(t, s, Key(Rule("apart2", func(l *contract.PlannedLimit) { l.Amount = 1 }), "a"), 1); !g.OK {
		t.Error("two rules share a count")
	}
}

// windows: a second after the other, calls as fast as they go; no window ever
// holds more than its own, and the next begins anew.
func windows(t *testing.T, b Backing) {
	r := Rule("windows", func(l *contract.PlannedLimit) {
		l.Amount, l.Period, l.Window, l.Quota = 20, contract.PeriodFixed, time.Second, false
	})
	stores := []limit.Store{b.Instance(t), b.Instance(t), b.Instance(t)}
	admitted := map[limit.Window]int64{}
	for i := 0; len(admitted) < 4; i++ {
		g := take(t, stores[i%len(stores)], Key(r, "a"), 1)
		if g.Reset > 2*time.Second || g.Reset < 0 {
			t.Fatalf("got a reset in %s, want one within the window", g.Reset)
		}
		if g.OK {
			admitted[g.Window]++
		}
		if b.Pass != nil {
			b.Pass(3 * time.Millisecond)
		}
	}
	for w, n := range admitted {
		if n > r.Amount {
			t.Errorf("got %d admitted in %+v, want %d at most", n, w, r.Amount)
		}
	}
}

func total(t *testing.T, b Backing) {
	s, r := b.Instance(t), Rule("total", func(l *contract.PlannedLimit) { l.Amount, l.Period = 2, contract.PeriodTotal })
	take(t, s, Key(r, "a"), 1)
	if g := take(t, s, Key(r, "a"), 1); !g.OK || g.Reset != 0 {
		t.Errorf("got %+v, want the second granted and no reset", g)
	}
	if b.Pass != nil {
		b.Pass(400 * 24 * time.Hour)
	}
	if g := take(t, s, Key(r, "a"), 1); g.OK || g.Reset != 0 {
		t.Errorf("got %+v, want a refusal for good", g)
	}
}

// smooth: whatever the traffic, no window holds more than 5 % over the rate, and
// it is used.
func smooth(t *testing.T, b Backing) {
	r := Rule("smooth", func(l *contract.PlannedLimit) {
		l.Amount, l.Period, l.Window, l.Quota, l.Smooth = 200, contract.PeriodFixed, 20*time.Second, false, true
	})
	stores := []limit.Store{b.Instance(t), b.Instance(t)}
	most := r.Amount * 105 / 100
	if b.Pass == nil {
		// The beginning of a window is all there is time for. An instance that has just
		// met the store knows its time to a second, and charges both slots that it may be.
		admitted, slots := int64(0), map[limit.Window]bool{}
		for i := 0; len(slots) < 4; i++ {
			g := take(t, stores[i%2], Key(r, "a"), 1)
			slots[g.Window] = true
			if g.OK {
				admitted++
			}
		}
		if admitted > most || admitted < r.Amount/3 {
			t.Errorf("got %d admitted at once, want %d at most, and a third of it at least", admitted, most)
		}
		return
	}
	times := traffic(t, b, stores, r)
	first := 0
	for i, at := range times {
		for at-times[first] >= 20*time.Second {
			first++
		}
		if n := int64(i - first + 1); n > most {
			t.Fatalf("got %d in the 20 s up to %s, want %d at most", n, at, most)
		}
	}
	if len(times) < 400 {
		t.Errorf("got %d admitted in all, want the limit to be used", len(times))
	}
}

// traffic is five times the rate, with silence between, so that bursts meet old
// slots. It tells when calls were admitted.
func traffic(t *testing.T, b Backing, stores []limit.Store, r *limit.Rule) (times []time.Duration) {
	const step = 20 * time.Millisecond
	for now, i := time.Duration(0), 0; now < 90*time.Second; now, i = now+step, i+1 {
		if now/(15*time.Second)%2 == 0 && take(t, stores[i%2], Key(r, "a"), 1).OK {
			times = append(times, now)
		}
		b.Pass(step)
	}
	return times
}

func together(t *testing.T, b Backing) {
	r := Rule("together", func(l *contract.PlannedLimit) { l.Amount = 30 })
	one, other := b.Instance(t), b.Instance(t)
	for range 15 {
		take(t, one, Key(r, "a"), 1)
	}
	granted := 0
	for range 30 {
		if take(t, other, Key(r, "a"), 1).OK {
			granted++
		}
	}
	// What the first holds and didn't spend is its own until the window ends.
	if granted > 15 || granted < 8 {
		t.Errorf("got %d of the rest, want most of 15", granted)
	}
}
