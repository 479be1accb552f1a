package gateway

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/backend"
	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// revoking is a gateway with a store, and the book of that store.
type revoking struct {
	*stand
	revocation.Book
	store *storage.Storage
	away  atomic.Bool  // the store can't be reached
	ahead atomic.Int64 // of the gateway's clock, so that lists grow old
}

func (v *revoking) now() time.Time { return time.Now().Add(time.Duration(v.ahead.Load())) }

// RoundTrip carries requests to the store.
func (v *revoking) RoundTrip(r *http.Request) (*http.Response, error) {
	if v.away.Load() {
		return nil, http.ErrServerClosed
	}
	return (&inProcess{Handler: v.store}).RoundTrip(r)
}

func newRevoking(t *testing.T, s *stand) *revoking {
	t.Helper()
	v := &revoking{stand: s, store: storage.New(storage.Options{Key: "a2V5"})}
	account, err := tables.Open(tables.Options{Address: storeAddress, Transport: v, Now: time.Now, Try: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	table := account.Table(revocation.TableName)
	v.Book = revocation.Book{Rows: table, Clock: account.Clock(), NewID: s.parts.NewID}
	s.parts.Report = func(error) {}
	s.parts.Revocations = func(p *contract.Plan) revocation.Lists {
		return revocation.NewWatch(table, revocation.Options{Now: v.now, Clock: account.Clock(), MaxStale: p.Revocation.MaxStale})
	}
	s.parts.Chores = func(*contract.Plan) []Chore { return []Chore{{"revocations", v.Sweep}} }
	s.Gateway = Compile(s.Gateway.plan, s.parts)
	return v
}

// withStore is a stand whose environment has a store.
func withStore(t *testing.T) *stand {
	return newStand(t, backend.New(), "environments/test.yaml", contracts["environments/test.yaml"]+"store: { tables: \"https://s.table.core.windows.net\" }\n",
		"gateway.yaml", strings.Replace(contracts["gateway.yaml"], "[v2]", "[v1, v2]", 1))
}

func (v *revoking) revoke(t *testing.T, kind revocation.Kind, tid, id string) revocation.Entry {
	t.Helper()
	s, err := revocation.Of(kind, "", tid, id)
	if err != nil {
		t.Fatal(err)
	}
	e, err := v.Revoke(t.Context(), revocation.Order{Subject: s, By: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	v.ahead.Add(int64(5 * time.Second))
	return e
}

func TestH140ARevokedUserIsRefusedWithEveryTokenOfTheirs(t *testing.T) {
	v := newRevoking(t, withStore(t))
	old := reader
	old.Claims = map[string]any{"iat": time.Now().Add(-time.Minute).Unix()}
	v1 := old
	v1.Version = "v1"
	capable := old
	capable.Claims = map[string]any{"iat": time.Now().Add(-time.Minute).Unix(), "xms_cc": []any{"cp1"}}
	tokens := []string{mint(t, old), mint(t, v1), mint(t, capable)}
	for _, token := range tokens { // and they are cached from here on
		v.granted(t, request(t, "GET", "/orders/1", bearer(token)))
	}
	e := v.revoke(t, revocation.User, tenant, reader.User)
	for _, token := range tokens {
		v.refused(t, request(t, "GET", "/orders/1", bearer(token)), 401, "token_revoked")
	}
	w, _ := v.answer(request(t, "GET", "/orders/1", bearer(tokens[2])))
	v.events.next(t)
	if got := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="", authorization_uri="`) || !strings.Contains(got, `error="insufficient_claims"`) || !strings.Contains(got, `claims="`) {
		t.Errorf("got WWW-Authenticate %s, want a claims challenge", got)
	}
	w, _ = v.answer(request(t, "GET", "/orders/1", bearer(tokens[0])))
	v.events.next(t)
	if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) || strings.Contains(got, "claims=") {
		t.Errorf("got WWW-Authenticate %s, want an invalid token's", got)
	}
	other := reader
	other.User = "0badf00d-0000-4000-8000-000000000008"
	v.granted(t, request(t, "GET", "/orders/1", bearer(mint(t, other))))

	if there, err := v.Lift(t.Context(), e.Name()); !there || err != nil {
		t.Errorf("got %t, %v, want it lifted", there, err)
	}
	v.ahead.Add(int64(5 * time.Second))
	v.granted(t, request(t, "GET", "/orders/1", bearer(tokens[0])))
}

func TestAnOldListIsMarkedAndThenNoneServes(t *testing.T) {
	v := newRevoking(t, withStore(t))
	token := bearer(mint(t, reader))
	v.granted(t, request(t, "GET", "/orders/1", token))
	v.away.Store(true)
	v.ahead.Add(int64(time.Minute))
	v.answer(request(t, "GET", "/orders/1", token))
	if e, _ := v.events.next(t); e.Verdict != "granted" || !slices.Equal(e.Marks, []string{"revocation_stale"}) {
		t.Errorf("got %+v, want it granted and marked", e)
	}
	v.ahead.Add(int64(5 * time.Minute))
	v.refused(t, request(t, "GET", "/orders/1", token), 503, "revocation_unavailable")
	w, _ := v.answer(request(t, "GET", "/orders/1", token))
	v.events.next(t)
	if w.Header().Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	v.away.Store(false)
	v.ahead.Add(int64(time.Minute))
	v.granted(t, request(t, "GET", "/orders/1", token))
}

func TestWithoutListsAStoreRefusesAndPublicGoesOn(t *testing.T) {
	s := withStore(t)
	s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, reader))), 503, "revocation_unavailable")
	s.granted(t, request(t, "GET", "/public/1"))
	s.refused(t, request(t, "GET", "/orders/1"), 401, "token_missing")
}

func TestG122ARevokedKeyIsRefused(t *testing.T) {
	k := newKeyed(t)
	v := newRevoking(t, k.stand)
	id, key := k.open(t, subscription.Wish{Product: "partner"})
	v.granted(t, request(t, "GET", "/alone/1", key))
	e := v.revoke(t, revocation.Subscription, "", id)
	if !e.Ends.IsZero() {
		t.Errorf("got an end at %v, want none: the key has none either", e.Ends)
	}
	v.refused(t, request(t, "GET", "/alone/1", key), 401, "key_revoked")
	v.refused(t, request(t, "GET", "/orders/1", key, bearer(mint(t, reader))), 401, "key_revoked")
}

func TestSweepRemovesWhatHasEnded(t *testing.T) {
	v := newRevoking(t, withStore(t))
	for _, id := range []string{"a", "b", "c"} {
		s, _ := revocation.Of(revocation.Token, "", tenant, id)
		if _, err := v.Revoke(t.Context(), revocation.Order{Subject: s, Keep: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	kept := v.revoke(t, revocation.User, tenant, reader.User)
	v.store.Offset(2 * time.Hour)
	for _, want := range []int{2, 1, 0} {
		if n, err := v.Sweep(t.Context(), 2); n != want || err != nil {
			t.Errorf("got %d removed (%v), want %d", n, err, want)
		}
	}
	all, err := v.Entries(t.Context())
	if err != nil || len(all) != 1 || all[0].Subject != kept.Subject {
		t.Errorf("got %v (%v), want the one that hasn't ended", all, err)
	}
	report, err := v.Refresh(t.Context())
	if err != nil || !slices.Contains(report, "revocations: 0 removed") {
		t.Errorf("got %q (%v), want the chore among them", report, err)
	}
}
