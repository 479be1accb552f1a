package contract_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
)

var newYear = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// signed is a certificate as PEM that ends at a time.
func signed(t *testing.T, authority bool, until time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: until.Add(-time.Hour), NotAfter: until, IsCA: authority, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// trusting is the base estate with a private authority.
func trusting(text string) []string {
	block := "ca:\n  internal: |\n    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\nclientId:"
	return both(backendOf(`url: "${backend.orders}", ca: internal`), []string{"environments/prod.yaml", "clientId:", block})
}

func TestAnAuthoritysCertificatesAreBound(t *testing.T) {
	two := signed(t, true, newYear) + signed(t, true, newYear.AddDate(1, 0, 0))
	e, faults := contract.Load(estate(trusting(two)...))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	p, faults := e.Plan("prod")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if pool := x509.NewCertPool(); strings.Count(p.APIs[0].Backend.CA, "BEGIN CERTIFICATE") != 2 || !pool.AppendCertsFromPEM([]byte(p.APIs[0].Backend.CA)) {
		t.Errorf("got %q, want both certificates", p.APIs[0].Backend.CA)
	}
	for at, want := range map[time.Time]int{newYear: 0, newYear.Add(time.Second): 1, newYear.AddDate(2, 0, 0): 2} {
		got := p.Outdated(at)
		if len(got) != want || len(got.Errors()) > 0 {
			t.Errorf("%s: got %v, want %d warnings", at, got, want)
		}
		if want > 0 && !strings.HasPrefix(got[0].String(), "orders.yaml:5:1: warning: the certificate authority CN=x expired on 2030-01-01") {
			t.Errorf("got %s, want the API's line", got[0])
		}
	}
}

func TestAServersOwnCertificateIsNoAuthority(t *testing.T) {
	assertFault(t, faultsOf(estate(trusting(signed(t, true, newYear)+signed(t, false, newYear))...)), "environments/prod.yaml:5:13: error: the certificate of CN=x is no authority's")
	assertFault(t, faultsOf(estate(trusting(signed(t, true, newYear)+"\nrest")...)), "environments/prod.yaml:5:13: error: is not PEM text")
}
