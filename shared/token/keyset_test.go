package token

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
)

// privateJWK is a whole key pair, as nobody should publish it.
func privateJWK(k signer, kid string, without ...string) map[string]any {
	text, err := jose.JSONWebKey{Key: k.key, KeyID: kid, Use: "sig"}.MarshalJSON()
	must(err)
	out := map[string]any{}
	must(json.Unmarshal(text, &out))
	for _, name := range without {
		delete(out, name)
	}
	return out
}

// bad are entries of a key set that must not verify anything, each with a token
// that it would verify if it did.
func badEntries(t *testing.T) map[string]struct {
	entry any
	token string
} {
	k := rsaK2().named("bad")
	n := func(v *big.Int) string { return base64.RawURLEncoding.EncodeToString(v.Bytes()) }
	offCurve := ecK().named("bad").jwk()
	y := bigOf(offCurve["y"].(string))
	offCurve["y"] = base64.RawURLEncoding.EncodeToString(y.Xor(y, big.NewInt(1)).FillBytes(make([]byte, 32)))
	tiny := new(big.Int).Rsh(k.key.Public().(*rsa.PublicKey).N, 2048-512)
	secret := []byte(strings.Repeat("s", 64))
	type bad = struct {
		entry any
		token string
	}
	rsaBad := func(members ...any) bad { return bad{k.jwk(members...), k.valid(t)} }
	return map[string]bad{
		"C65 a number":                           {5, k.valid(t)},
		"C65 null":                               {nil, k.valid(t)},
		"C65 a text":                             {"key", k.valid(t)},
		"C65 a list":                             {[]any{k.jwk()}, k.valid(t)},
		"C65 an empty object":                    {map[string]any{}, k.valid(t)},
		"C65 no kty":                             rsaBad("kty", nil),
		"C65 a kty that nobody knows":            rsaBad("kty", "PQC"),
		"C65 n that is not base64url":            rsaBad("n", "!!!"),
		"C65 n that is a number":                 rsaBad("n", 65537),
		"C65 no n":                               rsaBad("n", nil),
		"C65 no e":                               rsaBad("e", nil),
		"C65 no kid":                             rsaBad("kid", nil),
		"C65 an empty kid":                       rsaBad("kid", ""),
		"C65 a kid that is a number":             rsaBad("kid", 1),
		"C65 x5c of nonsense":                    rsaBad("x5c", []string{"MIIB"}),
		"C65 alg that is a number":               rsaBad("alg", 256),
		"C65 an oct key":                         {map[string]any{"kty": "oct", "kid": "k1", "k": base64.RawURLEncoding.EncodeToString(secret)}, hmacToken(secret)},
		"C65 an oct key that says RS256":         {map[string]any{"kty": "oct", "kid": "bad", "alg": "RS256", "k": base64.RawURLEncoding.EncodeToString(secret)}, k.valid(t)},
		"C65 a whole RSA key pair":               {privateJWK(rsaK2(), "bad"), k.valid(t)},
		"C65 a whole EC key pair":                {privateJWK(ecK(), "bad"), ecK().named("bad").valid(t)},
		"C65 a whole Ed25519 key pair":           {privateJWK(edK(), "bad"), edK().named("bad").valid(t)},
		"C65 an RSA key pair's primes without d": {privateJWK(rsaK2(), "bad", "d"), k.valid(t)},
		"use enc":                                rsaBad("use", "enc"),
		"use SIG in another case":                rsaBad("use", "SIG"),
		"use that is a list":                     rsaBad("use", []string{"sig"}),
		"key_ops without verify":                 rsaBad("key_ops", []string{"sign", "encrypt"}),
		"no key_ops at all":                      rsaBad("key_ops", []string{}),
		"key_ops that is a text":                 rsaBad("key_ops", "verify"),
		"a key of another issuer":                rsaBad("issuer", "https://login.idp.example/"+foreign+"/v2.0"),
		"a key of another host's issuer":         rsaBad("issuer", "https://evil.example/"+home+"/v2.0"),
		"a key of this tenant's v1 issuer":       rsaBad("issuer", "https://sts.windows.net/"+home+"/"),
		"a key whose issuer is a list":           rsaBad("issuer", []string{idpIssuer}),
		"a key for another algorithm":            rsaBad("alg", "RS512"),
		"a key for encryption":                   rsaBad("alg", "RSA-OAEP-256"),
		"a key for alg none":                     rsaBad("alg", "none"),
		"A29 an RSA key of 1024 bits":            {rsaWeak().named("bad").jwk(), rsaWeak().named("bad").valid(t)},
		"A29 an RSA key of 512 bits":             rsaBad("n", n(tiny)),
		"A29 an RSA key of 8192 bits":            rsaBad("n", n(new(big.Int).Lsh(big.NewInt(1), 8191))),
		"A29 e is 1":                             rsaBad("e", "AQ"),
		"A29 e is 0":                             rsaBad("e", "AA"),
		"A29 e is 2":                             rsaBad("e", "Ag"),
		"A29 e is far too large":                 rsaBad("e", strings.Repeat("_", 40)),
		"A29 n is 0":                             rsaBad("n", "AA"),
		"A29 a point that is not on the curve":   {offCurve, ecK().named("bad").valid(t)},
		"A29 the point at infinity":              {ecK().named("bad").jwk("x", strings.Repeat("A", 43), "y", strings.Repeat("A", 43)), ecK().named("bad").valid(t)},
		"A29 a curve that nobody knows":          {ecK().named("bad").jwk("crv", "secp256k1"), ecK().named("bad").valid(t)},
		"A29 an Ed25519 key of order 1":          {edK().named("bad").jwk("x", "AQ"+strings.Repeat("A", 41)), edK().named("bad").valid(t)},
	}
}

func TestABadEntryVerifiesNothingAndSpoilsNothing(t *testing.T) {
	good := rsaK1().valid(t)
	for name, c := range badEntries(t) {
		t.Run(name, func(t *testing.T) {
			stage := newIDP(c.entry, rsaK1().jwk(), c.entry).stage("RS256", "ES256", "EdDSA")
			assertVerdict(t, presentToken(t, stage, good), "granted")
			if got := presentToken(t, stage, c.token); !strings.HasPrefix(got, "401 ") {
				t.Errorf("the token of the bad key: got %s, want 401", got)
			}
			// Alone and once: it must not be the repetition that kept it out.
			alone := newIDP(rsaK1().jwk(), c.entry).stage("RS256", "ES256", "EdDSA")
			if got := presentToken(t, alone, c.token); !strings.HasPrefix(got, "401 ") {
				t.Errorf("the token of the bad key, there once: got %s, want 401", got)
			}
		})
	}
}

func TestC65WhereTwoKeysHaveOneKidNeitherCounts(t *testing.T) {
	k1, posing := rsaK1(), ecK().named("k1")
	for name, keys := range map[string][]any{
		"C65 two keys":                       {k1.jwk(), rsaK2().jwk(), rsaK2().named("k1").jwk()},
		"C65 the same key twice":             {k1.jwk(), rsaK2().jwk(), k1.jwk()},
		"C65 two kinds of key":               {posing.jwk(), rsaK2().jwk(), k1.jwk()},
		"C65 three keys":                     {k1.jwk(), rsaK2().named("k1").jwk(), rsaK2().jwk(), posing.jwk()},
		"C65 one kid written in another way": {k1.jwk(), rsaK2().jwk(), raw(`{"\u006bid":"\u006b1",` + string(marshal(rsaK2().jwk("kid", nil)))[1:])},
	} {
		t.Run(name+": 401 unknown_key", func(t *testing.T) {
			stage := newIDP(keys...).stage("RS256", "ES256")
			assertVerdict(t, presentToken(t, stage, k1.valid(t)), "401 unknown_key")
			assertVerdict(t, presentToken(t, stage, posing.valid(t)), "401 unknown_key")
			assertVerdict(t, presentToken(t, stage, rsaK2().valid(t)), "granted")
		})
	}
	t.Run("C65 a kid in another case is another kid: granted", func(t *testing.T) {
		stage := newIDP(k1.jwk(), rsaK2().named("K1").jwk()).stage()
		assertVerdict(t, presentToken(t, stage, k1.valid(t)), "granted")
		assertVerdict(t, presentToken(t, stage, rsaK2().named("K1").valid(t)), "granted")
	})
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	must(err)
	return text
}

func TestAKeyMaySayThatItIsThisIssuersOwn(t *testing.T) {
	for name, is := range map[string]any{
		"the issuer itself":                            idpIssuer,
		"the issuer in upper case":                     strings.ToUpper(idpIssuer),
		"Entra's template":                             "https://login.idp.example/{tenantid}/v2.0",
		"the template as [AT]'s pseudo-code writes it": "https://login.idp.example/{tenantId}/v2.0",
		"nothing":  nil,
		"an empty": "",
	} {
		t.Run("a key that names "+name+": granted", func(t *testing.T) {
			stage := newIDP(rsaK2().jwk(), rsaK1().jwk("issuer", is)).stage()
			assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
		})
	}
}

func TestC64AKeySetIsBounded(t *testing.T) {
	many := func(n int) (keys []any) {
		for i := range n {
			keys = append(keys, map[string]any{"kty": "EC", "kid": fmt.Sprint("none-", i)})
		}
		return append(keys, rsaK1().jwk())
	}
	padded := func(bytes int) []any { return []any{rsaK1().jwk("pad", strings.Repeat("x", bytes))} }
	for name, c := range map[string]struct {
		keys []any
		want string
	}{
		"C64 1,000 keys":             {many(maxKeys - 1), "granted"},
		"C64 1,001 keys":             {many(maxKeys), "503 keys_unavailable"},
		"C64 10,000 keys":            {many(9999), "503 keys_unavailable"},
		"C64 nearly a MiB":           {padded(maxDocument - 1000), "granted"},
		"C64 more than a MiB":        {padded(maxDocument), "503 keys_unavailable"},
		"C65 no key":                 {nil, "503 keys_unavailable"},
		"C65 an empty list":          {[]any{}, "503 keys_unavailable"},
		"C65 only a key that is bad": {[]any{rsaWeak().jwk()}, "503 keys_unavailable"},
	} {
		t.Run(name+": "+c.want, func(t *testing.T) {
			assertVerdict(t, presentToken(t, newIDP(c.keys...).stage(), rsaK1().valid(t)), c.want)
			if c.want != "granted" {
				p := newIDP(rsaK1().jwk())
				stage := p.stage()
				assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
				p.publish(c.keys...)
				p.clock.pass(freshFor)
				assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted") // the set before is kept
			}
		})
	}
}

// FuzzKeySet: whatever an issuer publishes, the reader doesn't panic, and keeps
// only public signature keys of enough strength under a kid.
func FuzzKeySet(f *testing.F) {
	for _, k := range []signer{rsaK1(), ecK(), edK()} {
		f.Add(marshal(map[string]any{"keys": []any{k.jwk(), 5}}))
	}
	for _, text := range []string{`{}`, `null`, `[]`, `{"keys":null}`, `{"keys":{}}`, `{"keys":[{"kty":"oct","k":"","kid":"x"}]}`, `{"KEYS":[]}`, `{"keys":[{"kty":"RSA","kid":"x","n":"","e":""}]}`, `{"keys":[{"kty":"AKP","alg":"ML-DSA-44","kid":"x","pub":"AA"}]}`} {
		f.Add([]byte(text))
	}
	k := newKeySet(newIDP().trusted(), planOf([]string{"RS256"}), newIDP(), noon, Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := k.parse(body)
		if err != nil {
			return
		}
		for kid, key := range keys {
			if kid == "" || kid != key.KeyID || !key.IsPublic() || !key.Valid() || key.Use != "" && key.Use != "sig" {
				t.Errorf("got %q → %+v", kid, key)
			}
			switch public := key.Key.(type) {
			case *rsa.PublicKey:
				if public.N.BitLen() < minRSABits {
					t.Errorf("got an RSA key of %d bits", public.N.BitLen())
				}
			case *ecdsa.PublicKey:
				if !public.Curve.IsOnCurve(public.X, public.Y) {
					t.Error("got a point that is not on its curve")
				}
			}
		}
	})
}
