package tables_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
	"tollgate/shared/tables"
	"tollgate/tests/azurite"
)

// patient is how long a try is where it is not what's tested: a loaded machine is no outage.
const patient = 20 * time.Second

// promise is one thing that a table does, whoever keeps it.
type promise struct {
	name string
	kept func(b *bench)
}

func TestOnTheStandIn(t *testing.T) {
	_, service := standIn(t, storage.Options{})
	keep(t, service)
}

func TestOnAzurite(t *testing.T) {
	url, account, key := azurite.Start(t)
	keep(t, storagetest.Service{URL: url, Account: account, Key: key, Azurite: true})
}

func keep(t *testing.T, s storagetest.Service) {
	for group, all := range map[string][]promise{"rows": rows(), "making": making(), "fields": fields(), "foreign": foreign(), "lists": lists()} {
		t.Run(group, func(t *testing.T) {
			for _, p := range all {
				t.Run(p.name, func(t *testing.T) { p.kept(newBench(t, s)) })
			}
		})
	}
}

// bench is one table, which isn't there yet, and aztables' own view of it.
type bench struct {
	*testing.T
	*tables.Table
	account *tables.Account
	raw     *aztables.Client
}

func newBench(t *testing.T, s storagetest.Service) *bench {
	t.Helper()
	a, name := open(t, shared(s), patient), "t"+rand.Text()
	return &bench{t, a.Table(name), a, storagetest.Client(t, s).NewClient(name)}
}

func standIn(t testing.TB, o storage.Options) (*storage.Storage, storagetest.Service) {
	t.Helper()
	o.Key = azurite.Key
	s := storage.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, storagetest.Service{URL: server.URL + "/" + storage.DefaultAccount, Account: storage.DefaultAccount, Key: azurite.Key}
}

// shared is the connection string with the account's key.
func shared(s storagetest.Service) string {
	return "AccountName=" + s.Account + ";AccountKey=" + s.Key + ";TableEndpoint=" + s.URL
}

// transport is of connections that end with the test.
func transport(t testing.TB) http.RoundTripper {
	own := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(own.CloseIdleConnections)
	return own
}

func open(t testing.TB, address string, try time.Duration) *tables.Account {
	t.Helper()
	a, err := tables.Open(tables.Options{Address: address, Transport: transport(t), Now: time.Now, Try: try})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func key(partition, row string) tables.Key { return tables.Key{Partition: partition, Row: row} }

// counted is a row with one number.
func counted(k tables.Key, n int64) tables.Row {
	return tables.Row{Key: k, Fields: tables.Fields{"N": n}}
}

// must is the ETag of a write that has to succeed.
func (b *bench) must(etag string, err error) string {
	b.Helper()
	if err != nil || etag == "" {
		b.Fatalf("got the ETag %q, %v", etag, err)
	}
	return etag
}

// holds wants the row to have that number.
func (b *bench) holds(k tables.Key, n int64) tables.Row {
	b.Helper()
	row, err := b.Get(b.ctx(), k)
	if err != nil || row.Key != k || row.ETag == "" || row.Fields.Int("N") != n {
		b.Errorf("got %+v, %v, want %d", row, err, n)
	}
	return row
}

func (b *bench) gives(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func (b *bench) ctx() context.Context { return b.T.Context() }
