package adversarial

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"tollgate/localrun/issuer"
)

// boundTokens: cases 106 and 107.
func boundTokens(b *bench) []row {
	bound := func(claims map[string]any) string { // for the API that takes proofs
		return b.mint(issuer.Token{API: "bound", Scopes: []string{"bound.read"}, Claims: claims})
	}
	x5t := map[string]any{"x5t#S256": b64(strings.Repeat("x", 32))}
	jkt := map[string]any{"jkt": b.forge.thumbprint()}
	plainly := func(cnf any) string { return read(b.user(map[string]any{"cnf": cnf})) }
	token := bound(map[string]any{"cnf": jkt})
	rows := []row{
		{id: "E106", name: "bound to a certificate, sent plainly", request: plainly(x5t), want: "401 binding_required"},
		{id: "E106", name: "bound to a DPoP key, sent plainly", request: plainly(jkt), want: "401 binding_required"},
		{id: "E106", name: "bound to a certificate, with the certificate in a header that isn't named", request: ask("GET /orders/1", "Authorization: Bearer "+b.user(map[string]any{"cnf": x5t}), "X-ARR-ClientCert: "+b64("x")), want: "401 binding_required"},
		{id: "E106", name: "bound to a DPoP key, with a proof that nobody asked for", request: ask("GET /orders/1", "Authorization: Bearer "+b.user(map[string]any{"cnf": jkt}), "DPoP: "+b.proof("GET", "/orders/1", token, nil, nil)), want: "401 binding_required"},
		{id: "E106", name: "bound in a way that nobody knows", request: plainly(map[string]any{"kid": "x"}), want: "401 binding_required"},
		{id: "E106", name: "bound to nothing", request: plainly(map[string]any{}), want: "401 binding_required"},
		{id: "E106", name: "bound to text", request: plainly("x"), want: "401 binding_required"},
	}
	for _, member := range []any{nil, 5, "", []string{"x"}} {
		rows = append(rows, row{id: "E106", name: named("jkt", member), request: plainly(map[string]any{"jkt": member}), want: "401 binding_required"})
	}
	return slices.Concat(rows, certificates(b), proofs(b, token))
}

// proofs: case 107.
func proofs(b *bench, token string) (rows []row) {
	send := func(lines ...string) string {
		return ask("GET /bound/1", append([]string{"Authorization: DPoP " + token}, lines...)...)
	}
	proof := func(claims, header map[string]any) string {
		return "DPoP: " + b.proof("GET", "/bound/1", token, claims, header)
	}
	once := proof(nil, nil)
	good := []row{{id: "E107", name: "a good proof, the control", request: send(once), want: "200"}}
	for name, lines := range badProofs(b, token, once, proof) {
		rows = append(rows, row{id: "E107", name: name, request: send(lines...), want: "401 invalid_dpop_proof"})
	}
	rows = append(rows,
		row{id: "E107", name: "a bound token under Bearer with a good proof", request: ask("GET /bound/1", "Authorization: Bearer "+token, proof(nil, nil)), want: "401 binding_required"},
		row{id: "E107", name: "an unbound token under DPoP", request: ask("GET /bound/1", "Authorization: DPoP "+b.mint(issuer.Token{API: "bound", Scopes: []string{"bound.read"}}), proof(nil, nil)), want: "401 binding_required"})
	return append(good, rows...)
}

// badProofs are headers in place of a good proof.
func badProofs(b *bench, token, once string, proof func(claims, header map[string]any) string) map[string][]string {
	now := b.now()
	return map[string][]string{
		"a proof that was used before":     {once},
		"no proof":                         nil,
		"two proofs":                       {proof(nil, nil), proof(nil, nil)},
		"an empty proof":                   {"DPoP:"},
		"two proofs in one line":           {proof(nil, nil) + ", " + strings.TrimPrefix(proof(nil, nil), "DPoP: ")},
		"htm of another method":            {proof(map[string]any{"htm": "POST"}, nil)},
		"htm in lower case":                {proof(map[string]any{"htm": "get"}, nil)},
		"no htm":                           {proof(map[string]any{"htm": nil}, nil)},
		"htu of another path":              {proof(map[string]any{"htu": b.Local.Plan.PublicURL + "/bound/2"}, nil)},
		"htu of another host":              {proof(map[string]any{"htu": "https://evil.example/bound/1"}, nil)},
		"htu without a host":               {proof(map[string]any{"htu": "/bound/1"}, nil)},
		"no htu":                           {proof(map[string]any{"htu": nil}, nil)},
		"iat ten minutes ago":              {proof(map[string]any{"iat": now.Add(-10 * time.Minute).Unix()}, nil)},
		"iat in ten minutes":               {proof(map[string]any{"iat": now.Add(10 * time.Minute).Unix()}, nil)},
		"iat as text":                      {proof(map[string]any{"iat": "now"}, nil)},
		"no iat":                           {proof(map[string]any{"iat": nil}, nil)},
		"no jti":                           {proof(map[string]any{"jti": nil}, nil)},
		"an empty jti":                     {proof(map[string]any{"jti": ""}, nil)},
		"no ath":                           {proof(map[string]any{"ath": nil}, nil)},
		"ath of another token":             {proof(map[string]any{"ath": digest("x")}, nil)},
		"typ JWT":                          {proof(nil, map[string]any{"typ": "JWT"})},
		"no typ":                           {proof(nil, map[string]any{"typ": nil})},
		"alg none":                         {proof(nil, map[string]any{"alg": "none"})},
		"alg HS256":                        {proof(nil, map[string]any{"alg": "HS256"})},
		"no key":                           {proof(nil, map[string]any{"jwk": nil})},
		"another key's text":               {proof(nil, map[string]any{"jwk": jwk(b.t, "", &secondRSA().PublicKey)})},
		"the token in place of the proof":  {"DPoP: " + token},
		"a signature of another's":         {"DPoP: " + flippedEnd(b.proof("GET", "/bound/1", token, nil, nil))},
		"a proof for another host by Host": {proof(map[string]any{"htu": "https://api.example.evil/bound/1"}, nil), "X-Forwarded-Host: api.example.evil"},
	}
}

// certificates: case 106, where the contract names the header of the certificate.
func certificates(b *bench) (rows []row) {
	der := strings.Repeat("a certificate", 40)
	token := "Authorization: Bearer " + b.mint(issuer.Token{API: "bound", Scopes: []string{"bound.read"}, Claims: map[string]any{"cnf": map[string]any{"x5t#S256": digest(der)}}})
	line := func(der string) string { return "X-ARR-ClientCert: " + base64.StdEncoding.EncodeToString([]byte(der)) }
	rows = append(rows, row{id: "E106", name: "the right certificate, the control", request: ask("GET /bound/1", token, line(der)), want: "200", check: unheard("X-ARR-ClientCert")})
	for name, lines := range map[string][]string{
		"no certificate": {token}, "another certificate": {token, line("x")}, "two certificates": {token, line(der), line("x")}, "the right certificate twice": {token, line(der), line(der)}, "an empty certificate": {token, "X-ARR-ClientCert:"}, "two in one line": {token, line(der) + "," + line(der)},
		"the right one in another header": {token, strings.Replace(line(der), "X-ARR-ClientCert", "X-Client-Cert", 1)}, "the right one under _": {token, strings.Replace(line(der), "X-ARR-ClientCert", "X_ARR_ClientCert", 1)}, "its thumbprint": {token, "X-ARR-ClientCert: " + digest(der)}, "a byte more": {token, line(der + "x")},
	} {
		rows = append(rows, row{id: "E106", name: name, request: ask("GET /bound/1", lines...), want: "401 certificate_mismatch"})
	}
	return rows
}

// thumbprint is RFC 7638 of the forge's EC key.
func (f *forge) thumbprint() string {
	x, y := point(&f.ec.PublicKey)
	return digest(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`)
}

func point(key *ecdsa.PublicKey) (x, y string) {
	text := must(key.Bytes())
	return b64(text[1:33]), b64(text[33:])
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:])
}

// proof is one of RFC 9449 §4.2 by the forge's EC key, with members laid over it; nil removes one.
func (b *bench) proof(method, path, token string, claims, header map[string]any) string {
	x, y := point(&b.forge.ec.PublicKey)
	h := map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": x, "y": y}}
	c := map[string]any{"jti": rand.Text(), "htm": method, "htu": b.Local.Plan.PublicURL + path, "iat": b.now().Unix(), "ath": digest(token)}
	for _, pair := range [][2]map[string]any{{h, header}, {c, claims}} {
		maps.Copy(pair[0], pair[1])
		maps.DeleteFunc(pair[0], func(_ string, v any) bool { return v == nil })
	}
	return compact(string(must(json.Marshal(h))), string(must(json.Marshal(c))), b.forge.es256)
}

func flippedEnd(token string) string {
	at := strings.LastIndexByte(token, '.') + 1
	return token[:at] + next(token[at]) + token[at+1:]
}
