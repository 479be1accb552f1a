package revocation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/revocation"
)

func TestAFrozenProcessAsksBeforeItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		w := r.watch(m, 5*time.Minute, nil)
		judge(t, w)
		r.revoke(t, revocation.User, oid)
		time.Sleep(time.Minute)
		m.frozen += time.Minute // of which the monotonic clock knows nothing
		if code, stale, _ := judge(t, w); code != "token_revoked" || stale {
			t.Errorf("got %q, stale %t, want token_revoked", code, stale)
		}
	})
}

func TestAFrozenCheckIsNotBelieved(t *testing.T) {
	for _, frozen := range []time.Duration{6 * time.Second, 3 * time.Minute} {
		for _, aware := range []bool{true, false} { // whether the monotonic clock goes on
			synctest.Test(t, func(t *testing.T) {
				r, m := newRows(), &machine{}
				w := r.watch(m, 5*time.Minute, nil)
				judge(t, w)
				time.Sleep(3 * time.Second)
				r.set(func(r *rows) { r.delay, r.deaf = frozen, true }) // the check hangs as long
				judge(t, w)
				synctest.Wait()
				r.set(func(r *rows) { r.delay, r.deaf = 0, false })
				r.revoke(t, revocation.User, oid)
				time.Sleep(frozen - time.Millisecond)
				if !aware {
					m.frozen += frozen
				}
				if code, stale, _ := judge(t, w); code != "token_revoked" || stale {
					t.Errorf("%v, monotonic clock goes on: %t: got %q, stale %t, want token_revoked", frozen, aware, code, stale)
				}
				time.Sleep(time.Minute)
			})
		}
	}
}

func TestTheWallClockMayBeSet(t *testing.T) {
	for _, jump := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			r, m := newRows(), &machine{}
			w := r.watch(m, 5*time.Minute, nil)
			judge(t, w)
			m.set = jump
			r.revoke(t, revocation.User, oid)
			began, last := time.Now(), time.Time{}
			for code := ""; code == ""; time.Sleep(100 * time.Millisecond) {
				var stale bool
				if code, stale, _ = judge(t, w); code == "" {
					last = time.Now()
				}
				if stale {
					t.Errorf("set by %v: got a stale list, want a fresh one: the store is up", jump)
				}
			}
			if wrong := last.Sub(began); wrong > 5*time.Second {
				t.Errorf("set by %v: last wrong acceptance after %v, want 5s at the most", jump, wrong)
			}
		})
	}
}
