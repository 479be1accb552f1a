package lab

import (
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"tollgate/localrun/credentials"
	"tollgate/localrun/estate"
	"tollgate/shared/boot"
)

// Pass lets time pass for everything but TLS. Only for a lab in this process.
func (l *Lab) Pass(d time.Duration) { l.passed.Add(int64(d)) }

func (l *Lab) now() time.Time { return time.Now().Add(time.Duration(l.passed.Load())) }

// surround starts the vault, the identity endpoint, and the backend that demands
// a certificate; what reaches that one is in the same record.
func (l *Lab) surround(t testing.TB, a *estate.Addresses) {
	t.Helper()
	var err error
	if l.Around, err = credentials.New(l.now); err != nil {
		t.Fatal(err)
	}
	vaults, identities, back := httptest.NewServer(l.Vault), httptest.NewServer(l.Identity), httptest.NewUnstartedServer(l.Backend)
	back.TLS = l.TLS
	back.StartTLS()
	store, aws := httptest.NewServer(l.Storage), httptest.NewServer(l.STS)
	for _, s := range []*httptest.Server{vaults, identities, back, store, aws} {
		t.Cleanup(s.Close)
	}
	l.sts, l.identity, l.Tables = aws.URL, identities.URL, l.Connection(store.URL)
	a.Vault, a.Secure, a.Tables, a.CA = vaults.URL, back.URL, credentials.StoreAddress(store.URL), string(l.Authority.PEM())
}

// outside is the process that the gateway believes to be in.
func (l *Lab) outside(adjust []func(*Lab, map[string]string)) boot.Outside {
	settings := credentials.Settings(l.identity, l.Header)
	for _, a := range adjust {
		a(l, settings)
	}
	return boot.Outside{Getenv: func(name string) string { return settings[name] }, Now: l.now}
}

// settings are the app's.
func (l *Lab) settings() map[string]string {
	s := map[string]string{boot.Contracts: l.Local.Dir, boot.Environment: estate.Name}
	maps.Copy(s, credentials.Settings(l.identity, l.Header))
	return s
}

// onLambda are those of a function of AWS Lambda.
func (l *Lab) onLambda() map[string]string {
	s := map[string]string{boot.Contracts: l.Local.Dir, boot.Environment: estate.Name}
	maps.Copy(s, credentials.OnLambda(l.sts))
	return s
}
