package adversarial

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
)

// forge is an issuer whose key set is whatever a test makes it, and which signs
// whatever it is given. The gateway trusts it under the name handmade.
type forge struct {
	url  string
	rsa  *rsa.PrivateKey
	ec   *ecdsa.PrivateKey
	tiny weakRSA

	mu      sync.Mutex
	keys    []map[string]any
	fetches map[string]int
}

// Keys are costly under the race detector: made once. The second RSA key is for
// a change of keys, or an attacker's own.
var (
	firstRSA  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	secondRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	onlyEC    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	onlyTiny  = sync.OnceValue(newWeakRSA)
)

func newForge(t testing.TB) *forge {
	t.Helper()
	f := &forge{fetches: map[string]int{}, rsa: firstRSA(), ec: onlyEC(), tiny: onlyTiny()}
	f.publish(f.all(t)...)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// all are good keys, and beside each kind one that must not be used (case 29, 65).
func (f *forge) all(t testing.TB) []map[string]any {
	t.Helper()
	one := jwk(t, "one", &f.rsa.PublicKey)
	one["e"] = "AQ"
	off := jwk(t, "off-curve", &f.ec.PublicKey)
	off["y"] = off["x"]
	secret := jwk(t, "with-private-half", &f.rsa.PublicKey)
	secret["d"] = b64(f.rsa.D.Bytes())
	bound, enc := jwk(t, "rsa-rs256", &f.rsa.PublicKey), jwk(t, "for-encryption", &f.rsa.PublicKey)
	bound["alg"], enc["use"] = "RS256", "enc"
	twice := jwk(t, "twice", &f.rsa.PublicKey)
	return []map[string]any{
		jwk(t, "rsa", &f.rsa.PublicKey), bound, jwk(t, "ec", &f.ec.PublicKey),
		f.tiny.jwk(), one, off, secret, enc, twice, twice,
		{"kty": "oct", "kid": "shared", "use": "sig", "k": b64(sharedSecret())},
		{"kty": "RSA", "kid": "no-modulus"}, {"kty": "EC", "kid": "no-curve", "x": "AA", "y": "AA"}, {"kid": 5},
	}
}

func sharedSecret() []byte { return []byte("a secret of thirty-two bytes, ok") }

func (f *forge) publish(keys ...map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys = keys
}

func (f *forge) asked(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fetches[what]
}

func (f *forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what, document := "keys", any(map[string]any{"keys": f.keys})
	if r.URL.Path == "/.well-known/openid-configuration" {
		what, document = "discovery", map[string]any{"issuer": f.url, "jwks_uri": f.url + "/keys"}
	}
	f.fetches[what]++
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document) // a gateway that has left needs no answer
}

func jwk(t testing.TB, kid string, public any) map[string]any {
	t.Helper()
	text, err := jose.JSONWebKey{Key: public, KeyID: kid, Use: "sig"}.MarshalJSON()
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func b64[T string | []byte](text T) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// compact joins two JSON texts and a signature, whatever they hold.
func compact(header, payload string, sign func(text string) []byte) string {
	text := b64(header) + "." + b64(payload)
	return text + "." + b64(sign(text))
}

func unsigned(string) []byte { return nil }

func fixed(signature []byte) func(string) []byte {
	return func(string) []byte { return signature }
}

// must panics: the random source and keys of our own making don't fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func digest256(text string) []byte { s := sha256.Sum256([]byte(text)); return s[:] }

func rs256(key *rsa.PrivateKey) func(string) []byte {
	return func(text string) []byte {
		return must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest256(text)))
	}
}

func (f *forge) rs256(text string) []byte { return rs256(f.rsa)(text) }

func (f *forge) rs512(text string) []byte {
	s := sha512.Sum512([]byte(text))
	return must(rsa.SignPKCS1v15(rand.Reader, f.rsa, crypto.SHA512, s[:]))
}

func (f *forge) ps256(text string) []byte {
	return must(rsa.SignPSS(rand.Reader, f.rsa, crypto.SHA256, digest256(text), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
}

// rs is an ECDSA signature as JOSE has it (RFC 7518 §3.4), of numbers that may not fit.
func (f *forge) rs(text string) (r, s *big.Int) {
	r, s, err := ecdsa.Sign(rand.Reader, f.ec, digest256(text))
	must(0, err)
	return r, s
}

func (f *forge) es256(text string) []byte { return raw64(f.rs(text)) }

func raw64(r, s *big.Int) []byte {
	return slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))
}

// weakRSA is a key of 512 bits: Go itself refuses to make or use one.
type weakRSA struct{ n, d *big.Int }

func newWeakRSA() weakRSA {
	for e := big.NewInt(65537); ; {
		p, q := must(rand.Prime(rand.Reader, 256)), must(rand.Prime(rand.Reader, 256))
		phi := new(big.Int).Mul(new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Sub(q, big.NewInt(1)))
		n := new(big.Int).Mul(p, q)
		if d := new(big.Int).ModInverse(e, phi); d != nil && n.BitLen() == 512 {
			return weakRSA{n, d}
		}
	}
}

func (k weakRSA) jwk() map[string]any {
	return map[string]any{"kty": "RSA", "kid": "weak", "use": "sig", "n": b64(k.n.Bytes()), "e": "AQAB"}
}

func (k weakRSA) rs256(text string) []byte {
	m := new(big.Int).SetBytes(padded(text, 64))
	return m.Exp(m, k.d, k.n).FillBytes(make([]byte, 64))
}

// padded is the block that RSASSA-PKCS1-v1_5 signs (RFC 8017 §9.2). With an
// exponent of 1 it is its own signature.
func padded(text string, size int) []byte {
	info := append([]byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), digest256(text)...)
	fill := make([]byte, size-3-len(info))
	for i := range fill {
		fill[i] = 0xff
	}
	return slices.Concat([]byte{0, 1}, fill, []byte{0}, info)
}

// claims are a user's token of the forge for the API orders, with members laid over it; nil removes.
func (b *bench) claims(members map[string]any) map[string]any {
	now := b.now().Unix()
	c := map[string]any{
		"iss": b.forge.url, "aud": b.API(b.t, "orders").Audience, "iat": now, "nbf": now, "exp": now + 3600,
		"azp": "c11e0000-0000-4000-8000-000000000002", "sub": "pairwise-subject", "oid": "05e70000-0000-4000-8000-000000000002",
		"scp": "orders.read",
	}
	maps.Copy(c, members)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (b *bench) payload(members map[string]any) string {
	return string(must(json.Marshal(b.claims(members))))
}

// head is a JOSE header of the forge.
func head(alg, kid string) string { return `{"typ":"JWT","alg":"` + alg + `","kid":"` + kid + `"}` }

// hand signs a payload by the forge's plain RSA key.
func (b *bench) hand(payload string) string {
	return compact(head("RS256", "rsa"), payload, b.forge.rs256)
}

// fetch reads what an issuer publishes.
func fetch(t testing.TB, url string, into any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
