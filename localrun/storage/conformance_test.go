package storage_test

import (
	"net/http/httptest"
	"testing"

	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
)

const key = "dG9sbGdhdGUgdG9sbGdhdGUgdG9sbGdhdGUgdG9sbGc=" // of nothing but these tests

func start(t testing.TB, o storage.Options) (*storage.Storage, storagetest.Service) {
	t.Helper()
	if o.Key == "" {
		o.Key = key
	}
	s := storage.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, storagetest.Service{URL: server.URL + "/" + storage.DefaultAccount, Account: storage.DefaultAccount, Key: o.Key}
}

func TestTheStandInIsATableService(t *testing.T) {
	_, service := start(t, storage.Options{})
	storagetest.Run(t, service)
}
