package tables_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	rows "tollgate/shared/tables"
	"tollgate/tests/azurite"
)

// open is an account at url, as one instance has it.
func open(t *testing.T, url, account, key string, now func() time.Time) *rows.Account {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	a, err := rows.Open(rows.Options{
		Address:   "AccountName=" + account + ";AccountKey=" + key + ";TableEndpoint=" + url,
		Transport: transport, Now: now, Try: 5 * time.Second, // a loaded machine is no outage
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func instances(url, account, key string, now func() time.Time) func(t *testing.T) limit.Store {
	return func(t *testing.T) limit.Store {
		a := open(t, url, account, key, now)
		return tables.New(a.Table(tables.Name), tables.Options{Clock: a.Clock(), Now: now, Try: 5 * time.Second})
	}
}

func TestConformanceOnTheStandIn(t *testing.T) {
	limittest.Run(t, func(t *testing.T) limittest.Backing {
		passed := new(atomic.Int64) // beside the real clock
		now := func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
		s := storage.New(storage.Options{Key: azurite.Key, Now: now})
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		return limittest.Backing{
			Instance: instances(server.URL+"/"+storage.DefaultAccount, storage.DefaultAccount, azurite.Key, now),
			Pass:     func(d time.Duration) { passed.Add(int64(d)) },
		}
	})
}

func TestConformanceOnAzurite(t *testing.T) {
	url, account, key := azurite.Start(t)
	limittest.Run(t, func(t *testing.T) limittest.Backing {
		return limittest.Backing{Instance: instances(url, account, key, time.Now)}
	})
}
