// Package revocation measures revocation on real processes.
package revocation

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/revocation"
	"tollgate/shared/tables"
	"tollgate/tests/lab"
)

const (
	instances = 16
	user      = "0badf00d-0000-4000-8000-000000000007"
)

// Sixteen deployed handlers over one store, kept busy: how long after the
// command does the last of them accept what was revoked?
func TestSixteenProcessesRefuseWithinFiveSeconds(t *testing.T) {
	app := lab.StageApp(t)
	l := lab.Hosted(t, unlimited(t), app)
	urls := []string{l.URL}
	for range instances - 1 {
		urls = append(urls, l.Restart(t, app))
	}
	raw, err := l.Issuer.Mint(issuer.Token{API: "orders", Scopes: []string{"Orders.Read"}, User: user})
	if err != nil {
		t.Fatal(err)
	}
	book := bookOf(t, l)
	var served atomic.Int64
	var mu sync.Mutex
	var last time.Time
	var all, ready sync.WaitGroup
	ready.Add(instances)
	for _, url := range urls {
		first := sync.OnceFunc(ready.Done)
		all.Go(func() {
			defer first() // whatever happens
			for began := time.Now(); time.Since(began) < time.Minute; {
				asked := time.Now()
				status := get(t, url+"/orders/42", raw)
				served.Add(1)
				switch status {
				case http.StatusOK:
					first()
					mu.Lock()
					if asked.After(last) {
						last = asked
					}
					mu.Unlock()
				case http.StatusUnauthorized:
					return
				default:
					t.Errorf("got %d, want 200 or 401", status)
					return
				}
			}
			t.Error("got the token accepted for a minute")
		})
	}
	ready.Wait()
	before, calls, began := l.Storage.Operations(), served.Load(), time.Now()
	<-time.After(6 * time.Second) // as traffic, not as a wait for something
	after, took := l.Storage.Operations(), time.Since(began)
	s, err := revocation.Of(revocation.User, "", l.Local.Options.Tenants[0], user)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Revoke(t.Context(), revocation.Order{Subject: s}); err != nil {
		t.Fatal(err)
	}
	written := time.Now()
	calls = served.Load() - calls
	all.Wait()
	reads := after.Total() - before.Total()
	t.Logf("%d calls in %v by %d instances: %d operations on the store; last wrong acceptance %v after the command", calls, took.Round(time.Millisecond), instances, reads, last.Sub(written).Round(time.Millisecond))
	if wrong := last.Sub(written); wrong > 5*time.Second {
		t.Errorf("got the last wrong acceptance %v after the command, want 5s at the most", wrong)
	}
	if most := instances * (int(took/(2*time.Second)) + 1); reads > most {
		t.Errorf("got %d operations on the store, want one each two seconds and instance: %d at the most", reads, most)
	}
}

// unlimited is the example without the limits of orders: their counts need the
// store too, and it is the revocations' share that is measured.
func unlimited(t *testing.T) string {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "orders.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	without := regexp.MustCompile(`(?m)^limits:\n(  - .*\n)+`).ReplaceAll(text, nil)
	if len(without) == len(text) {
		t.Fatal("orders has no limits")
	}
	if err := os.WriteFile(name, without, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func get(t *testing.T, url, raw string) int {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode
}

// bookOf writes into the lab's store, as the command would.
func bookOf(t *testing.T, l *lab.Lab) revocation.Book {
	t.Helper()
	server := httptest.NewServer(l.Storage)
	t.Cleanup(server.Close)
	account, err := tables.Open(tables.Options{Address: l.Connection(server.URL), Transport: http.DefaultTransport, Now: time.Now, Try: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return revocation.Book{Rows: account.Table(revocation.TableName), Clock: account.Clock(), NewID: rand.Text}
}
