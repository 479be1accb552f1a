package tables_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
)

// G133, G136: an instance whose clock is set by five minutes, now and then, in
// either direction, admits what its limit holds in each window of the store's
// clock: no more, and no less.
func TestG133AClockThatJumpsMovesNoWindow(t *testing.T) {
	for name, l := range map[string]func(*contract.PlannedLimit){
		"a minute's": func(l *contract.PlannedLimit) {
			l.Amount, l.Period, l.Window, l.Quota = 20, contract.PeriodFixed, time.Minute, false
		},
		"a month's": func(l *contract.PlannedLimit) { l.Amount = 20 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := limittest.Rule("jumps", l)
				if r.Period == contract.PeriodMonth { // a bubble begins with the year 2000
					time.Sleep(31*24*time.Hour - 150*time.Second)
				}
				table, began, wrong := limittest.NewTable(time.Now), time.Now(), new(atomic.Int64)
				view := table.View(func() (time.Time, time.Duration) {
					return time.Now().Round(0).Add(time.Duration(wrong.Load())), time.Since(began)
				})
				s := tables.New(view, tables.Options{Clock: view.Clock, Now: func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) }})
				admitted := map[int64]int64{}
				for i := range 600 { // five minutes
					wrong.Store(int64([]time.Duration{0, 5 * time.Minute, -5 * time.Minute, 0, 300 * time.Millisecond}[i/7%5]))
					g, err := s.Take(context.Background(), limittest.Key(r, "a"), 1)
					if err != nil {
						t.Fatal(err)
					}
					if g.OK {
						admitted[limit.Key{Rule: r}.At(time.Now()).Start]++
					}
					time.Sleep(500 * time.Millisecond)
				}
				windows, least := 0, int64(20)
				for start, n := range admitted {
					if n > r.Amount {
						t.Errorf("got %d admitted in the window of %s, want %d at most", n, time.Unix(start, 0).UTC(), r.Amount)
					}
					windows, least = windows+1, min(least, n)
				}
				if windows < 2 || least < r.Amount*8/10 {
					t.Errorf("got %v, want each window used", admitted)
				}
				synctest.Wait()
			})
		})
	}
}

// What is charged after the window has ended is charged to the next, and what is
// given back then is gone.
func TestWhatIsKnownLateIsChargedToTheWindowThatItIs(t *testing.T) {
	bubble(t, func(t *testing.T, _ *limittest.Table, s *tables.Store) {
		r := limittest.Rule("late", func(l *contract.PlannedLimit) {
			l.Amount, l.Bytes, l.Period, l.Window, l.Quota = 1000, true, contract.PeriodFixed, time.Minute, false
		})
		g, err, _ := asked(t, s, r, "a")
		if err != nil || !g.OK {
			t.Fatal(g, err)
		}
		for range 2 {
			time.Sleep(3 * time.Minute)
			if err := s.Settle(t.Context(), g, 5000); err != nil {
				t.Fatal(err)
			}
			if g, err, _ := asked(t, s, r, "a"); err != nil || g.OK {
				t.Errorf("got %+v (%v), want this window used up", g, err)
			}
		}
		time.Sleep(time.Minute)
		if err := s.Settle(t.Context(), g, -1); err != nil {
			t.Fatal(err)
		}
		if g, err, _ := asked(t, s, r, "a"); err != nil || !g.OK || g.Left != 999 {
			t.Errorf("got %+v (%v), want the next window whole, and nothing more", g, err)
		}
	})
}
