package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/shared/refusal"
)

const (
	apiOrigin = "https://api.contoso.example"
	boundText = "header.payload.signature" // proofs look at the token's text only
)

func shaText(text []byte) string {
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// jktOf is RFC 7638 §3, written out for each type of key.
func jktOf(key crypto.PublicKey) string {
	n := func(i *big.Int, size int) string {
		return base64.RawURLEncoding.EncodeToString(i.FillBytes(make([]byte, size)))
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		e := big.NewInt(int64(key.E))
		return shaText(fmt.Appendf(nil, `{"e":"%s","kty":"RSA","n":"%s"}`, n(e, (e.BitLen()+7)/8), n(key.N, key.Size())))
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		must(err)
		half := len(point) / 2
		return shaText(fmt.Appendf(nil, `{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, key.Params().Name,
			b64(string(point[1:1+half])), b64(string(point[1+half:]))))
	default:
		return shaText(fmt.Appendf(nil, `{"crv":"Ed25519","kty":"OKP","x":"%s"}`, b64(string(key.(ed25519.PublicKey)))))
	}
}

// proofHeader has the signer's public key, with members laid over it.
func (s signer) proofHeader(members ...any) string {
	jwk, err := json.Marshal(jwkOf("", s.key.Public(), append([]any{"use", nil}, members...)...))
	must(err)
	return `{"typ":"dpop+jwt","alg":"` + s.alg + `","jwk":` + string(jwk) + `}`
}

// proofClaims fit the request that ask makes at noon.
func proofClaims(jti string) string {
	return `{"jti":"` + jti + `","htm":"GET","htu":"` + apiOrigin + `/orders/7","iat":1795435200,"ath":"` + shaText([]byte(boundText)) + `"}`
}

func (s signer) proof(t testing.TB, jti string) string {
	t.Helper()
	return s.token(t, s.proofHeader(), proofClaims(jti))
}

// ask makes the request of proofClaims; edit changes it.
func (p *proofs) ask(s signer, edit func(r *http.Request), values ...string) *refusal.Refusal {
	r := &http.Request{Method: "GET", Header: http.Header{}}
	for _, v := range values {
		r.Header.Add("DPoP", v)
	}
	if edit != nil {
		edit(r)
	}
	return p.check(r, "/orders/7", boundText, jktOf(s.key.Public()))
}

func atNoon() *proofs { return newProofs(apiOrigin, time.Minute, noon) }

const badProofVerdict = "401 invalid_dpop_proof"

func TestDPoPProofOfEveryKindOfKeyPassesOnce(t *testing.T) {
	for name, s := range map[string]signer{
		"RS256": rsaK1(), "PS256": rsaK1().as("PS256"), "ES256": ecK(), "EdDSA": edK(),
	} {
		t.Run(name, func(t *testing.T) {
			p, text := atNoon(), s.proof(t, "j-1")
			assertVerdict(t, verdictOf(p.ask(s, nil, text)), "granted")
			again := p.ask(s, nil, text)
			assertVerdict(t, verdictOf(again), badProofVerdict)
			if again == nil || !strings.Contains(again.Detail, "used before") {
				t.Errorf("got %+v, want a detail that says the proof was used before", again)
			}
			assertVerdict(t, verdictOf(p.ask(s, nil, s.proof(t, "j-1"))), badProofVerdict) // signed anew, the same jti
			assertVerdict(t, verdictOf(p.ask(s, nil, s.proof(t, "j-2"))), "granted")
		})
	}
}

// TestDPoPCase107 has one fault in each line, in a proof that is signed validly.
func TestDPoPCase107(t *testing.T) {
	p, s := atNoon(), ecK()
	claims := func(old, new string) []string {
		return []string{s.token(t, s.proofHeader(), swap(t, proofClaims("j-1"), old, new))}
	}
	header := func(old, new string) []string {
		return []string{s.token(t, swap(t, s.proofHeader(), old, new), proofClaims("j-1"))}
	}
	at := func(seconds int) []string { return claims("1795435200", fmt.Sprint(1795435200+seconds)) }
	edited := func(edit func(string) string) []string { return []string{edit(s.proof(t, "j-1"))} }
	big := func(n int) []string { return claims("j-1", strings.Repeat("j", n)) }
	good := s.proof(t, "j-1")
	for name, values := range map[string][]string{
		"no proof": nil, "an empty header": {""}, "two proofs": {good, good}, "two in one header": {good + ", " + good}, "two, one of them empty": {good, ""},
		"two parts": edited(func(x string) string { return x[:strings.LastIndex(x, ".")] }), "an empty signature": edited(func(x string) string { return x[:strings.LastIndex(x, ".")+1] }),
		"five parts": {"e30.e30.e30.e30.e30"}, "an empty payload": {"e30..AAAA"}, "padding": edited(func(x string) string { return x + "=" }), "a space behind": edited(func(x string) string { return x + " " }),
		"a line break inside": edited(func(x string) string { return x[:20] + "\n" + x[20:] }), "bits after the last octet": edited(looseEnd), "another signature": edited(func(x string) string { return x[:len(x)-8] + "AAAAAAAA" }),
		"JSON serialisation": {`{"payload":"","signatures":[]}`}, "longer than 8 KiB": claims(`"jti"`, `"x":"`+strings.Repeat("x", 8<<10)+`","jti"`),

		"no typ": header(`"typ":"dpop+jwt",`, ""), "typ JWT": header("dpop+jwt", "JWT"), "typ at+jwt": header("dpop+jwt", "at+jwt"), "typ another type's": header("dpop+jwt", "text/dpop+jwt"), "typ with a parameter": header("dpop+jwt", "dpop+jwt; v=1"), "typ a list": header(`"dpop+jwt"`, `["dpop+jwt"]`),
		"typ there twice": header(`{"typ"`, `{"typ":"JWT","typ"`), "the name typ in another case": header(`"typ"`, `"TYP"`), "typ with a dotted I": header("dpop+jwt", "appl\u0130cation/dpop+jwt"),
		"alg none": header("ES256", "none"), "alg HS256": header("ES256", "HS256"), "alg ES384": header("ES256", "ES384"), "alg in lower case": header("ES256", "es256"), "alg of another type of key": header("ES256", "EdDSA"), "alg RSA's": header("ES256", "RS256"), "no alg": header(`"alg":"ES256",`, ""),
		"jku": header(`{"typ"`, `{"jku":"https://evil.example","typ"`), "x5u": header(`{"typ"`, `{"x5u":"https://evil.example","typ"`), "x5c": header(`{"typ"`, `{"x5c":[],"typ"`), "crit": header(`{"typ"`, `{"crit":["exp"],"typ"`), "crit that go-jose knows": header(`{"typ"`, `{"crit":["b64"],"typ"`), "b64": header(`{"typ"`, `{"b64":true,"typ"`), "zip": header(`{"typ"`, `{"zip":"DEF","typ"`),
		"no jwk": {s.token(t, `{"typ":"dpop+jwt","alg":"ES256"}`, proofClaims("j-1"))}, "jwk a text": {s.token(t, `{"typ":"dpop+jwt","alg":"ES256","jwk":"x"}`, proofClaims("j-1"))}, "jwk null": {s.token(t, `{"typ":"dpop+jwt","alg":"ES256","jwk":null}`, proofClaims("j-1"))},

		"htm of another method": claims("GET", "POST"), "htm in lower case": claims("GET", "get"), "no htm": claims(`"htm":"GET",`, ""), "htm null": claims(`"GET"`, "null"), "htm a list": claims(`"GET"`, `["GET"]`),
		"htu another path": claims("/7", "/8"), "htu another host": claims("api.", "evil."), "htu in clear text": claims("https", "http"), "htu another port": claims(".example/", ".example:8443/"), "htu with a query": claims("/7", "/7?a=1"), "htu with an empty query": claims("/7", "/7?"), "htu with a fragment": claims("/7", "/7#a"),
		"htu with a slash at the end": claims("/7", "/7/"), "htu in another case": claims("/orders", "/Orders"), "htu with an encoded slash": claims("s/7", "s%2F7"), "htu with a broken escape": claims("/7", "/%3"), "htu with a user": claims("//api", "//me@api"), "htu a path": claims(apiOrigin, ""), "htu with a dot segment": claims("/7", "/./7"),
		"htu with a suffix on the host": claims(".example", ".example.evil"), "htu with a backslash": claims("s/7", `s\\7`), "htu with a space": claims("/7", "/7 "), "no htu": claims(`"htu"`, `"HTU"`), "htu a number": claims(`"`+apiOrigin+`/orders/7"`, "7"),

		"iat 61 seconds ago": at(-61), "iat in 61 seconds": at(61), "iat an hour ago": at(-3600), "no iat": claims(`"iat":1795435200,`, ""), "iat a text": claims("1795435200", `"1795435200"`), "iat a fraction": claims("1795435200", "1795435200.0"), "iat with an exponent": claims("1795435200", "17954352e2"), "iat below zero": claims("1795435200", "-1"), "iat beyond int64": claims("1795435200", "99999999999999999999"), "iat null": claims("1795435200", "null"),
		"no jti": claims(`"jti":"j-1",`, ""), "jti empty": big(0), "jti a number": claims(`"j-1"`, "1"), "jti of 257 bytes": big(257), "jti there twice": claims(`{"jti"`, `{"jti":"x","jti"`),
		"no ath": claims(`,"ath":"`+shaText([]byte(boundText))+`"`, ""), "ath of another token": claims(shaText([]byte(boundText)), shaText([]byte(boundText+"x"))), "ath empty": claims(shaText([]byte(boundText)), ""), "ath with padding": claims(shaText([]byte(boundText)), shaText([]byte(boundText))+"="), "ath in another case": claims(`"ath"`, `"Ath"`),
		"payload a list": {s.token(t, s.proofHeader(), `[]`)}, "payload not JSON": {s.token(t, s.proofHeader(), proofClaims("j-1")+"x")}, "header not JSON": {s.token(t, `{`, proofClaims("j-1"))},
		"signed by another key": {newEC("", elliptic.P256()).token(t, s.proofHeader(), proofClaims("j-1"))}, "of a key that isn't the token's": {edK().proof(t, "j-1")},
	} {
		refused := p.ask(s, nil, values...)
		if got := verdictOf(refused); got != badProofVerdict {
			t.Errorf("%s: got %s, want %s", name, got, badProofVerdict)
		} else if c := refused.Challenge; c == nil || c.Scheme != "DPoP" || c.Error != "invalid_dpop_proof" || len(c.Algs) != 4 {
			t.Errorf("%s: got challenge %+v, want that of RFC 9449 §7.1", name, c)
		}
	}
	if len(p.seen.seen) != 0 {
		t.Errorf("got %d proofs remembered of those that failed, want none", len(p.seen.seen))
	}
	assertVerdict(t, verdictOf(p.ask(s, nil, good)), "granted")
}

// looseEnd sets a bit behind the last whole octet of the signature: 64 octets are 86 characters, and four bits are left over.
func looseEnd(x string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return x[:len(x)-1] + string(alphabet[strings.IndexByte(alphabet, x[len(x)-1])|1])
}

func TestDPoPKeysThatAreNotOnePublicKeyForTheAlgorithmAreRefused(t *testing.T) {
	ec, ed, strong := ecK(), edK(), rsaK1()
	n := strong.jwk()["n"].(string)
	octets, err := base64.RawURLEncoding.DecodeString(n)
	must(err)
	for name, c := range map[string]struct {
		s      signer
		header string
	}{
		"a private EC key": {ec, ec.proofHeader("d", "AAAA")}, "a private Ed25519 key": {ed, ed.proofHeader("d", "AAAA")}, "a private member that is null": {ec, ec.proofHeader("d", raw("null"))},
		"RSA with p": {strong, strong.proofHeader("p", "AAAA")}, "RSA with qi": {strong, strong.proofHeader("qi", "AAAA")}, "RSA with oth": {strong, strong.proofHeader("oth", []int{})}, "with k": {ec, ec.proofHeader("k", "AAAA")},
		"RSA of 1024 bits": {rsaWeak(), rsaWeak().proofHeader()}, "ES256 with P-384": {ec384(), ec384().proofHeader()}, "an unknown curve": {ec, ec.proofHeader("crv", "secp256k1")}, "Ed448": {ed, ed.proofHeader("crv", "Ed448")},
		"a symmetric key": {ec, ec.proofHeader("kty", "oct", "k", "AAAA")}, "another kty": {ec, ec.proofHeader("kty", "OKP")}, "no kty": {ec, ec.proofHeader("kty", nil)}, "no y": {ec, ec.proofHeader("y", nil)}, "y empty": {ec, ec.proofHeader("y", "")},
		"a point off the curve": {ec, ec.proofHeader("y", ec.jwk()["x"])}, "x too short": {ec, ec.proofHeader("x", "AAAA")}, "x with padding": {ec, ec.proofHeader("x", ec.jwk()["x"].(string)+"=")}, "x with a line break": {ec, ec.proofHeader("x", ec.jwk()["x"].(string)+"\n")},
		"Ed25519's low order": {ed, ed.proofHeader("x", b64("\x01"+strings.Repeat("\x00", 31)))}, "e = 1": {strong, strong.proofHeader("e", "AQ")}, "n with a zero before it": {strong, strong.proofHeader("n", b64("\x00"+string(octets)))},
		"alg of another use": {strong, strong.proofHeader("alg", "PS256")}, "use enc": {ec, ec.proofHeader("use", "enc")}, "key_ops without verify": {ec, ec.proofHeader("key_ops", []string{"deriveKey"})}, "key_ops a number": {ec, ec.proofHeader("key_ops", 1)},
		"x5c in the key": {ec, ec.proofHeader("x5c", []string{})}, "x5u in the key": {ec, ec.proofHeader("x5u", "https://evil.example")},
	} {
		p := atNoon()
		refused := p.ask(c.s, nil, c.s.token(t, c.header, proofClaims("j-1")))
		if got := verdictOf(refused); got != badProofVerdict || !strings.Contains(refused.Detail, "jwk") {
			t.Errorf("%s: got %s (%+v), want %s for its jwk", name, got, refused, badProofVerdict)
		}
	}
	for name, s := range map[string]string{
		"use sig": ec.proofHeader("use", "sig"), "key_ops verify": ec.proofHeader("key_ops", []string{"verify"}), "its own alg": ec.proofHeader("alg", "ES256"), "a kid and an unknown member": ec.proofHeader("kid", "any", "ext", true),
		"typ in capitals": swap(t, ec.proofHeader(), "dpop+jwt", "DPoP+JWT"), "typ written out": swap(t, ec.proofHeader(), "dpop+jwt", "application/dpop+jwt"),
		"a nonce nobody asked for": swap(t, ec.proofHeader(), `{"typ"`, `{"nonce":"x","typ"`),
	} {
		p := atNoon()
		if got := verdictOf(p.ask(ec, nil, ec.token(t, s, proofClaims("j-1")))); got != "granted" {
			t.Errorf("%s: got %s, want granted", name, got)
		}
	}
}

func TestDPoPProofFitsOneRequestOneTokenAndOneKey(t *testing.T) {
	s := ecK()
	jkt := jktOf(s.key.Public())
	for name, c := range map[string]struct{ method, path, token, jkt, host, want string }{
		"the request it was made for":        {"GET", "/orders/7", boundText, jkt, "", "granted"},
		"the Host header counts for nothing": {"GET", "/orders/7", boundText, jkt, "evil.example", "granted"},
		"another method":                     {"HEAD", "/orders/7", boundText, jkt, "", badProofVerdict},
		"another path":                       {"GET", "/orders/77", boundText, jkt, "", badProofVerdict},
		"a path that goes on with the host":  {"GET", ".evil/orders/7", boundText, jkt, "", badProofVerdict},
		"no path":                            {"GET", "", boundText, jkt, "", badProofVerdict},
		"another token":                      {"GET", "/orders/7", boundText + "x", jkt, "", badProofVerdict},
		"another key":                        {"GET", "/orders/7", boundText, jktOf(edK().key.Public()), "", badProofVerdict},
		"no key":                             {"GET", "/orders/7", boundText, "", "", badProofVerdict},
		"a thumbprint in another case":       {"GET", "/orders/7", boundText, strings.ToUpper(jkt), "", badProofVerdict},
	} {
		r := &http.Request{Method: c.method, Host: c.host, Header: http.Header{"Dpop": {s.proof(t, "j-1")}}}
		if got := verdictOf(atNoon().check(r, c.path, c.token, c.jkt)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	r := &http.Request{Header: http.Header{"Dpop": {s.token(t, s.proofHeader(), swap(t, proofClaims("j-1"), "GET", ""))}}}
	assertVerdict(t, verdictOf(atNoon().check(r, "/orders/7", boundText, jkt)), badProofVerdict) // no method is none to prove
}
