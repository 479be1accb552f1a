package revocation_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/revocation"
	"tollgate/shared/tables"
	"tollgate/tests/azurite"
)

// standIn is the table of the strict stand-in, by the real client, and a book in it.
func standIn(t *testing.T) (*storage.Storage, *tables.Table, revocation.Book) {
	t.Helper()
	s := storage.New(storage.Options{Key: azurite.Key})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	table, book := open(t, server.URL+"/"+storage.DefaultAccount)
	return s, table, book
}

func open(t *testing.T, address string) (*tables.Table, revocation.Book) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	account, err := tables.Open(tables.Options{
		Address:   "AccountName=" + azurite.Account + ";AccountKey=" + azurite.Key + ";TableEndpoint=" + address,
		Transport: transport, Now: time.Now, Try: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	table, n := account.Table(revocation.TableName), 0
	return table, revocation.Book{Rows: table, Clock: account.Clock(), NewID: func() string { n++; return strings.Repeat("x", n) }}
}

func TestOverTheStandIn(t *testing.T) {
	_, table, b := standIn(t)
	conforms(t, table, b)
}

func TestOverAzurite(t *testing.T) {
	address, _, _ := azurite.Start(t)
	table, b := open(t, address)
	conforms(t, table, b)
}

// conforms: whoever keeps the rows, an instance sees what was written, by one
// read for a change and one for none.
func conforms(t *testing.T, table *tables.Table, b revocation.Book) {
	t.Helper()
	var ahead time.Duration
	w := revocation.NewWatch(table, revocation.Options{Now: func() time.Time { return time.Now().Add(ahead) }, Clock: b.Clock, MaxStale: time.Minute})
	judged := func(when, want string) {
		t.Helper()
		ahead += 5 * time.Second
		if code, stale, _ := judge(t, w); code != want || stale {
			t.Errorf("%s: got %q, stale %t, want %q", when, code, stale, want)
		}
	}
	judged("before there is a table", "")
	everyKind(t, table, b)
	judged("once everything is revoked", "token_revoked")
	all, err := b.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if there, err := b.Lift(t.Context(), e.Name()); !there || err != nil {
			t.Errorf("lift %v: got %t, %v", e, there, err)
		}
	}
	judged("once all is lifted", "")
}

func order(t *testing.T, kind revocation.Kind, id string) revocation.Order {
	t.Helper()
	tenant := tid
	if kind == revocation.All || kind == revocation.Subscription || kind == revocation.Client {
		tenant = ""
	}
	s, err := revocation.Of(kind, "", tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return revocation.Order{Subject: s, By: "jo@desk", Reason: "left\x1b[2J\u202e the company"}
}

// everyKind is read as it was written.
func everyKind(t *testing.T, table *tables.Table, b revocation.Book) {
	t.Helper()
	want := map[string]revocation.Entry{}
	for kind, id := range map[revocation.Kind]string{"user": oid, "client": appID, "token": "a'b /\\#?%\"", "tenant": "", "subscription": "sub-1", "all": ""} {
		e, err := b.Revoke(t.Context(), order(t, kind, id))
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		want[e.Name()] = e
		if keys := kind == revocation.All || kind == revocation.Subscription; keys != e.Ends.IsZero() {
			t.Errorf("%s: got the end %v; only what refuses keys has none", kind, e.Ends)
		}
	}
	all, err := b.Entries(t.Context())
	if err != nil || len(all) != len(want) {
		t.Fatalf("got %d entries (%v), want %d", len(all), err, len(want))
	}
	for _, e := range all {
		if w := want[e.Name()]; e.Subject != w.Subject || !e.NotBefore.Equal(w.NotBefore) || !e.Ends.Equal(w.Ends) || e.By != w.By || e.Reason != "left [2J  the company" {
			t.Errorf("got %+v, want %+v", e, w)
		}
	}
	for row, err := range table.List(t.Context(), tables.Partition("entries")) {
		if err != nil || row.ETag == "" {
			t.Errorf("got a row without its ETag (%v): Sweep could remove a renewed one", err)
		}
	}
}

func TestTheStoresClockDecidesNotThisMachines(t *testing.T) {
	s, _, b := standIn(t)
	s.Offset(-time.Hour)
	e, err := b.Revoke(t.Context(), order(t, revocation.User, oid))
	if err != nil {
		t.Fatal(err)
	}
	if off := e.NotBefore.Sub(time.Now().Add(-time.Hour)); off < -time.Second || off > 3*time.Second {
		t.Errorf("got a time %v from the store's, want its upper bound", off)
	}
}

func TestASecondRevocationIsNeverWeaker(t *testing.T) {
	s, _, b := standIn(t)
	o := order(t, revocation.User, oid)
	o.Keep = 10 * time.Hour
	first, err := b.Revoke(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Keep = time.Hour
	b2 := b
	s.Offset(-time.Minute) // the store's clock was set back
	if got, err := b2.Revoke(t.Context(), o); err != nil || got.NotBefore.Before(first.NotBefore) || got.Ends.Before(first.Ends) {
		t.Errorf("got %+v (%v), want no less than %+v", got, err, first)
	}
	o.Keep = revocation.Forever
	if got, err := b.Revoke(t.Context(), o); err != nil || !got.Ends.IsZero() {
		t.Errorf("got the end %v (%v), want none", got.Ends, err)
	}
	o.Keep = time.Hour
	if got, err := b.Revoke(t.Context(), o); err != nil || !got.Ends.IsZero() {
		t.Errorf("got the end %v (%v), want still none", got.Ends, err)
	}
}

func TestManyMayRevokeAtOnce(t *testing.T) {
	_, _, b := standIn(t)
	o := order(t, revocation.User, oid)
	var all sync.WaitGroup
	var mu sync.Mutex
	failed := 0
	for range 4 {
		own := b
		own.NewID = func() string { return "mark" }
		all.Go(func() {
			if _, err := own.Revoke(context.Background(), o); err != nil {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if entries, err := b.Entries(t.Context()); failed > 0 || err != nil || len(entries) != 1 {
		t.Errorf("got %d failures and %d entries (%v), want none and one", failed, len(entries), err)
	}
}

func TestAHalfDoneChangeSaysSoAndCanBeRepeated(t *testing.T) {
	r := newRows()
	b, o := r.book(), order(t, revocation.User, oid)
	broken := func(op string) error {
		if op == "put" {
			return errDown
		}
		return nil
	}
	r.fails = broken
	e, err := b.Revoke(t.Context(), o)
	if !errors.Is(err, revocation.ErrNotTold) || e.Name() != o.Name() {
		t.Errorf("got %v, %v; want the entry, and that nobody was told", e, err)
	}
	r.fails = nil
	if _, err := b.Revoke(t.Context(), o); err != nil {
		t.Errorf("got %v the second time", err)
	}
	r.fails = broken
	if there, err := b.Lift(t.Context(), o.Name()); !there || !errors.Is(err, revocation.ErrNotTold) {
		t.Errorf("got %t, %v; want it removed, and that nobody was told", there, err)
	}
	r.fails = nil
	r.asked()
	if there, err := b.Lift(t.Context(), o.Name()); there || err != nil || r.held[tables.Key{Partition: "generation", Row: "generation"}].Fields.Text("Mark") == "" {
		t.Errorf("got %t, %v; want the instances told", there, err)
	}
	r.fails = func(op string) error {
		if op == "insert" {
			return errDown
		}
		return nil
	}
	if _, err := b.Revoke(t.Context(), o); err == nil || errors.Is(err, revocation.ErrNotTold) {
		t.Errorf("got %v, want that nothing is known to be written", err)
	}
}

func TestSweepLeavesWhatWasRenewed(t *testing.T) {
	r, now := newRows(), time.Now()
	r.now = func() time.Time { return now }
	b, o := r.book(), order(t, revocation.User, oid)
	o.Keep = time.Hour
	if _, err := b.Revoke(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	r.fails = func(op string) error {
		if op == "delete" { // just before, it is renewed
			r.fails = nil
			if _, err := r.book().Revoke(t.Context(), o); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	if n, err := b.Sweep(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("got %d removed (%v), want none", n, err)
	}
	if all, err := b.Entries(t.Context()); len(all) != 1 || err != nil {
		t.Errorf("got %d entries (%v), want the renewed one", len(all), err)
	}
}
