package tables_test

import (
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	machine "tollgate/shared/tables"
)

// shared is a table in memory, under a clock that tests move.
func shared() (*limittest.Table, *atomic.Int64) {
	clock := new(atomic.Int64)
	clock.Store(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC).UnixNano())
	return limittest.NewTable(func() time.Time { return time.Unix(0, clock.Load()) }), clock
}

func TestConformanceInMemory(t *testing.T) {
	limittest.Run(t, func(*testing.T) limittest.Backing {
		rows, clock := shared()
		return limittest.Backing{
			Instance: func(*testing.T) limit.Store {
				view := rows.View(machine.MachineOf(rows.Now))
				return tables.New(view, tables.Options{Clock: view.Clock, Now: rows.Now})
			},
			Pass: func(d time.Duration) { clock.Add(int64(d)) },
		}
	})
}
