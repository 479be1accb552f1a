package tables_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	"tollgate/shared/pipeline"
	machine "tollgate/shared/tables"
)

// A decision from a held block takes no memory, nor does all that surrounds it.
func TestADecisionAllocatesNothing(t *testing.T) {
	rows, clock := shared()
	view := rows.View(machine.MachineOf(rows.Now))
	s, r := tables.New(view, tables.Options{Clock: view.Clock, Now: rows.Now}), limittest.Rule("allocs", func(l *contract.PlannedLimit) { l.Amount = 1 << 50 })
	for name, value := range map[string]string{"a GUID": "entra/11111111-1111-1111-1111-111111111111", "nothing": "", "what is no longer kept whole": strings.Repeat("x", 10<<10)} {
		key := limittest.Key(r, value)
		if _, err := s.Take(t.Context(), key, 1); err != nil {
			t.Fatal(err)
		}
		clock.Add(int64(20 * time.Millisecond)) // now the rate is known, and a block is large
		take := func() {
			if g, err := s.Take(context.Background(), key, 1); err != nil || !g.OK {
				t.Error(g, err)
			}
		}
		for range 10_000 {
			take()
		}
		if n := testing.AllocsPerRun(200, take); n != 0 {
			t.Errorf("%s: got %v allocations, want none", name, n)
		}
	}
}

// forgetful is a table that takes everything and remembers nothing.
type forgetful struct {
	clock  *machine.Clock
	writes int
}

func (f *forgetful) answer() { f.clock.Heard(f.clock.Moment(), time.Now().Truncate(time.Second)) }

func (f *forgetful) Get(context.Context, machine.Key) (machine.Row, error) {
	f.answer()
	return machine.Row{}, machine.ErrNotFound
}

func (f *forgetful) Insert(_ context.Context, _ machine.Row) (string, error) {
	f.answer()
	f.writes++
	return "1", nil
}

func (f *forgetful) Replace(_ context.Context, _ machine.Row) (string, error) {
	f.answer()
	f.writes++
	return "1", nil
}

// Whoever chooses what is counted by can't fill the memory: with as many values
// as they like, each as long as a header may be. TOLLGATE_VALUES says how many.
func TestAFloodOfValuesIsBounded(t *testing.T) {
	n := 110_000 // more than are kept
	if text := os.Getenv("TOLLGATE_VALUES"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	clock := machine.NewClock(machine.MachineOf(time.Now))
	rows := &forgetful{clock: clock}
	store := tables.New(rows, tables.Options{Clock: clock, Now: time.Now, Try: 10 * time.Second}) // a loaded machine is no outage
	l := contract.PlannedLimit{Name: "l", Amount: 1000, Period: contract.PeriodFixed, Window: time.Minute, By: []contract.CountedBy{{Kind: contract.PerHeader, Names: []string{"X-Team"}}}}
	spend := limit.NewSet(&contract.Plan{}, limit.Stores{Shared: store}).
		Spend(contract.PlannedAPI{}, contract.PlannedOperation{Weight: 1, Limits: []contract.PlannedLimit{l}})
	long := strings.Repeat("x", 4<<10)
	// Somebody's block outlasts it: what is held is let go of last.
	held := limittest.Key(limittest.Rule("held", func(l *contract.PlannedLimit) { l.Amount = 1 << 50 }), "a")
	for range 10_000 {
		if g, err := store.Take(t.Context(), held, 1); err != nil || !g.OK {
			t.Fatal(g, err)
		}
	}
	before, most := heap(), uint64(0)
	for i := range n {
		call := &pipeline.Call{Request: &http.Request{Header: http.Header{"X-Team": {fmt.Sprint(i, long)}}}}
		if refused := spend(t.Context(), call); refused != nil {
			t.Fatal(i, refused.Code, refused.Cause())
		}
		if i%22_000 == 21_999 {
			most = max(most, heap())
		}
	}
	grown := int64(most-before) >> 20
	t.Logf("%d values of 4 KiB: the heap grew by %d MiB at most", n, grown)
	if most > before && grown > 160 {
		t.Errorf("got the heap grown by %d MiB, want it bounded", grown)
	}
	asked := rows.writes
	if g, err := store.Take(t.Context(), held, 1); err != nil || !g.OK || rows.writes != asked {
		t.Errorf("got %+v (%v) by %d writes, want it from the block that was held", g, err, rows.writes-asked)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
