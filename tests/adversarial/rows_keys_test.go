package adversarial

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// falseNames: cases 25, 26.
func falseNames(b *bench) (rows []row) {
	attacker := secondRSA()
	own := string(must(json.Marshal(jwk(b.t, "attacker", &attacker.PublicKey))))
	for name, member := range map[string]string{
		"jwk": own, "x5c": `["MIIB"]`, "jku": `"` + b.forge.url + `/keys"`, "x5u": `"` + b.forge.url + `/chain"`,
	} {
		for _, kid := range []string{"attacker", "rsa"} {
			header := `{"typ":"JWT","alg":"RS256","kid":"` + kid + `","` + name + `":` + member + `}`
			rows = append(rows, row{id: "A25", name: name + " of the attacker, kid " + kid, request: read(compact(header, b.payload(nil), rs256(attacker))), want: "401 embedded_key"})
		}
	}
	rows = append(rows, row{id: "A25", name: "x5t of another key", request: read(b.headed(map[string]any{"x5t": "AAAA", "x5t#S256": "AAAA"})), want: "200"})
	for kid, want := range map[string]string{
		`"../../etc/passwd"`: "401 unknown_key", `"' or 1=1--"`: "401 unknown_key", `"` + `rsa\u0000"`: "401 unknown_key", `"RSA"`: "401 unknown_key", `" rsa"`: "401 unknown_key",
		`"${jndi:ldap://x}"`: "401 unknown_key", `"rsa\n{\"event\":\"decision\"}"`: "401 unknown_key", `"\u001b[2J"`: "401 unknown_key",
		`"\u0072sa"`: "200", `""`: "401 malformed", `5`: "401 malformed", `{"x":"rsa"}`: "401 malformed", `["rsa"]`: "401 malformed", `null`: "401 malformed",
	} {
		rows = append(rows, row{id: "A26", name: "kid " + strconv.Quote(kid), request: b.named(kid), want: want})
	}
	return append(rows,
		row{id: "A26", name: "no kid", request: read(b.headed(map[string]any{"kid": nil})), want: "401 malformed"},
		row{id: "A26", name: "a kid of 257 bytes", request: b.named(`"` + strings.Repeat("k", 257) + `"`), want: "401 malformed"},
		row{id: "A26", name: "a kid of 20 KB", request: b.named(`"` + strings.Repeat("k", 20<<10) + `"`), want: "401 malformed"},
		row{id: "A26", name: "a kid of 64 KB", request: b.named(`"` + strings.Repeat("k", 64<<10) + `"`), want: "431", by: "the handler's listener"},
	)
}

// named is a request with a token of the forge under a kid, given as JSON.
func (b *bench) named(kid string) string {
	return read(compact(`{"typ":"JWT","alg":"RS256","kid":`+kid+`}`, b.payload(nil), b.forge.rs256))
}

// falseSignatures: case 28, and the RSA half of 29.
func falseSignatures(b *bench) (rows []row) {
	n := b.forge.ec.Params().N
	r, s := b.forge.rs("x")
	der := func(text string) []byte { r, s := b.forge.rs(text); return must(asn1.Marshal([]*big.Int{r, s})) }
	zero := new(big.Int)
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for name, sign := range map[string]func(string) []byte{
		"r and s are 0": fixed(raw64(zero, zero)), "r is 0": fixed(raw64(zero, s)), "s is 0": fixed(raw64(r, zero)),
		"r is n": fixed(raw64(n, s)), "s is n": fixed(raw64(r, n)), "r is over n": fixed(raw64(most, s)), "s is over n": fixed(raw64(r, most)),
		"DER":                  der,
		"a byte short":         func(text string) []byte { return b.forge.es256(text)[:63] },
		"a zero byte behind":   func(text string) []byte { return append(b.forge.es256(text), 0) },
		"a zero byte in front": func(text string) []byte { return append([]byte{0}, b.forge.es256(text)...) },
		"of another text":      func(string) []byte { return b.forge.es256("another") },
		"of another key":       func(text string) []byte { return raw64(strangerSigns(b, text)) },
		"nothing":              unsigned,
	} {
		rows = append(rows, row{id: "A28", name: "an ECDSA signature: " + name, request: read(compact(head("ES256", "ec"), b.payload(nil), sign)), want: "401 bad_signature"})
	}
	rows = append(rows, row{id: "A28", name: "an ECDSA signature, the control", request: read(compact(head("ES256", "ec"), b.payload(nil), b.forge.es256)), want: "200"})
	return append(rows, b.falseRSA()...)
}

func strangerSigns(b *bench, text string) (r, s *big.Int) {
	key := must(ecdsa.GenerateKey(b.forge.ec.Curve, rand.Reader))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest256(text))
	must(0, err)
	return r, s
}

func (b *bench) falseRSA() (rows []row) {
	sign := b.forge.rs256
	for name, change := range map[string]func(text string) []byte{
		"a zero byte in front": func(text string) []byte { return append([]byte{0}, sign(text)...) },
		"a zero byte behind":   func(text string) []byte { return append(sign(text), 0) },
		"the modulus added": func(text string) []byte {
			return new(big.Int).Add(new(big.Int).SetBytes(sign(text)), b.forge.rsa.N).Bytes()
		},
		"0": fixed(make([]byte, 256)), "1": fixed(append(make([]byte, 255), 1)),
		"the padded digest itself": func(text string) []byte { return padded(text, 256) },
	} {
		rows = append(rows, row{id: "A29", name: "an RSA signature: " + name, request: read(compact(head("RS256", "rsa"), b.payload(nil), change)), want: "401 bad_signature"})
	}
	whole, stripped := b.leadingZero()
	return append(rows,
		row{id: "A29", name: "an RSA signature that begins with a zero byte, the control", request: read(whole), want: "200"},
		row{id: "A29", name: "the same without its zero byte", request: read(stripped), want: "401 bad_signature"})
}

// leadingZero looks for a token whose signature begins with a zero byte: one in 256.
func (b *bench) leadingZero() (whole, stripped string) {
	header := b64(head("RS256", "rsa"))
	for i := range 10_000 {
		text := header + "." + b64(b.payload(map[string]any{"uti": i}))
		if sig := b.forge.rs256(text); sig[0] == 0 {
			return text + "." + b64(sig), text + "." + b64(sig[1:])
		}
	}
	b.t.Fatal("no signature of 10,000 begins with a zero byte")
	return "", ""
}

// falseKeys: case 29, and 65 as a token sees it. Each key stands in the key set
// of an issuer that is trusted, beside good ones.
func falseKeys(b *bench) (rows []row) {
	for kid, c := range map[string]struct {
		what, alg string
		sign      func(string) []byte
	}{
		"weak":              {"a modulus of 512 bits", "RS256", b.forge.tiny.rs256},
		"one":               {"the exponent 1", "RS256", func(text string) []byte { return padded(text, 256) }},
		"off-curve":         {"a point that isn't on the curve", "ES256", b.forge.es256},
		"with-private-half": {"its private half published", "RS256", b.forge.rs256},
		"for-encryption":    {"use enc", "RS256", b.forge.rs256},
		"twice":             {"a kid that two keys have", "RS256", b.forge.rs256},
		"no-modulus":        {"no modulus", "RS256", b.forge.rs256},
	} {
		rows = append(rows, row{id: "A29", name: "a key with " + c.what, request: read(compact(head(c.alg, kid), b.payload(nil), c.sign)), want: "401 unknown_key"})
	}
	return rows
}

// foreignKeys: case 38. Entra's home tenant, a partner tenant and the forge are
// all trusted, each for its own tokens only.
func foreignKeys(b *bench) []row {
	partner := estate.GUID("tenant", "partner")
	home := map[string]any{"iss": b.Local.Plan.SignIn + "/" + estate.Tenant() + "/v2.0", "tid": estate.Tenant(), "aud": b.API(b.t, "orders").ClientID, "ver": "2.0"}
	theirs := issuer.Token{Tenant: partner, API: "orders", Scopes: []string{"orders.read"}, Claims: home}
	under := theirs
	under.Header = map[string]any{"kid": b.kid}
	return []row{
		{id: "B38", name: "the home tenant's token by the partner's key", request: read(b.mint(theirs)), want: "401 unknown_key"},
		{id: "B38", name: "the same under the home tenant's kid", request: read(b.mint(under)), want: "401 bad_signature"},
		{id: "B38", name: "the home tenant's token by the forge's key", request: read(b.hand(b.payload(home))), want: "401 unknown_key"},
		{id: "B38", name: "the forge's token by the home tenant's key", request: read(b.user(map[string]any{"iss": b.forge.url, "aud": b.API(b.t, "orders").Audience})), want: "401 unknown_key"},
		{id: "B38", name: "a token by a key that nobody publishes", request: read(b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Key: "stranger"})), want: "401 unknown_key"},
		{id: "B38", name: "a token by a withdrawn key's kid and nobody's key", request: read(b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Key: "stranger", Header: map[string]any{"kid": b.kid}})), want: "401 bad_signature"},
	}
}
