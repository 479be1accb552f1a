package revocation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/revocation"
)

// A table that is lost, or an address that leads elsewhere, lifts nothing.
func TestAListThatVanishesLiftsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRows(), &machine{}
		r.revoke(t, revocation.User, oid)
		w := r.watch(m, 5*time.Minute, nil)
		if code, _, _ := judge(t, w); code != "token_revoked" {
			t.Fatalf("got %q, want the revoked token refused", code)
		}
		r.set(func(r *rows) { clear(r.held) })
		for range 20 {
			time.Sleep(10 * time.Second)
			if code, _, _ := judge(t, w); code != "token_revoked" {
				t.Fatalf("got %q, want it refused by the list that was known", code)
			}
		}
		time.Sleep(5 * time.Minute)
		if code, _, _ := judge(t, w); code != "revocation_unavailable" {
			t.Errorf("got %q, want every call refused once the list is too old", code)
		}
	})
}
