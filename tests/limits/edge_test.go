package limits

import (
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
)

// busiest is the most calls that were admitted in any span of that length.
func (r *result) busiest(span time.Duration) (most int64) {
	var admitted []time.Duration
	for _, c := range r.calls {
		if c.admitted {
			admitted = append(admitted, c.at)
		}
	}
	first := 0
	for i, at := range admitted {
		for at-admitted[first] >= span {
			first++
		}
		most = max(most, int64(i-first+1))
	}
	return most
}

func rate(amount int64, window time.Duration, smooth bool) *limit.Rule {
	return limittest.Rule("edge", func(l *contract.PlannedLimit) {
		l.Amount, l.Period, l.Window, l.Quota, l.Smooth = amount, contract.PeriodFixed, window, false, smooth
	})
}

// G127: bursts at the edges of windows, by instances with wrong clocks. A fixed
// window holds its limit, and two that meet no more than two limits; any window
// of a smooth one 5 % over it at the most.
func TestTheEdgesOfWindows(t *testing.T) {
	for name, c := range map[string]struct {
		rule   *limit.Rule
		within int64   // any span of the window's length
		least  float64 // of what could be admitted in all
	}{
		"a second":            {rate(50, time.Second, false), 100, 0.5},
		"ten seconds":         {rate(500, 10*time.Second, false), 1000, 0.85},
		"a minute":            {rate(3000, time.Minute, false), 6000, 0.8},
		"a smooth minute":     {rate(3000, time.Minute, true), 3150, 0.7},
		"ten smooth seconds":  {rate(500, 10*time.Second, true), 525, 0.5},
		"a smooth small rate": {rate(40, time.Minute, true), 42, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const length = 3 * time.Minute
			windows := int64(length / c.rule.Window)
			r := simulate(t, scenario{seed: 3, instances: 20, rule: c.rule, offered: 3 * c.rule.Amount, length: length, clocks: true, deaths: 0.2})
			var admitted int64
			for start, n := range r.admitted {
				if admitted += n; !c.rule.Smooth && n > c.rule.Amount {
					t.Errorf("got %d in the window from %d, want %d at most", n, start, c.rule.Amount)
				}
			}
			most := r.busiest(c.rule.Window)
			if most > c.within {
				t.Errorf("got %d in some %s, want %d at most", most, c.rule.Window, c.within)
			}
			if could := float64(windows * c.rule.Amount); float64(admitted) < c.least*could {
				t.Errorf("got %d admitted, want %.0f %% of %.0f", admitted, 100*c.least, could)
			}
			t.Logf("%d admitted of %d that could be, in the busiest %s %d; %.0f transactions for 1,000", admitted, windows*c.rule.Amount, c.rule.Window, most, r.cost())
		})
	}
}
