package tables_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	rows "tollgate/shared/tables"
	"tollgate/tests/azurite"
)

// kept is an instance on the stand-in, who looks after its table, and a clock that tests move.
func kept(t *testing.T) (limit.Store, tables.Keeping, *storage.Storage, func(time.Duration)) {
	t.Helper()
	passed := new(atomic.Int64)
	now := func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	s := storage.New(storage.Options{Key: azurite.Key, Now: now})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	a := open(t, server.URL+"/"+storage.DefaultAccount, storage.DefaultAccount, azurite.Key, now)
	return tables.New(a.Table(tables.Name), tables.Options{Clock: a.Clock(), Now: now, Try: 5 * time.Second}),
		tables.Keeping{Rows: a.Table(tables.Name), Clock: a.Clock()}, s, func(d time.Duration) { passed.Add(int64(d)) }
}

func uses(t *testing.T, k tables.Keeping) map[string]tables.Use {
	t.Helper()
	all := map[string]tables.Use{}
	for u, err := range k.Uses(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[u.Name] = u
	}
	return all
}

func TestUses(t *testing.T) {
	s, k, _, pass := kept(t)
	if all := uses(t, k); len(all) != 0 {
		t.Errorf("got %v of an empty store", all)
	}
	monthly := limittest.Rule("monthly", nil)
	smooth := limittest.Rule("smooth", func(l *contract.PlannedLimit) {
		l.Amount, l.Period, l.Window, l.Smooth = 100, contract.PeriodFixed, 20*time.Second, true
	})
	pass(time.Minute) // the clock's first second is over
	for range 3 {
		take(t, s, limittest.Key(monthly, "s1"))
		take(t, s, limittest.Key(smooth, "s1"))
	}
	all := uses(t, k)
	m, sm := all["monthly"], all["smooth"]
	if m.Used < 3 || m.Most != 1000 || m.Scope != "api/test" || len(m.By) != 1 || m.By[0] != [2]string{"subscription", "s1"} || m.Ends == nil || m.Ends.Day() != 1 {
		t.Errorf("got %+v, want the month's use of s1", m)
	}
	if sm.Used < 3 || sm.Most != 100 || !sm.Smooth {
		t.Errorf("got %+v, want the use of the last 20 seconds", sm)
	}
	pass(40 * time.Second)
	take(t, s, limittest.Key(monthly, "s2")) // tells the time
	if sm := uses(t, k)["smooth"]; sm.Used != 0 {
		t.Errorf("got %+v, want nothing of it left after 40 seconds", sm)
	}
}

func take(t *testing.T, s limit.Store, k limit.Key) limit.Grant {
	t.Helper()
	g, err := s.Take(t.Context(), k, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAResetIsNoticed(t *testing.T) {
	s, k, _, pass := kept(t)
	r := limittest.Rule("small", func(l *contract.PlannedLimit) { l.Amount = 2 })
	for range 2 {
		take(t, s, limittest.Key(r, "a"))
	}
	if take(t, s, limittest.Key(r, "a")).OK {
		t.Fatal("got a third call of two")
	}
	if err := k.Reset(t.Context(), uses(t, k)["small"]); err != nil {
		t.Fatal(err)
	}
	pass(time.Minute + time.Second)
	if !take(t, s, limittest.Key(r, "a")).OK {
		t.Error("got it refused a minute after the reset")
	}
}

// Only what has ended goes, so many at a time, and a smooth count that is used again stays.
func TestSweep(t *testing.T) {
	s, k, store, pass := kept(t)
	minute := limittest.Rule("minute", func(l *contract.PlannedLimit) { l.Period, l.Window = contract.PeriodFixed, time.Minute })
	smooth := limittest.Rule("smooth", func(l *contract.PlannedLimit) {
		l.Period, l.Window, l.Smooth = contract.PeriodFixed, 10*time.Second, true
	})
	total := limittest.Rule("total", func(l *contract.PlannedLimit) { l.Period = contract.PeriodTotal })
	for _, who := range []string{"a", "b", "c", "d", "e"} {
		for _, r := range []*limit.Rule{minute, smooth, total} {
			take(t, s, limittest.Key(r, who))
		}
	}
	if n, err := k.Sweep(t.Context(), 100); n != 0 || err != nil {
		t.Errorf("got %d removed (%v) while all count, want none", n, err)
	}
	pass(5 * time.Minute)
	take(t, s, limittest.Key(smooth, "a"))
	take(t, s, limittest.Key(minute, "a"))
	for _, want := range []int{3, 3, 3, 0} {
		if n, err := k.Sweep(t.Context(), 3); n != want || err != nil {
			t.Errorf("got %d removed (%v), want %d", n, err, want)
		}
	}
	all := 0
	for _, err := range k.Rows.List(t.Context(), rows.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all++
	}
	if all != 7 { // a's minute and smooth, and five totals
		t.Errorf("got %d rows left, want 7", all)
	}
	before := store.Operations().Total()
	if n, err := k.Sweep(t.Context(), 500); n != 0 || err != nil || store.Operations().Total()-before > 4 {
		t.Errorf("got %d removed (%v) for %d operations, want none for next to none", n, err, store.Operations().Total()-before)
	}
}

func TestSweepFailsWithTheStore(t *testing.T) {
	s, k, store, _ := kept(t)
	take(t, s, limittest.Key(limittest.Rule("r", nil), "a"))
	store.Fail(faults.Fault{Kind: storage.Busy})
	if _, err := k.Sweep(t.Context(), 10); err == nil {
		t.Error("got no error of a store that is down")
	}
}

// Rows go several at a time: one after the other, a thousand callers' minutes would outgrow the timer.
func TestSweepIsNotOneByOne(t *testing.T) {
	s, k, store, pass := kept(t)
	minute := limittest.Rule("minute", func(l *contract.PlannedLimit) { l.Period, l.Window = contract.PeriodFixed, time.Minute })
	for i := range 200 {
		take(t, s, limittest.Key(minute, strconv.Itoa(i)))
	}
	pass(5 * time.Minute)
	store.Fail(faults.Fault{Kind: faults.Slow, Delay: 10 * time.Millisecond})
	began := time.Now()
	if n, err := k.Sweep(t.Context(), 150); n != 150 || err != nil {
		t.Errorf("got %d removed (%v), want 150", n, err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("got %v for 150 rows of 10ms each", took)
	}
}

// What people read of a value is short however it is chosen: instances hold a hundred thousand of them.
func TestWhatPeopleReadIsShort(t *testing.T) {
	s, k, _, _ := kept(t)
	for _, value := range []string{strings.Repeat("<", 8000), strings.Repeat("&>", 300), strings.Repeat("é", 4000), strings.Repeat("\xff", 300)} {
		take(t, s, limittest.Key(limittest.Rule("long", nil), value))
	}
	n := 0
	for row, err := range k.Rows.List(t.Context(), rows.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if by := row.Fields.Text("By"); len(by) > 300 || !strings.Contains(by, "…") {
			t.Errorf("got %d bytes: %.400s", len(by), by)
		}
		n++
	}
	if n != 4 {
		t.Errorf("got %d counts, want 4", n)
	}
}
