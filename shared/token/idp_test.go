package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// idpIssuer looks like Entra's v2 issuer.
const idpIssuer = "https://login.idp.example/" + home + "/v2.0"

// idp is an identity provider without a network: it answers as a RoundTripper,
// publishes any key set, however wrong, and counts. It works inside a synctest bubble.
type idp struct {
	mu        sync.Mutex
	keys      []any                                       // entries of the key set
	answer    func(*http.Request) (*http.Response, error) // instead of the documents, where not nil
	members   map[string]any                              // laid over the discovery document
	counts    map[string]int                              // "discovery" and "keys"
	onRequest func(what string, r *http.Request)          // outside the lock
	clock     *clock
}

func newIDP(keys ...any) *idp {
	return &idp{keys: keys, counts: map[string]int{}, clock: &clock{at: noon()}}
}

func (p *idp) trusted() contract.TrustedIssuer {
	return contract.TrustedIssuer{Name: "entra", Profile: "entra", Issuer: idpIssuer, Discovery: idpIssuer, Tenant: home, TokenVersion: "2.0"}
}

// stage is a cold trust in the provider.
func (p *idp) stage(algorithms ...string) pipeline.Stage {
	if len(algorithms) == 0 {
		algorithms = []string{"RS256"}
	}
	return p.stageFor(p.trusted(), algorithms...)
}

func (p *idp) stageFor(is contract.TrustedIssuer, algorithms ...string) pipeline.Stage {
	trust := NewTrust(planOf(algorithms, is), p, p.clock.Now, Options{})
	return trust.Verify([]contract.Accepted{{Issuer: is, Audiences: []string{ordersID}}}, contract.Proof{})
}

func (p *idp) publish(keys ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

// fail answers every request by f; nil heals.
func (p *idp) fail(f func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *idp) fetches(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[what]
}

func (p *idp) RoundTrip(r *http.Request) (*http.Response, error) {
	what := "keys"
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		what = "discovery"
	}
	p.mu.Lock()
	p.counts[what]++
	hook, answer := p.onRequest, p.answer
	var document any = map[string]any{"keys": p.keys}
	if what == "discovery" {
		members := map[string]any{"issuer": idpIssuer, "jwks_uri": "https://login.idp.example/keys"}
		maps.Copy(members, p.members)
		document = members
	}
	p.mu.Unlock()
	if hook != nil {
		hook(what, r)
	}
	if answer != nil {
		return answer(r)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	return answered(r, http.StatusOK, bytes.NewReader(text)), nil
}

func answered(r *http.Request, status int, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(body), ContentLength: -1, Request: r,
	}
}

// signer signs what it is given and knows no better.
type signer struct {
	kid string
	alg string
	key crypto.Signer
}

// Keys are costly under the race detector: made once, by name.
var (
	rsaK1   = sync.OnceValue(func() signer { return newRSA("k1", 2048) })
	rsaK2   = sync.OnceValue(func() signer { return newRSA("k2", 2048) })
	rsaWeak = sync.OnceValue(func() signer { return newRSA("weak", 1024) })
	ecK     = sync.OnceValue(func() signer { return newEC("ec", elliptic.P256()) })
	ec384   = sync.OnceValue(func() signer { return newEC("ec384", elliptic.P384()) })
	edK     = sync.OnceValue(func() signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		must(err)
		return signer{"ed", "EdDSA", key}
	})
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func newRSA(kid string, bits int) signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(err)
	return signer{kid, "RS256", key}
}

func newEC(kid string, curve elliptic.Curve) signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	must(err)
	return signer{kid, "ES256", key}
}

// jwk is the public half as a key set holds it, with members laid over it.
func (s signer) jwk(members ...any) map[string]any {
	return jwkOf(s.kid, s.key.Public(), members...)
}

func jwkOf(kid string, key any, members ...any) map[string]any {
	text, err := jose.JSONWebKey{Key: key, KeyID: kid, Use: "sig"}.MarshalJSON()
	must(err)
	out := map[string]any{}
	must(json.Unmarshal(text, &out))
	for i := 0; i+1 < len(members); i += 2 {
		if members[i+1] == nil {
			delete(out, members[i].(string))
		} else {
			out[members[i].(string)] = members[i+1]
		}
	}
	return out
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// header is the JOSE header that Entra writes, with members laid over it (JSON).
func (s signer) header() string { return `{"typ":"JWT","alg":"` + s.alg + `","kid":"` + s.kid + `"}` }

// claimsText is a valid payload of the idp, as Entra's v2 has it.
func claimsText() string {
	return `{"aud":"` + ordersID + `","iss":"` + idpIssuer + `","iat":1795435200,"nbf":1795435200,"exp":1795439700,` +
		`"azp":"c11e0000-0000-4000-8000-000000000001","azpacr":"1","idtyp":"user","oid":"` + alice + `","sub":"pairwise-1",` +
		`"scp":"Orders.Read","tid":"` + home + `","uti":"u-1","ver":"2.0"}`
}

// token signs two JSON texts, whatever they hold.
func (s signer) token(t testing.TB, header, payload string) string {
	t.Helper()
	text := b64(header) + "." + b64(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.signature(t, text))
}

// valid is a token that nothing is wrong with.
func (s signer) valid(t testing.TB) string { t.Helper(); return s.token(t, s.header(), claimsText()) }

// as signs by another algorithm, and says so in the header.
func (s signer) as(alg string) signer { s.alg = alg; return s }

// named claims another kid.
func (s signer) named(kid string) signer { s.kid = kid; return s }

func (s signer) signature(t testing.TB, text string) []byte {
	t.Helper()
	hash, opts := crypto.SHA256, crypto.SignerOpts(crypto.SHA256)
	switch s.alg {
	case "RS512":
		hash, opts = crypto.SHA512, crypto.SHA512
	case "PS256":
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	case "EdDSA":
		sig, err := s.key.Sign(rand.Reader, []byte(text), crypto.Hash(0))
		must(err)
		return sig
	}
	h := hash.New()
	h.Write([]byte(text))
	if key, isEC := s.key.(*ecdsa.PrivateKey); isEC {
		r, v, err := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
		must(err)
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), v.FillBytes(make([]byte, size))...)
	}
	sig, err := s.key.Sign(rand.Reader, h.Sum(nil), opts)
	must(err)
	return sig
}

// swap replaces the first old; a swap that changes nothing is a mistake in the test.
func swap(t testing.TB, text, old, new string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q isn't in the text", old)
	}
	return strings.Replace(text, old, new, 1)
}
