package memory_test

import (
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/memory"
)

func TestConformance(t *testing.T) {
	limittest.Run(t, func(*testing.T) limittest.Backing {
		clock := new(atomic.Int64)
		clock.Store(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC).UnixNano())
		s := memory.New(func() time.Time { return time.Unix(0, clock.Load()) })
		return limittest.Backing{
			Instance: func(*testing.T) limit.Store { return s },
			Pass:     func(d time.Duration) { clock.Add(int64(d)) },
		}
	})
}
