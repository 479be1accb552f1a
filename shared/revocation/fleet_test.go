package revocation_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/revocation"
)

// Sixteen busy instances over one store, each with traffic and a phase of its own.
func TestSixteenInstancesRefuseWithinFiveSeconds(t *testing.T) {
	for _, every := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r := newRows()
			r.delay = 15 * time.Millisecond
			var mu sync.Mutex
			var last time.Time
			var all sync.WaitGroup
			for i := range 16 {
				w := r.watch(&machine{}, 5*time.Minute, nil)
				all.Go(func() {
					time.Sleep(time.Duration(i) * 127 * time.Millisecond)
					for {
						code, _, _ := judge(t, w)
						if code != "" {
							return
						}
						mu.Lock()
						last = time.Now()
						mu.Unlock()
						time.Sleep(every)
					}
				})
			}
			time.Sleep(30 * time.Second)
			gets, lists := r.asked()
			t.Logf("a request each %v: %d reads and %d listings of 16 instances in 30 s", every, gets, lists)
			if gets > 16*16 || lists != 16 {
				t.Errorf("got %d reads and %d listings, want one read each two seconds and instance, and one listing", gets, lists)
			}
			r.revoke(t, revocation.User, oid)
			written := time.Now()
			all.Wait()
			if wrong := last.Sub(written); wrong > 5*time.Second {
				t.Errorf("got the last wrong acceptance %v after the command, want 5s at the most", wrong)
			} else {
				t.Logf("last wrong acceptance %v after the command", wrong)
			}
		})
	}
}
