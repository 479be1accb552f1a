package adversarial

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"hash"
	"maps"
	"slices"
	"strings"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// unsignedAndConfused: cases 1, 2, 4, 5.
func unsignedAndConfused(b *bench) (rows []row) {
	valid := strings.Split(b.user(nil), ".")
	for _, alg := range []string{"none", "None", "NONE", "nOnE"} {
		header := b64(`{"typ":"JWT","alg":"` + alg + `","kid":"` + b.kid + `"}`)
		rows = append(rows,
			row{id: "A1", name: "alg " + alg + " without a signature", request: read(header + "." + valid[1] + "."), want: "401 alg_not_allowed"},
			row{id: "A1", name: "alg " + alg + " with the signature of RS256", request: read(header + "." + valid[1] + "." + valid[2]), want: "401 alg_not_allowed"})
	}
	for _, name := range slices.Sorted(maps.Keys(b.publicForms())) {
		secret := b.publicForms()[name]
		for _, alg := range []string{"HS256", "HS512"} {
			text := b64(head(alg, b.kid)) + "." + valid[1]
			rows = append(rows, row{id: "A2", name: alg + " with the public key as secret, " + name, request: read(text + "." + b64(hmacOf(alg, secret, text))), want: "401 alg_not_allowed"})
		}
	}
	lying := func(alg, kid string, sign func(string) []byte) string {
		return read(compact(head(alg, kid), b.payload(nil), sign))
	}
	return append(rows,
		row{id: "A2", name: "HS256 by a symmetric key that its issuer publishes", want: "401 alg_not_allowed", request: lying("HS256", "shared", func(text string) []byte { return hmacOf("HS256", sharedSecret(), text) })},
		row{id: "A4", name: "RS256 by RS256, the control", request: lying("RS256", "rsa", b.forge.rs256), want: "200"},
		row{id: "A4", name: "PS256 by PS256, the control", request: lying("PS256", "rsa", b.forge.ps256), want: "200"},
		row{id: "A4", name: "PS256 with a signature of RS256", request: lying("PS256", "rsa", b.forge.rs256), want: "401 bad_signature"},
		row{id: "A4", name: "RS256 with a signature of PS256", request: lying("RS256", "rsa", b.forge.ps256), want: "401 bad_signature"},
		row{id: "A4", name: "ES256 with an RSA key", request: lying("ES256", "rsa", b.forge.rs256), want: "401 bad_signature"},
		row{id: "A4", name: "RS256 with an EC key", request: lying("RS256", "ec", b.forge.es256), want: "401 bad_signature"},
		row{id: "A5", name: "RS512 by a key that names no algorithm, the control", request: lying("RS512", "rsa", b.forge.rs512), want: "200"},
		row{id: "A5", name: "RS256 by a key for RS256, the control", request: lying("RS256", "rsa-rs256", b.forge.rs256), want: "200"},
		row{id: "A5", name: "RS512, truly signed, by a key for RS256", request: lying("RS512", "rsa-rs256", b.forge.rs512), want: "401 bad_signature"},
		row{id: "A5", name: "PS256, truly signed, by a key for RS256", request: lying("PS256", "rsa-rs256", b.forge.ps256), want: "401 bad_signature"},
	)
}

// publicForms are the texts in which everybody has Entra's public key.
func (b *bench) publicForms() map[string][]byte {
	spki := must(x509.MarshalPKIXPublicKey(b.entra))
	member := jwk(b.t, b.kid, b.entra)
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	return map[string][]byte{
		"PEM": text, "PEM without its last line break": text[:len(text)-1],
		"DER": spki, "PKCS #1 DER": x509.MarshalPKCS1PublicKey(b.entra),
		"JWK": must(json.Marshal(member)), "the modulus": b.entra.N.Bytes(), "n as text": []byte(member["n"].(string)),
	}
}

func hmacOf(alg string, secret []byte, text string) []byte {
	mac := hmac.New(map[string]func() hash.Hash{"HS256": sha256.New, "HS512": sha512.New}[alg], secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// otherShapes: cases 7, 8, 10, 11, 13, 14, 16, 17.
func otherShapes(b *bench) []row {
	valid := b.user(nil)
	p := strings.Split(valid, ".")
	auth := func(value string) string { return ask("GET /orders/1", "Authorization: "+value) }
	pbes := b64(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2s":"c2FsdHNhbHQ","p2c":2147483647,"kid":"`+b.kid+`"}`) + ".AAAA.AAAA.AAAA.AAAA"
	rows := []row{
		{id: "A7", name: "an encrypted token around a valid one", request: read(b.encrypted(valid, "")), want: "401 not_jws"},
		{id: "A8", name: "an encrypted token that unpacks to 16 MB", request: read(b.encrypted(strings.Repeat("0", 16<<20), jose.DEFLATE)), want: "401 not_jws"},
		{id: "A8", name: "a password-based key of 2^31 rounds", request: read(pbes), want: "401 not_jws"},
		{id: "A10", name: "no part", request: auth("Bearer"), want: "401 malformed"},
		{id: "A10", name: "two parts", request: read(p[0] + "." + p[1]), want: "401 malformed"},
		{id: "A10", name: "four parts", request: read(valid + "." + p[2]), want: "401 malformed"},
		{id: "A10", name: "six parts", request: read(valid + "." + valid), want: "401 malformed"},
		{id: "A10", name: "an empty middle part", request: read(p[0] + ".." + p[2]), want: "401 malformed"},
		{id: "A10", name: "an empty first part", request: read("." + p[1] + "." + p[2]), want: "401 malformed"},
		{id: "A10", name: "an empty signature", request: read(p[0] + "." + p[1] + "."), want: "401 bad_signature"},
		{id: "A10", name: "a dot behind", request: read(valid + "."), want: "401 malformed"},
		{id: "A10", name: "a dot in front", request: read("." + valid), want: "401 malformed"},
		{id: "A10", name: "nothing but dots", request: read(strings.Repeat(".", 20_000)), want: "401 malformed"},
		{id: "A11", name: "a space and a word behind the token", request: read(valid + " x"), want: "401 malformed"},
		{id: "A11", name: "### behind the token", request: read(valid + "###"), want: "401 malformed"},
		{id: "A11", name: "%00 behind the token", request: read(valid + "%00"), want: "401 malformed"},
		{id: "A11", name: "NUL behind the token", request: read(valid + "\x00"), want: "400", by: "the host"},
		{id: "A11", name: "a byte beyond ASCII behind the token", request: read(valid + "\xa0"), want: "400 malformed_request"},
		{id: "A13", name: "two credentials in one line, the valid one first", request: auth("Bearer " + valid + ", Bearer x.y.z"), want: "401 malformed"},
		{id: "A13", name: "two credentials in one line, the valid one last", request: auth("Bearer x.y.z, Bearer " + valid), want: "401 malformed"},
		{id: "A13", name: "two Authorization lines, the valid one first", request: ask("GET /orders/1", "Authorization: Bearer "+valid, "Authorization: Bearer x.y.z"), want: "400 multiple_credentials"},
		{id: "A13", name: "two Authorization lines, the valid one last", request: ask("GET /orders/1", "Authorization: Basic eDp5", "Authorization: Bearer "+valid), want: "400 multiple_credentials"},
		{id: "A14", name: "the scheme in lower case", request: auth("bearer " + valid), want: "200"},
		{id: "A14", name: "the scheme in upper case", request: auth("BEARER " + valid), want: "200"},
		{id: "A14", name: "two spaces behind the scheme", request: auth("Bearer  " + valid), want: "401 malformed"},
		{id: "A14", name: "a tab behind the scheme", request: auth("Bearer\t" + valid), want: "401 malformed"},
		{id: "A14", name: "a colon behind the scheme", request: auth("Bearer:" + valid), want: "401 malformed"},
		{id: "A14", name: "no scheme", request: auth(valid), want: "401 token_missing"},
		{id: "A14", name: "another scheme", request: auth("Basic " + valid), want: "401 token_missing"},
		{id: "A16", name: "a valid token in the query alone", request: ask("GET /orders/1?access_token=" + valid), want: "401 token_missing"},
		{id: "A16", name: "a valid token in the query beside a false one", request: ask("GET /orders/1?access_token="+valid, "Authorization: Bearer "+p[0]+"."+p[1]+".AAAA"), want: "401 bad_signature"},
		row{id: "A17", name: "a line folded within the token", request: read(valid[:40] + "\r\n " + valid[40:]), want: "400 malformed_request"}.behind(b, "401 malformed", ""),
		{id: "A17", name: "a line break within the token", request: read(valid[:40] + "\r\n" + valid[40:]), want: "400", by: "the host"},
	}
	for at, what := range []string{"header", "payload", "signature"} {
		altered := func(part string) string {
			q := slices.Clone(p)
			q[at] = part
			return read(strings.Join(q, "."))
		}
		rows = append(rows,
			row{id: "A17", name: "padding in the " + what, request: altered(p[at] + "="), want: "401 malformed"},
			row{id: "A17", name: "+ in the " + what, request: altered("+" + p[at][1:]), want: "401 malformed"},
			row{id: "A17", name: "/ in the " + what, request: altered("/" + p[at][1:]), want: "401 malformed"},
			row{id: "A17", name: "a last character too many in the " + what, request: altered(p[at] + strings.Repeat("A", (5-len(p[at])%4)%4)), want: "401 malformed"})
	}
	// 256 bytes are 342 characters: the last one holds four bits that mean nothing.
	return append(rows, row{id: "A17", name: "a bit that means nothing set in the last character", request: read(valid[:len(valid)-1] + next(valid[len(valid)-1])), want: "401 malformed"})
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func next(c byte) string {
	at := strings.IndexByte(alphabet, c) ^ 1
	return alphabet[at : at+1]
}

// encrypted is a JWE for Entra's key.
func (b *bench) encrypted(content string, zip jose.CompressionAlgorithm) string {
	options := (&jose.EncrypterOptions{Compression: zip}).WithContentType("JWT").WithType("JWT")
	e := must(jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: b.entra, KeyID: b.kid}, options))
	return must(must(e.Encrypt([]byte(content))).CompactSerialize())
}

// oddJSON: cases 19, 20.
func oddJSON(b *bench) []row {
	text := b.payload(nil)
	with := func(members string) string { return read(b.hand(strings.Replace(text, "{", "{"+members+",", 1))) }
	aud := string(must(json.Marshal(b.API(b.t, "orders").Audience)))
	app := b.claims(map[string]any{"scp": nil, "idtyp": "app", "aud": b.API(b.t, "manage").Audience})
	admin := func(members map[string]any) string {
		c := maps.Clone(app)
		maps.Copy(c, members)
		return bearing("GET /manage/1", b.hand(string(must(json.Marshal(c)))))
	}
	deep := strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200)
	rows := []row{
		{id: "A19", name: "aud twice", request: with(`"aud":"x"`), want: "401 malformed"},
		{id: "A19", name: "aud twice, both ours", request: with(`"aud":` + aud), want: "401 malformed"},
		{id: "A19", name: "aud twice, once escaped", request: with(`"a\u0075d":` + aud), want: "401 malformed"},
		{id: "A19", name: "roles twice", request: with(`"roles":[],"roles":["Admin"]`), want: "401 malformed"},
		{id: "A19", name: "a name twice inside a claim", request: with(`"x":{"y":1,"y":2}`), want: "401 malformed"},
		{id: "A19", name: "alg twice in the header", request: read(compact(`{"typ":"JWT","alg":"none","alg":"RS256","kid":"rsa"}`, text, b.forge.rs256)), want: "401 malformed"},
		{id: "A19", name: "AUD of ours beside another aud", request: read(b.user(map[string]any{"aud": "api://other", "AUD": b.API(b.t, "orders").ClientID})), want: "401 wrong_audience"},
		{id: "A19", name: "AUD of another beside ours", request: read(b.user(map[string]any{"AUD": "api://other"})), want: "200"},
		{id: "A19", name: "Exp in the past beside a good exp", request: read(b.user(map[string]any{"Exp": 5})), want: "200"},
		{id: "A19", name: "EXP in place of exp", request: read(b.user(map[string]any{"exp": nil, "EXP": 9999999999})), want: "401 exp_missing"},
		{id: "A19", name: "Roles in place of roles", request: admin(map[string]any{"Roles": []string{"Admin"}}), want: "403 insufficient_role"},
		{id: "A19", name: "ROLES beside roles", request: admin(map[string]any{"roles": []string{}, "ROLES": []string{"Admin"}}), want: "403 insufficient_role"},
		{id: "A19", name: "roles, the control", request: admin(map[string]any{"roles": []string{"Admin"}}), want: "200"},
		{id: "A19", name: "ſcp (U+017F) in place of scp", request: read(b.hand(strings.Replace(text, `"scp"`, `"ſcp"`, 1))), want: "403 wrong_principal_type"},
		{id: "A20", name: "200 levels of nesting", request: with(`"x":` + deep), want: "401 malformed"},
		{id: "A20", name: "a token of 33 KiB", request: with(`"x":"` + strings.Repeat("x", 24<<10) + `"`), want: "401 malformed"},
		{id: "A20", name: "a token of 5 MB", request: read(b64(head("RS256", "rsa")) + "." + strings.Repeat("A", 5<<20) + ".AAAA"), want: "431", by: "the host"},
	}
	for _, payload := range []string{`["aud"]`, `"text"`, `null`, `5`, `{`, `{}x`, text + text, "\ufeff" + text, "\xff" + text, strings.Replace(text, "{", `{"x":NaN,`, 1), strings.Replace(text, "{", "{'x':1,", 1), strings.Replace(text, "{", "{\"x\":\"\xff\",", 1), strings.Replace(text, "{", `{"x":"\ud800",`, 1)} {
		rows = append(rows, row{id: "A20", name: "the payload " + printable(payload), request: read(b.hand(payload)), want: "401 malformed"})
	}
	return append(rows, row{id: "A20", name: "an empty object", request: read(b.hand(`{}`)), want: "401 issuer_not_trusted"})
}

// printable is the beginning of a payload, for a row's name.
func printable(s string) string {
	return strings.Trim(string(must(json.Marshal(s[:min(len(s), 12)]))), `"`)
}

// otherPurposes: cases 22, 23.
func otherPurposes(b *bench) []row {
	strict := func(typ any) string {
		return bearing("GET /strict/1", b.mint(issuer.Token{Tenant: estate.GUID("issuer", "strict"), API: "strict", User: "u", Header: map[string]any{"typ": typ}, Claims: map[string]any{
			"aud": b.API(b.t, "strict").Audience, "client_id": "client", "jti": "1", "scope": "strict.read",
		}}))
	}
	rows := []row{
		{id: "A22", name: "at+jwt where it is demanded, the control", request: strict("at+jwt"), want: "200"},
		{id: "A22", name: "application/AT+JWT where at+jwt is demanded", request: strict("application/AT+JWT"), want: "200"},
		{id: "A22", name: "JWT where at+jwt is demanded", request: strict("JWT"), want: "401 wrong_token_type"},
		{id: "A22", name: "no typ where at+jwt is demanded", request: strict(nil), want: "401 wrong_token_type"},
		{id: "A22", name: "a typ that isn't text", request: strict(5), want: "401 malformed"},
		{id: "A22", name: "an ID token, by its nonce", request: read(b.user(map[string]any{"nonce": "n-1"})), want: "401 wrong_token_type"},
		{id: "A22", name: "an ID token, by its at_hash", request: read(b.user(map[string]any{"at_hash": "h"})), want: "401 wrong_token_type"},
		{id: "A22", name: "an ID token as Entra issues it", request: read(b.user(map[string]any{"nonce": "n-1", "scp": nil, "azp": nil, "azpacr": nil})), want: "401 wrong_token_type"},
		{id: "A22", name: "an ID token without a nonce", request: read(b.user(map[string]any{"scp": nil, "azp": nil, "azpacr": nil})), want: "401 wrong_token_type"},
		{id: "A23", name: "a nonce in the header, as in tokens for Microsoft Graph", request: read(b.headed(map[string]any{"nonce": "abc"})), want: "401 graph_style_token"},
	}
	for _, typ := range []string{"at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "jwt", "JOSE"} {
		rows = append(rows, row{id: "A22", name: "typ " + typ + " where Entra's JWT is demanded", request: read(b.headed(map[string]any{"typ": typ})), want: "401 wrong_token_type"})
	}
	return rows
}
