// Package limits holds the promises of limits where many instances share one
// count: in a simulation of hundreds, and with real processes over Azurite.
package limits

import (
	"os"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
)

func perMinute(amount int64) *limit.Rule {
	return limittest.Rule("simulated", func(l *contract.PlannedLimit) {
		l.Amount, l.Period, l.Window, l.Quota = amount, contract.PeriodFixed, time.Minute, false
	})
}

func perHour(amount int64) *limit.Rule {
	return limittest.Rule("simulated", func(l *contract.PlannedLimit) {
		l.Amount, l.Period, l.Window = amount, contract.PeriodFixed, time.Hour
	})
}

// TestSimulated is 200 instances where real processes don't fit: hot, steady,
// bursty and idle ones, offered three times the limit.
func TestSimulated(t *testing.T) {
	base := scenario{seed: 1, instances: 200, rule: perMinute(10_000), offered: 30_000, length: 3 * time.Minute}
	for name, c := range map[string]struct {
		edit  func(*scenario)
		least float64 // of the limit, in each window
		most  float64 // transactions for 1,000 admitted calls
	}{
		"all goes well":              {func(*scenario) {}, 0.97, 800},
		"instances die":              {func(s *scenario) { s.deaths = 5 }, 0.80, 1000},
		"answers are lost":           {func(s *scenario) { s.lost = 0.05 }, 0.80, 1000},
		"clocks are wrong":           {func(s *scenario) { s.clocks = true }, 0.90, 1000},
		"everything at once":         {func(s *scenario) { s.deaths, s.lost, s.clocks = 5, 0.05, true }, 0.70, 1200},
		"a limit below their number": {func(s *scenario) { s.rule, s.offered = perMinute(100), 3000 }, 0.97, 20_000},
		"sixteen, and a large quota of an hour": {func(s *scenario) { // of a million in make prove
			n := amount(t, "TOLLGATE_QUOTA", 100_000)
			s.instances, s.rule, s.offered, s.length = 16, perHour(n), n+n*3/10, time.Hour
		}, 0.97, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := base
			c.edit(&s)
			r := simulate(t, s)
			for start, n := range r.admitted {
				if n > s.rule.Amount {
					t.Errorf("got %d admitted in the window from %d, want %d at most", n, start, s.rule.Amount)
				}
				if float64(n) < c.least*float64(s.rule.Amount) {
					t.Errorf("got %d of %d admitted in the window from %d, want %.0f %%", n, s.rule.Amount, start, 100*c.least)
				}
			}
			if cost := r.cost(); cost > c.most {
				t.Errorf("got %.1f transactions for 1,000 admitted calls, want %.0f at most", cost, c.most)
			}
			t.Logf("admitted by window: %v; offered: %v; could not be decided: %d", r.admitted, r.offered, r.unavailable)
			_, _, conflicts := r.table.Spent()
			t.Logf("%.1f transactions for 1,000 admitted calls, %.1f %% of them conflicts", r.cost(), 100*float64(conflicts)/float64(r.transactions()))
		})
	}
}

// TestTheCurve draws docs/limits.svg where it is told to: make prove does.
func TestTheCurve(t *testing.T) {
	r := simulate(t, scenario{seed: 1, instances: 200, rule: perMinute(10_000), offered: 30_000, length: 3 * time.Minute, deaths: 1})
	text := draw(r, 10_000, 3*time.Minute, time.Minute)
	if len(r.calls) < 80_000 || len(text) < 4000 {
		t.Errorf("got %d calls and a drawing of %d bytes, want the whole of three minutes", len(r.calls), len(text))
	}
	if file := os.Getenv("TOLLGATE_CURVE"); file != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
