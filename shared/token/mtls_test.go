package token

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const arr = "X-ARR-ClientCert"

// certificateOf is a self-signed one, its thumbprint by the definition of RFC 8705 §3.1.
func certificateOf(t testing.TB, s signer) (der []byte, thumbprint string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: noon()}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.key.Public(), s.key)
	must(err)
	sum := sha256.Sum256(der)
	return der, base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestMTLSTokenPassesWithItsCertificateInEveryFormThatFrontEndsSend(t *testing.T) {
	for kind, s := range map[string]signer{"RSA": rsaK1(), "EC": ecK(), "Ed25519": edK()} {
		der, thumbprint := certificateOf(t, s)
		plain := base64.StdEncoding.EncodeToString(der)
		armoured := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		oneLine := strings.ReplaceAll(strings.TrimSpace(armoured), "\n", " ")
		for form, text := range map[string]string{
			"base64, as Azure sends it": plain, "PEM": armoured, "PEM with CRLF": strings.ReplaceAll(armoured, "\n", "\r\n"), "PEM on one line": oneLine, "PEM with tabs": strings.ReplaceAll(armoured, "\n", "\n\t"),
			"percent-encoded PEM": url.PathEscape(armoured), "percent-encoded base64": url.QueryEscape(plain), "base64 in lines": strings.ReplaceAll(oneLine[28:len(oneLine)-26], " ", "\r\n"),
		} {
			h := http.Header{}
			h.Set(arr, text)
			if got := verdictOf(checkCertificate(h, arr, thumbprint)); got != "granted" {
				t.Errorf("%s, %s: got %s, want granted", kind, form, got)
			}
		}
	}
}

func TestMTLSTokenIsRefusedWithoutItsOneCertificate(t *testing.T) {
	der, thumbprint := certificateOf(t, ecK())
	other, othersThumbprint := certificateOf(t, ecK())
	if bytes.Equal(der, other) || thumbprint == othersThumbprint {
		t.Fatal("the two certificates are one")
	}
	text := base64.StdEncoding.EncodeToString(der)
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	empty := shaText(nil)
	for name, c := range map[string]struct {
		thumbprint string
		values     []string
	}{
		"no certificate": {thumbprint, nil}, "an empty header": {thumbprint, []string{""}}, "an empty header and the digest of nothing": {empty, []string{""}}, "empty armour and the digest of nothing": {empty, []string{"-----BEGIN CERTIFICATE----------END CERTIFICATE-----"}},
		"another certificate": {thumbprint, []string{base64.StdEncoding.EncodeToString(other)}}, "two headers": {thumbprint, []string{text, text}}, "two in one": {thumbprint, []string{text + "," + text}}, "a chain": {thumbprint, []string{armoured + armoured}},
		"an octet behind": {thumbprint, []string{base64.StdEncoding.EncodeToString(append(bytes.Clone(der), 0))}}, "an octet less": {thumbprint, []string{base64.StdEncoding.EncodeToString(der[:len(der)-1])}},
		"not base64": {thumbprint, []string{"?"}}, "base64url": {thumbprint, []string{base64.RawURLEncoding.EncodeToString(append([]byte{0xff, 0xff, 0xff}, der...))}}, "a broken escape": {thumbprint, []string{text + "%2"}}, "armour without an end": {thumbprint, []string{armoured[:len(armoured)-20]}}, "armour that only begins": {thumbprint, []string{armoured[:strings.Index(armoured, "-----END")]}}, "bits after the last octet": {shaText([]byte("x")), []string{"eB=="}}, "armour of something else": {thumbprint, []string{strings.ReplaceAll(armoured, "CERTIFICATE", "PUBLIC KEY")}},
		"PEM of a form, + for space": {thumbprint, []string{url.QueryEscape(armoured)}}, "escaped twice": {thumbprint, []string{url.PathEscape(url.PathEscape(armoured))}}, "longer than can be": {thumbprint, []string{strings.Repeat(" ", maxCertificate) + text}},
		"the thumbprint in another case": {strings.ToUpper(thumbprint), []string{text}}, "with padding": {thumbprint + "=", []string{text}}, "a prefix": {thumbprint[:42], []string{text}}, "no thumbprint": {"", []string{text}}, "no thumbprint and no certificate": {"", nil}, "the digest itself": {thumbprint, []string{thumbprint}},
	} {
		h := http.Header{}
		for _, v := range c.values {
			h.Add(arr, v)
		}
		refused := checkCertificate(h, arr, c.thumbprint)
		if got := verdictOf(refused); got != "401 certificate_mismatch" {
			t.Errorf("%s: got %s, want 401 certificate_mismatch", name, got)
		} else if refused.Challenge == nil || refused.Challenge.Error != "invalid_token" {
			t.Errorf("%s: got challenge %+v, want invalid_token (RFC 8705 §3)", name, refused.Challenge)
		}
	}
}

func TestMTLSCertificateInAnotherHeaderCountsForNothing(t *testing.T) {
	der, thumbprint := certificateOf(t, edK())
	h := http.Header{"X-Client-Cert": {base64.StdEncoding.EncodeToString(der)}}
	assertVerdict(t, verdictOf(checkCertificate(h, arr, thumbprint)), "401 certificate_mismatch")
	assertVerdict(t, verdictOf(checkCertificate(h, "", thumbprint)), "401 certificate_mismatch")
	assertVerdict(t, verdictOf(checkCertificate(h, "x-client-cert", thumbprint)), "granted")
}
