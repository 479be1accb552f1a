package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/verify"
)

const (
	gateway = "https://api.example"
	backend = "https://orders.internal.example"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type members = map[string]any

// forger makes both tokens as the gateway would, until a test alters them.
type forger struct {
	root, instance       *ecdsa.PrivateKey // what they are signed with
	header, claims       members           // of the assertion
	keyHeader, statement members           // of the key statement
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func thumbprint(t testing.TB, key *ecdsa.PublicKey) string {
	t.Helper()
	kid, err := jwk.Thumbprint(key)
	if err != nil {
		t.Fatal(err)
	}
	return kid
}

func jwkOf(t testing.TB, key *ecdsa.PublicKey) members {
	t.Helper()
	text, err := jwk.Append(nil, key)
	if err != nil {
		t.Fatal(err)
	}
	var m members
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func newForger(t testing.TB) *forger {
	f := &forger{root: newKey(t)}
	f.as(t, newKey(t))
	f.keyHeader = members{"alg": "ES256", "typ": verify.KeyType, "kid": thumbprint(t, &f.root.PublicKey)}
	f.claims = members{
		"iss": gateway, "aud": backend, "iat": noon.Unix(), "exp": noon.Add(time.Minute).Unix(), "jti": "c0ffee",
		"htm": "GET", "path": "/orders/42", "qh": "wxk6oq1--v_OjNfNKHbbAQxuAmaAkpsyupNzF7Wzr4g", // of expand=lines
		"api": "orders", "operation": "get", "claimsContract": 1, "principal": "user",
		"headers": members{"X-User-Id": "u-1", "X-Roles": "", "X-Scopes": "a%2Cb,c"},
	}
	return f
}

// as makes another key the instance's, and certifies it.
func (f *forger) as(t testing.TB, key *ecdsa.PrivateKey) {
	f.instance = key
	f.header = members{"alg": "ES256", "typ": verify.Type, "kid": thumbprint(t, &key.PublicKey)}
	f.statement = members{"iss": gateway, "iat": noon.Add(-time.Minute).Unix(), "exp": noon.Add(time.Hour).Unix(), "cnf": members{"jwk": jwkOf(t, &key.PublicKey)}}
}

func encode(t testing.TB, m members) string {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func sign(t testing.TB, key *ecdsa.PrivateKey, text string) string {
	t.Helper()
	signature, err := jwk.Sign(key, sha256.Sum256([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (f *forger) tokens(t testing.TB) (assertion, statement string) {
	t.Helper()
	return sign(t, f.instance, encode(t, f.header)+"."+encode(t, f.claims)), sign(t, f.root, encode(t, f.keyHeader)+"."+encode(t, f.statement))
}

// request is the call that the untouched claims are about.
func (f *forger) request(t testing.TB) *http.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "/orders/42?expand=lines", nil)
	assertion, statement := f.tokens(t)
	r.Header.Set(verify.Header, assertion)
	r.Header.Set(verify.KeyHeader, statement)
	r.Header.Set("X-User-Id", "u-1")
	r.Header.Set("X-Scopes", "a%2Cb,c")
	return r
}

// verifier believes the forger's root alone, at noon.
func (f *forger) verifier(t testing.TB, change ...func(*verify.Options)) *verify.Verifier {
	t.Helper()
	root := f.root.PublicKey
	kid := thumbprint(t, &root)
	o := verify.Options{Issuer: gateway, Audience: backend, Now: func() time.Time { return noon }, Keys: func(_ context.Context, id string) (*ecdsa.PublicKey, error) {
		if id != kid {
			return nil, nil
		}
		return &root, nil
	}}
	for _, c := range change {
		c(&o)
	}
	v, err := verify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func with(m members, name string, value any) members {
	m = maps.Clone(m)
	if m[name] = value; value == nil {
		delete(m, name)
	}
	return m
}

func codeOf(fault *verify.Fault) string {
	if fault == nil {
		return "believed"
	}
	return fault.Code
}

// tamper replaces one of the three parts of a token.
func tamper(token string, part int, with func(string) string) string {
	parts := strings.Split(token, ".")
	parts[part] = with(parts[part])
	return strings.Join(parts, ".")
}
