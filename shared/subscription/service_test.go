package subscription_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	. "tollgate/shared/subscription"
	"tollgate/shared/tables"
	"tollgate/tests/azurite"
)

func TestALifeOnTheStandIn(t *testing.T) {
	server := httptest.NewServer(storage.New(storage.Options{Key: azurite.Key}))
	t.Cleanup(server.Close)
	life(t, server.URL+"/"+storage.DefaultAccount, storage.DefaultAccount, azurite.Key)
}

func TestALifeOnAzurite(t *testing.T) {
	url, name, key := azurite.Start(t)
	life(t, url, name, key)
}

// account is one instance's way to the tables.
func account(t *testing.T, url, account, key string) *tables.Account {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	a, err := tables.Open(tables.Options{
		Address:   "AccountName=" + account + ";AccountKey=" + key + ";TableEndpoint=" + url,
		Transport: transport, Now: time.Now, Try: 5 * time.Second, // a loaded machine is no outage
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// life is what a subscription goes through; each question is a fresh instance's,
// which knows nothing yet.
func life(t *testing.T, url, name, key string) {
	with := func(p *contract.Plan, secret contract.SecretRef) *desk {
		a := account(t, url, name, key)
		table := a.Table(Table)
		return &desk{nil, NewOffice(table, a.Clock(), both, secret, rand.Reader), NewRegister(p, Source{table, a.Clock(), both}, time.Now), p}
	}
	instance := func() *desk { return with(plan(), current) }
	made, _ := Mint(rand.Reader)
	instance().want(t, made, "401 key_unknown") // there is no table yet
	d := instance()
	r, first, err := d.Open(t.Context(), Wish{Product: "partner", Owner: "Zoë's \"team\" <a@b>\n", Note: "x='1'", Approval: true})
	if err != nil {
		t.Fatal(err)
	}
	instance().want(t, first, "401 key_inactive")
	if _, err := d.Approve(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	instance().want(t, first, "granted")
	if shown, err := instance().Show(t.Context(), r.ID); err != nil || shown.Owner != r.Owner || shown.Note != r.Note || shown.State != Active {
		t.Errorf("got %+v, %v, want what was written", shown, err)
	}

	// Four people renew it at once: one key is made.
	var all sync.WaitGroup
	keys := make(chan string, 4)
	for range 4 {
		other := instance()
		all.Go(func() {
			if _, key, err := other.Rotate(t.Context(), r.ID, Rotation{Grace: time.Hour}); err == nil {
				keys <- key
			} else if !errors.Is(err, ErrGrace) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(keys) != 1 {
		t.Fatalf("got %d keys of four rotations, want one", len(keys))
	}
	second := <-keys
	instance().want(t, first, "granted")
	instance().want(t, second, "granted")
	if _, _, err := d.Rotate(t.Context(), r.ID, Rotation{Overwrite: true}); err != nil {
		t.Fatal(err)
	}
	instance().want(t, first, "401 key_unknown")
	instance().want(t, second, "401 key_expired")

	// One under the secret before: it is found, and kept under the new one.
	_, earlier, err := with(plan(), previous).Open(t.Context(), Wish{API: "orders", Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	instance().want(t, earlier, "granted")
	later := plan()
	later.Store.Previous = contract.SecretRef{}
	with(later, current).want(t, earlier, "granted")

	n := 0
	for _, err := range d.Office.List(t.Context()) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 2 {
		t.Errorf("got %d subscriptions, want 2", n)
	}
	if _, err := d.Cancel(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	instance().want(t, second, "401 key_expired")
	if n, err := d.Sweep(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("got %d, %v; rows this young may belong to one that is being written", n, err)
	}
}
