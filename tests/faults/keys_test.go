package faults

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
	"tollgate/tests/lab"
)

// vaulted are the secrets that the lab's vault holds.
type vaulted struct{ *lab.Lab }

func (v vaulted) Read(_ context.Context, ref contract.SecretRef) (string, error) {
	for name, value := range v.Vault.Values() {
		if strings.HasPrefix(name, ref.Name+" ") {
			return value, nil
		}
	}
	return "", io.EOF
}

func officeOf(t *testing.T, l *lab.Lab) *subscription.Office {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	account, err := tables.Open(tables.Options{Address: l.Tables, Transport: transport, Now: time.Now, Try: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return subscription.NewOffice(account.Table(subscription.Table), account.Clock(), vaulted{l}, l.Local.Plan.Store.Digest, rand.Reader)
}

// rate calls an operation that a key opens by itself.
func rate(t *testing.T, l *lab.Lab, key string) (status int, code string, took time.Duration) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/rates/eur", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(contract.DefaultKeyHeader, key)
	began := time.Now()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	took = time.Since(began)
	text, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(text), "tgk_") {
		t.Errorf("got %s, want no key in it", text)
	}
	if resp.StatusCode == 503 && resp.Header.Get("Retry-After") == "" {
		t.Error("got 503 without Retry-After")
	}
	e := l.Event(t, resp.Header.Get("X-Correlation-Id"))
	if line, err := json.Marshal(e); err != nil || strings.Contains(string(line), "tgk_") {
		t.Errorf("got %s, want no key in it", line)
	}
	return resp.StatusCode, e.Code, took
}

func opened(t *testing.T, o *subscription.Office) (id, key string) {
	t.Helper()
	r, key, err := o.Open(t.Context(), subscription.Wish{Product: "partner", Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID, key
}

// By the gateway's managed identity, to the table and to the vault.
func TestKeysThroughFaultsOfTheStoreAndTheVault(t *testing.T) {
	l := lab.InProcess(t, filepath.Join(lab.Root(t), "contracts"))
	office := officeOf(t, l)
	_, known := opened(t, office)
	_, other := opened(t, office)

	l.Vault.Fail(faults.Fault{Kind: faults.Refuse})
	if status, code, _ := rate(t, l, known); status != 503 || code != "keys_unavailable" {
		t.Errorf("without the vault: got %d %s", status, code)
	}
	l.Vault.Heal()
	l.Pass(20 * time.Second)
	if status, code, _ := rate(t, l, known); status != 200 || code != "granted" {
		t.Fatalf("got %d %s", status, code)
	}
	for _, f := range []faults.Fault{
		{Kind: storage.Busy}, {Kind: storage.TimedOut}, {Kind: faults.Refuse}, {Kind: faults.Garbage}, {Kind: faults.Status, Status: 403}, {Kind: faults.Slow, Delay: 5 * time.Second},
	} {
		l.Storage.Fail(f)
		l.Pass(31 * time.Second) // what is known of the key is stale
		if status, code, took := rate(t, l, known); status != 200 || took > 2*time.Second {
			t.Errorf("%s: got %d %s in %s for a key that is known", f.Kind, status, code, took)
		}
		l.Pass(6 * time.Second)
		if status, code, took := rate(t, l, other); status != 503 || code != "keys_unavailable" || took > 2*time.Second {
			t.Errorf("%s: got %d %s in %s for a key that isn't", f.Kind, status, code, took)
		}
		l.Storage.Heal()
		l.Pass(6 * time.Second)
		if status, code, _ := rate(t, l, known); status != 200 {
			t.Errorf("%s, healed: got %d %s", f.Kind, status, code)
		}
	}
	l.Pass(6 * time.Second)
	if status, code, _ := rate(t, l, other); status != 200 {
		t.Errorf("healed: got %d %s", status, code)
	}
	l.Storage.Fail(faults.Fault{Kind: storage.Busy})
	l.Pass(6 * time.Minute)
	if status, code, _ := rate(t, l, known); status != 503 {
		t.Errorf("past maxStale: got %d %s", status, code)
	}
}

func TestTheOfficeThroughLostAnswersAndConflicts(t *testing.T) {
	l := lab.InProcess(t, filepath.Join(lab.Root(t), "contracts"))
	office := officeOf(t, l)
	opened(t, office) // makes the table
	l.Storage.Fail(faults.Fault{Kind: storage.Lost})
	id, key := opened(t, office)
	l.Storage.Heal()
	if status, code, _ := rate(t, l, key); status != 200 {
		t.Fatalf("got %d %s for a key whose making was answered by nobody", status, code)
	}
	l.Storage.Fail(faults.Fault{Kind: storage.Conflict, Times: 3})
	if r, err := office.Suspend(t.Context(), id); err != nil || r.State != subscription.Suspended {
		t.Errorf("got %+v, %v", r, err)
	}
	l.Storage.Fail(faults.Fault{Kind: storage.Conflict})
	if _, err := office.Resume(t.Context(), id); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("got %v, want it given up", err)
	}
	l.Storage.Heal()
	l.Pass(31 * time.Second)
	if status, code, _ := rate(t, l, key); status != 401 || code != "key_inactive" {
		t.Errorf("got %d %s, want it suspended", status, code)
	}
}
