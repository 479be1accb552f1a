package revocation_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/revocation"
)

// reports are what an operator was told.
type reports struct{ said []string }

func (r *reports) take(err error) { r.said = append(r.said, err.Error()) }

func TestAnOutageGoesStaleLoudlyAndRefusesPastTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, told := newRows(), &machine{}, &reports{}
		w := r.watch(m, 5*time.Minute, told.take)
		judge(t, w)
		began := time.Now()
		r.set(func(r *rows) { r.down = true })
		var staleAt, refusedAt, slowest time.Duration
		requests := 0
		for refusedAt == 0 {
			code, stale, took := judge(t, w)
			requests++
			slowest = max(slowest, took)
			switch passed := time.Since(began); {
			case code == "revocation_unavailable":
				refusedAt = passed
			case code != "":
				t.Fatalf("got %q", code)
			case stale && staleAt == 0:
				staleAt = passed
			case !stale && passed > 5*time.Second:
				t.Fatalf("got a call without its mark %v into the outage", passed)
			}
			time.Sleep(10 * time.Millisecond)
		}
		gets, _ := r.asked()
		t.Logf("stale after %v, refused after %v; slowest decision %v; %d reads for %d requests", staleAt, refusedAt, slowest, gets, requests)
		if staleAt < 4*time.Second || staleAt > 5*time.Second || refusedAt < 5*time.Minute || refusedAt > 5*time.Minute+time.Second {
			t.Errorf("got stale after %v and refused after %v, want 4s to 5s and 5m", staleAt, refusedAt)
		}
		if gets > 160 {
			t.Errorf("got %d reads in five minutes of outage, want one each two seconds at the most", gets)
		}
		if len(told.said) != 2 || !strings.Contains(told.said[0], "the old one is used") || !strings.Contains(told.said[1], "refused") {
			t.Errorf("got reports %q, want one when the list is old, and one when it is too old", told.said)
		}

		r.set(func(r *rows) { r.down = false })
		r.revoke(t, revocation.User, oid)
		back := time.Now()
		for code := ""; code != "token_revoked"; time.Sleep(10 * time.Millisecond) {
			code, _, _ = judge(t, w)
		}
		if took := time.Since(back); took > 5*time.Second {
			t.Errorf("got the new list %v after the store came back, want 5s at the most", took)
		}
		r.set(func(r *rows) { r.down = true })
		for range 1000 {
			time.Sleep(10 * time.Millisecond)
			judge(t, w)
		}
		if len(told.said) != 3 {
			t.Errorf("got %d reports after a second outage, want a third", len(told.said))
		}
	})
}

func TestASlowStoreDoesNotSlowRequests(t *testing.T) {
	for _, deaf := range []bool{false, true} { // whether a request for a row ends when it should
		synctest.Test(t, func(t *testing.T) {
			r, m := newRows(), &machine{}
			w := r.watch(m, 5*time.Minute, nil)
			judge(t, w)
			r.set(func(r *rows) { r.delay, r.deaf = 10*time.Second, deaf })
			slow, requests := 0, 0
			for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(5 * time.Millisecond) {
				requests++
				code, _, took := judge(t, w)
				if code != "" {
					t.Fatalf("got %q, want the call to go on", code)
				}
				if took > 0 {
					slow++
				}
				if took > time.Second {
					t.Errorf("got a decision after %v, want 1s at the most", took)
				}
			}
			t.Logf("deaf %t: %d of %d requests waited", deaf, slow, requests)
			if most := 14; slow > most {
				t.Errorf("got %d of %d requests that waited, want %d at the most", slow, requests, most)
			}
			time.Sleep(time.Minute)
		})
	}
}

func TestWithoutAnyListCallsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, told := newRows(), &machine{}, &reports{}
		r.down, r.delay = true, 100*time.Millisecond
		w := r.watch(m, 5*time.Minute, told.take)
		got := revocation.Refuse(w, "")(t.Context(), user())
		if got == nil || got.Code != "revocation_unavailable" || got.Kind.Status() != 503 || got.RetryAfter < time.Second || got.Cause() == "" {
			t.Errorf("got %+v, want 503 revocation_unavailable with Retry-After and a cause", got)
		}
		if code, _, took := judge(t, w); code != "revocation_unavailable" || took != 0 {
			t.Errorf("got %q after %v, want 503 at once", code, took)
		}
		if len(told.said) != 1 {
			t.Errorf("got reports %q, want one", told.said)
		}
		r.set(func(r *rows) { r.down = false })
		time.Sleep(2 * time.Second)
		if code, stale, _ := judge(t, w); code != "" || stale {
			t.Errorf("got %q, stale %t once the store is back, want the call to go on", code, stale)
		}
	})
}

func TestOneFailureIsNotAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, told := newRows(), &machine{}, &reports{}
		w := r.watch(m, 5*time.Minute, told.take)
		judge(t, w)
		for range 50 {
			time.Sleep(time.Minute) // every request waits
			n := 0
			r.set(func(r *rows) {
				r.fails = func(string) error {
					if n++; n == 1 {
						return errors.New("the connection was closed while the process was frozen")
					}
					return nil
				}
			})
			if code, stale, _ := judge(t, w); code != "" || stale {
				t.Errorf("got %q, stale %t, want a second try before the list counts as old", code, stale)
			}
		}
		if len(told.said) > 0 {
			t.Errorf("got reports %q", told.said)
		}
	})
}

func TestALongFreezeInAnOutageEndsTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		w := r.watch(m, 5*time.Minute, nil)
		judge(t, w)
		r.set(func(r *rows) { r.down = true })
		for _, step := range []struct {
			passes, frozen, set time.Duration
			code                string
		}{
			{time.Minute, time.Minute, 0, ""},
			{time.Minute, 0, -5 * time.Minute, ""}, // set back: what has passed is kept
			{2 * time.Minute, 0, 0, ""},
			{2 * time.Minute, 0, 0, "revocation_unavailable"},
		} {
			time.Sleep(step.passes)
			m.frozen, m.set = m.frozen+step.frozen, m.set+step.set
			if code, _, _ := judge(t, w); code != step.code {
				t.Errorf("%+v: got %q", step, code)
			}
			synctest.Wait()
		}
	})
}

func TestARowThatCannotBeReadIsNotSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		e := r.revoke(t, revocation.User, oid)
		for key, row := range r.held {
			if row.Row == e.Name() {
				row.Fields["Kind"] = "planet"
				r.held[key] = row
			}
		}
		w := r.watch(m, 5*time.Minute, nil)
		if code, _, _ := judge(t, w); code != "revocation_unavailable" {
			t.Errorf("got %q, want revocation_unavailable: someone is to be refused by it", code)
		}
	})
}
