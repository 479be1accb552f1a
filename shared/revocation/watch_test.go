package revocation_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/revocation"
	"tollgate/shared/tables"
)

// user is the call of one whose token is an hour old.
func user() *pipeline.Call {
	iat := time.Now().Add(-time.Hour).Unix()
	return &pipeline.Call{Identity: &pipeline.Identity{
		Authority: "entra/" + tid, Principal: pipeline.User,
		Claims: pipeline.Claims{"oid": oid, "azp": appID, "uti": "u-1", "iat": pipeline.Number(fmt.Sprint(iat))},
	}}
}

// judge is what the stage said, and how long it took.
func judge(t testing.TB, w revocation.Lists) (code string, stale bool, took time.Duration) {
	t.Helper()
	began, c := time.Now(), user()
	r := revocation.Refuse(w, "https://login")(t.Context(), c)
	if r != nil {
		code = r.Code
	}
	return code, len(c.Marks) > 0, time.Since(began)
}

func TestUnderConstantTrafficARevocationHoldsWithinFiveSeconds(t *testing.T) {
	for _, latency := range []time.Duration{0, 5 * time.Millisecond, 200 * time.Millisecond} {
		for _, every := range []time.Duration{time.Millisecond, 97 * time.Millisecond, 700 * time.Millisecond, 1900 * time.Millisecond, 3999 * time.Millisecond, 4100 * time.Millisecond, time.Minute} {
			worst := time.Duration(0)
			for phase := range 40 {
				synctest.Test(t, func(t *testing.T) {
					r, m := newRows(), &machine{}
					r.delay = latency
					w := r.watch(m, 5*time.Minute, nil)
					at := make(chan time.Time, 1)
					go func() {
						time.Sleep(10*time.Second + time.Duration(phase)*101*time.Millisecond)
						r.revoke(t, revocation.User, oid)
						at <- time.Now()
					}()
					last := time.Time{}
					for code := ""; code == ""; time.Sleep(every) {
						if code, _, _ = judge(t, w); code == "" {
							last = time.Now()
						}
					}
					worst = max(worst, last.Sub(<-at))
				})
			}
			t.Logf("a store of %v, a request each %v: last wrong acceptance %v after the command", latency, every, worst)
			if worst > 5*time.Second {
				t.Errorf("got %v, want 5s at the most", worst)
			}
		}
	}
}

func TestTheStoreIsAskedAsOftenWhateverTheRate(t *testing.T) {
	counts := map[int][2]int{}
	for _, requests := range []int{10, 1000, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			r, m := newRows(), &machine{}
			r.revoke(t, revocation.User, "0badf00d-0000-4000-8000-000000000008")
			w := r.watch(m, 5*time.Minute, nil)
			r.asked()
			const lasts = 18 * time.Second // as long with ten requests, one each two seconds
			for range requests {
				if code, stale, _ := judge(t, w); code != "" || stale {
					t.Fatalf("got %q, stale %t, want the call to go on", code, stale)
				}
				time.Sleep(lasts / time.Duration(requests-1))
			}
			gets, lists := r.asked()
			counts[requests] = [2]int{gets, lists}
		})
	}
	t.Logf("reads and listings by requests in 18 s: %v", counts)
	for requests, got := range counts {
		if got[0] > 10 || got[1] != 1 {
			t.Errorf("got %d reads and %d listings for %d requests, want 10 at the most, and 1", got[0], got[1], requests)
		}
	}
}

func TestConcurrentRequestsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		r.delay = 50 * time.Millisecond
		w := r.watch(m, 5*time.Minute, nil)
		for round := range 3 {
			var all sync.WaitGroup
			for range 500 {
				all.Go(func() {
					if code, stale, _ := judge(t, w); code != "" || stale {
						t.Errorf("got %q, stale %t, want the call to go on", code, stale)
					}
				})
			}
			all.Wait()
			if gets, lists := r.asked(); gets != 1 || lists > 1 || round > 0 && lists != 0 {
				t.Errorf("round %d: got %d reads and %d listings, want one read for all", round, gets, lists)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestAYoungListIsUsedAtOnceAndAnOldOneIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		r.delay = 100 * time.Millisecond
		w := r.watch(m, 5*time.Minute, nil)
		for _, step := range []struct {
			after, took time.Duration
			reads       int
		}{
			{0, 200 * time.Millisecond, 1}, // the first one: generation and entries
			{1500 * time.Millisecond, 0, 0},
			{500 * time.Millisecond, 0, 1},               // 2.4 s old: checked meanwhile
			{5 * time.Second, 100 * time.Millisecond, 1}, // too old: waits
			{5 * time.Minute, 200 * time.Millisecond, 1}, // and lists anew
			{3500 * time.Millisecond, 0, 1},
		} {
			time.Sleep(step.after)
			code, stale, took := judge(t, w)
			synctest.Wait()
			time.Sleep(200 * time.Millisecond)
			if gets, _ := r.asked(); code != "" || stale || took != step.took || gets != step.reads {
				t.Errorf("after %v: got %q, stale %t, %v, %d reads; want %v and %d", step.after, code, stale, took, gets, step.took, step.reads)
			}
		}
	})
}

func TestAChangeWhileListingIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		// The entry's name sorts before what is listed already, so this listing misses it.
		other := r.revoke(t, revocation.Token, "another")
		s, _ := revocation.Of(revocation.User, "", tid, oid)
		if s.Name() < other.Name() {
			other = r.revoke(t, revocation.User, "0badf00d-0000-4000-8000-000000000009")
		}
		once := sync.OnceFunc(func() { r.revoke(t, revocation.User, oid) })
		r.between = func(tables.Row) { once() }
		w := r.watch(m, 5*time.Minute, nil)
		if code, _, _ := judge(t, w); code != "" {
			t.Fatalf("got %q, want the first listing to miss the entry, or this test shows nothing", code)
		}
		time.Sleep(2 * time.Second)
		judge(t, w)
		synctest.Wait()
		if code, _, _ := judge(t, w); code != "token_revoked" {
			t.Errorf("got %q after the next check, want token_revoked", code)
		}
	})
}

func TestAnEntryWithoutAGenerationIsFoundInMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		w := r.watch(m, 5*time.Minute, nil)
		judge(t, w)
		r.fails = func(op string) error {
			if op == "put" {
				return errDown
			}
			return nil
		}
		s, _ := revocation.Of(revocation.User, "", tid, oid)
		_, err := r.book().Revoke(t.Context(), revocation.Order{Subject: s})
		if err == nil || !strings.Contains(err.Error(), revocation.ErrNotTold.Error()) {
			t.Fatalf("got %v, want %v", err, revocation.ErrNotTold)
		}
		time.Sleep(time.Minute)
		if code, _, _ := judge(t, w); code != "" {
			t.Errorf("got %q, want the entry not found yet", code)
		}
		time.Sleep(4 * time.Minute)
		if code, _, _ := judge(t, w); code != "token_revoked" {
			t.Errorf("got %q after five minutes, want token_revoked", code)
		}
	})
}

func TestAnEndedEntryRefusesNobodyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		s, _ := revocation.Of(revocation.User, "", tid, oid)
		if _, err := r.book().Revoke(t.Context(), revocation.Order{Subject: s, Keep: time.Hour}); err != nil {
			t.Fatal(err)
		}
		w, old := r.watch(m, 5*time.Minute, nil), user()
		stage := revocation.Refuse(w, "")
		if got := stage(t.Context(), old); got == nil || got.Code != "token_revoked" {
			t.Errorf("got %v, want token_revoked", got)
		}
		time.Sleep(time.Hour)
		if got := stage(t.Context(), old); got != nil {
			t.Errorf("got %s after the end, want the call to go on", got.Code)
		}
	})
}

func TestNobodyWaitsForeverForACancelledRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		r.delay, r.deaf = 8*time.Second, true
		w := r.watch(m, 5*time.Minute, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		got := revocation.Refuse(w, "")(ctx, user())
		if got == nil || got.Kind != refusal.Unavailable || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want 503 when the request ends", got, time.Since(began))
		}
		time.Sleep(time.Minute)
	})
}
