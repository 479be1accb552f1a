package subscription_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tollgate/localrun/storage"
	. "tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// The same over the stand-in for Table Storage, by the real client.
func TestOverTableStorage(t *testing.T) {
	stand := storage.New(storage.Options{})
	server := httptest.NewServer(stand)
	t.Cleanup(server.Close)
	// Its clock is an hour ahead of this machine's: no end may be reckoned by the latter.
	stand.Offset(time.Hour)
	account, err := tables.Open(tables.Options{
		Address:   "AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint=" + server.URL + "/devstoreaccount1",
		Transport: http.DefaultTransport, Now: time.Now, Try: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	table := account.Table(Table)
	office := NewOffice(table, account.Clock(), both, current, rand.Reader)
	for _, err := range office.List(t.Context()) { // there is no table yet
		t.Fatal(err)
	}
	r, first, err := office.Open(t.Context(), Wish{Product: "partner", Owner: "o", Expires: time.Now().Add(90 * time.Minute)})
	if err != nil || time.Until(r.Created) < 50*time.Minute {
		t.Fatalf("got %+v, %v, want the store's time", r, err)
	}
	_, second, err := office.Rotate(t.Context(), r.ID, Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	p := plan()
	d := &desk{nil, office, NewRegister(p, Source{table, account.Clock(), both}, time.Now), p}
	d.want(t, first, "401 key_expired")
	d.want(t, second, "granted")
	stand.Offset(110 * time.Minute) // the store's clock is set: the next answer tells
	if r, err = office.Show(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	d.want(t, second, "401 key_expired")
	if r, err = office.Show(t.Context(), r.ID); err != nil || r.State != Expired {
		t.Errorf("got %+v, %v", r, err)
	}
	if n, err := office.Sweep(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("got %d, %v; the rows are younger than an hour", n, err)
	}
	stand.Offset(4 * time.Hour)
	if _, err = office.Show(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := office.Sweep(t.Context(), 10); n != 2 || err != nil {
		t.Errorf("got %d, %v, want both keys' rows gone", n, err)
	}
}
