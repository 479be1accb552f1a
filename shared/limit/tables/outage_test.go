package tables_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	machine "tollgate/shared/tables"
)

// budget is how long a decision may take: two tries of the store.
const budget = 2 * machine.DefaultTry

var errDown = errors.New("the store answered 503 ServerBusy")

// bubble is one instance before a table, in a bubble's time.
func bubble(t *testing.T, test func(t *testing.T, table *limittest.Table, s *tables.Store)) {
	synctest.Test(t, func(t *testing.T) {
		table := limittest.NewTable(time.Now)
		view := table.View(machine.MachineOf(time.Now))
		test(t, table, tables.New(view, tables.Options{Clock: view.Clock, Now: time.Now}))
		synctest.Wait()
	})
}

// asked is one decision and what it took.
func asked(t *testing.T, s *tables.Store, r *limit.Rule, value string) (g limit.Grant, err error, took time.Duration) {
	t.Helper()
	began := time.Now()
	g, err = s.Take(context.Background(), limittest.Key(r, value), 1)
	return g, err, time.Since(began)
}

// G131: whatever the store does, a decision is there in time, and soon at once.
func TestASlowStoreMakesNoSlowGateway(t *testing.T) {
	for name, meet := range map[string]func(writes bool) error{
		"it answers 503":         func(bool) error { return errDown },
		"it answers after 250ms": func(bool) error { time.Sleep(machine.DefaultTry); return errors.New("the store didn't answer in time") },
		"it hangs":               func(bool) error { time.Sleep(10 * time.Second); return errDown },
		"it can't be written":    func(writes bool) error { return map[bool]error{true: errDown}[writes] },
		"others are quicker": func(writes bool) error {
			time.Sleep(5 * time.Millisecond)
			return map[bool]error{true: machine.ErrChanged}[writes]
		},
		"the row comes and goes": func(writes bool) error {
			time.Sleep(5 * time.Millisecond)
			return map[bool]error{true: machine.ErrNotFound}[writes]
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
				r := limittest.Rule("outage", nil)
				table.Meet(meet, nil)
				var total time.Duration
				for i := range 1000 {
					_, err, took := asked(t, s, r, "a")
					if down, ok := errors.AsType[*limit.Unavailable](err); !ok || down.Wait <= 0 {
						t.Fatalf("got %v, want it to say that the store can't be asked, and for how long", err)
					}
					if took > budget+50*time.Millisecond {
						t.Fatalf("got a decision after %s, want one within %s", took, budget)
					}
					if i > 0 {
						total += took
					}
				}
				if total > 50*budget {
					t.Errorf("got %s spent waiting by 999 calls after the first, want next to none", total)
				}
				table.Meet(nil, nil)
				time.Sleep(12 * time.Second)
				if g, err, _ := asked(t, s, r, "a"); err != nil || !g.OK {
					t.Errorf("got %+v (%v), want the store asked again once it answers", g, err)
				}
			})
		})
	}
}

func TestWhatIsHeldIsSpentDuringAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("held", func(l *contract.PlannedLimit) { l.Amount, l.Period, l.Window = 1000, contract.PeriodFixed, time.Minute })
		for range 30 { // enough to be given a block
			asked(t, s, r, "a")
		}
		table.Meet(func(bool) error { return errDown }, nil)
		n := 0
		for {
			g, err, _ := asked(t, s, r, "a")
			if err != nil {
				break
			}
			if g.OK {
				n++
			}
		}
		if n == 0 {
			t.Error("got nothing from the block that was held")
		}
		// It ends with its window all the same.
		table.Meet(nil, nil)
		for range 30 {
			asked(t, s, r, "b")
		}
		table.Meet(func(bool) error { return errDown }, nil)
		time.Sleep(time.Minute)
		if g, err, _ := asked(t, s, r, "b"); err == nil {
			t.Errorf("got %+v from a window that is over, want none", g)
		}
	})
}

// A write whose answer is lost may have happened: its units are not spent.
func TestALostAnswerIsNeverSpent(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("lost", func(l *contract.PlannedLimit) { l.Amount = 10 })
		lose := true
		table.Meet(nil, func(writes bool) error {
			if writes && lose {
				return errDown
			}
			return nil
		})
		granted := 0
		for i := range 100 {
			lose = i%2 == 0
			if g, err, _ := asked(t, s, r, "a"); err == nil && g.OK {
				granted++
			}
			time.Sleep(11 * time.Second)
		}
		if granted > 10 || granted < 3 {
			t.Errorf("got %d granted of 10", granted)
		}
	})
}

// One debit is under way for a count, however many calls wait for it.
func TestCallsShareADebit(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("share", func(l *contract.PlannedLimit) { l.Amount = 100_000 })
		asked(t, s, r, "warm") // the clock is known
		readBefore, writtenBefore, _ := table.Spent()
		table.Meet(func(bool) error { time.Sleep(10 * time.Millisecond); return nil }, nil)
		done := make(chan limit.Grant, 500)
		for range 500 {
			go func() {
				g, _, _ := asked(t, s, r, "a")
				done <- g
			}()
		}
		for range 500 {
			if g := <-done; !g.OK {
				t.Error("got a call refused")
			}
		}
		read, written, _ := table.Spent()
		if read -= readBefore; read > 3 || written-writtenBefore > 3 {
			t.Errorf("got %d reads and %d writes for 500 calls at once, want one or two", read, written-writtenBefore)
		}
	})
}

// A caller who left doesn't end the debit that others wait for.
func TestACallerWhoLeftEndsNoDebit(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("left", nil)
		asked(t, s, r, "warm")
		table.Meet(func(bool) error { time.Sleep(100 * time.Millisecond); return nil }, nil)
		ctx, leave := context.WithCancel(context.Background())
		gone := make(chan error, 1)
		go func() {
			_, err := s.Take(ctx, limittest.Key(r, "a"), 1)
			gone <- err
		}()
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the caller's own end", err)
		}
		if g, err, took := asked(t, s, r, "a"); err != nil || !g.OK || took > 250*time.Millisecond {
			t.Errorf("got %+v (%v) after %s, want what the debit under way gets", g, err, took)
		}
	})
}

// However many exchanges a call needs (the time, one side of an edge, the other), it waits for two tries.
func TestACallWaitsForTwoTriesInAll(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("slow", func(l *contract.PlannedLimit) {
			l.Amount, l.Period, l.Window = 1000, contract.PeriodFixed, 2*time.Second
		})
		table.Meet(func(bool) error { time.Sleep(200 * time.Millisecond); return nil }, nil)
		granted, most := 0, time.Duration(0)
		for range 200 {
			g, err, took := asked(t, s, r, "a")
			if most = max(most, took); err == nil && g.OK {
				granted++
			}
			time.Sleep(37 * time.Millisecond)
		}
		if most > budget+50*time.Millisecond {
			t.Errorf("got a decision after %s, want each within %s", most, budget)
		}
		time.Sleep(time.Second) // what is under way lands
		if granted < 50 {
			t.Errorf("got %d granted of 200, want what the slow store lets through", granted)
		}
	})
}

// What is charged while a debit is under way is debited too, though nobody asks again.
func TestWhatIsChargedDuringADebitIsDebited(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("late", func(l *contract.PlannedLimit) { l.Amount, l.Bytes = 1000, true })
		g, err, _ := asked(t, s, r, "a")
		if err != nil || !g.OK {
			t.Fatal(g, err)
		}
		table.Meet(func(writes bool) error {
			if writes {
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		}, nil)
		done := make(chan struct{})
		ctx, leave := context.WithCancel(context.Background())
		go func() { defer close(done); _, _ = s.Take(ctx, limittest.Key(r, "a"), 1) }() // a debit, of a caller who leaves
		synctest.Wait()
		leave()
		if err := s.Settle(context.Background(), g, 900); err != nil {
			t.Fatal(err)
		}
		<-done
		time.Sleep(time.Second)
		view := table.View(machine.MachineOf(time.Now))
		other := tables.New(view, tables.Options{Clock: view.Clock, Now: time.Now})
		got, err, _ := asked(t, other, r, "a")
		if err != nil || got.Left > 100 {
			t.Errorf("got %+v (%v), want another instance to know of the 900", got, err)
		}
	})
}

// Nobody waits for a charge: the answer isn't over before it.
func TestAChargeKeepsNoAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("after", func(l *contract.PlannedLimit) { l.Amount, l.Bytes = 1000, true })
		g, err, _ := asked(t, s, r, "a")
		if err != nil {
			t.Fatal(err)
		}
		table.Meet(func(bool) error { time.Sleep(200 * time.Millisecond); return nil }, nil)
		began := time.Now()
		_ = s.Settle(context.Background(), g, 500)
		if took := time.Since(began); took > 0 {
			t.Errorf("got a charge that took %s, want none to wait for the store", took)
		}
		time.Sleep(time.Second)
	})
}

// One count whose row can't be read is no outage of the others, and lets nobody through.
func TestOneUnreadableRowIsNoOutage(t *testing.T) {
	bubble(t, func(t *testing.T, table *limittest.Table, s *tables.Store) {
		r := limittest.Rule("edited", nil)
		asked(t, s, r, "a")
		view := table.View(machine.MachineOf(time.Now))
		edited := tables.New(edits{view}, tables.Options{Clock: view.Clock, Now: time.Now})
		for range 3 {
			if g, err, _ := asked(t, edited, r, "a"); err == nil || g.OK {
				t.Errorf("got %+v (%v) of a row that doesn't say what is used, want no decision", g, err)
			}
			if g, err, _ := asked(t, edited, r, "b"); err != nil || !g.OK {
				t.Errorf("got %+v (%v) of another count, want it granted", g, err)
			}
		}
	})
}

// edits is a table whose rows somebody edited by hand.
type edits struct{ limittest.View }

func (e edits) Get(ctx context.Context, key machine.Key) (machine.Row, error) {
	row, err := e.View.Get(ctx, key)
	if by := row.Fields.Text("By"); strings.Contains(by, `"a"`) {
		row.Fields["Used"] = "0"
	}
	return row, err
}
