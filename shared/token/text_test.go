package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// altered replaces one of the three parts of a token.
func altered(token string, part int, by string) string {
	parts := strings.Split(token, ".")
	parts[part] = by
	return strings.Join(parts, ".")
}

// lastBits sets an unused bit of a part's last character; ok is false where it has none.
func lastBits(part string) (_ string, ok bool) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(part)%4 != 2 && len(part)%4 != 3 {
		return part, false
	}
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[last|1]), true
}

// refusedUnread are texts that must be refused by what they are: no key is
// looked up for them, so an anonymous caller can't drive the identity provider.
func refusedUnread(t *testing.T) map[string][2]string {
	k := rsaK1()
	valid := k.valid(t)
	parts := strings.Split(valid, ".")
	header := func(h string) string { return k.token(t, h, claimsText()) }
	payload := func(p string) string { return k.token(t, k.header(), p) }
	member := func(m string) string { return header(`{"typ":"JWT","alg":"RS256","kid":"k1",` + m + `}`) }
	jwk, err := json.Marshal(k.jwk())
	must(err)
	cases := map[string][2]string{
		"A1 alg none with an empty signature":         {b64(`{"typ":"JWT","alg":"none","kid":"k1"}`) + "." + parts[1] + ".", "401 alg_not_allowed"},
		"A1 alg None":                                 {b64(`{"typ":"JWT","alg":"None","kid":"k1"}`) + "." + parts[1] + ".", "401 alg_not_allowed"},
		"A1 alg NONE":                                 {b64(`{"typ":"JWT","alg":"NONE","kid":"k1"}`) + "." + parts[1] + ".", "401 alg_not_allowed"},
		"A1 alg nOnE":                                 {b64(`{"typ":"JWT","alg":"nOnE","kid":"k1"}`) + "." + parts[1] + ".", "401 alg_not_allowed"},
		"A1 alg none with a signature":                {header(`{"typ":"JWT","alg":"none","kid":"k1"}`), "401 alg_not_allowed"},
		"A1 alg rs256 in lower case":                  {header(`{"typ":"JWT","alg":"rs256","kid":"k1"}`), "401 alg_not_allowed"},
		"A1 alg absent":                               {header(`{"typ":"JWT","kid":"k1"}`), "401 alg_not_allowed"},
		"A1 alg as a list":                            {header(`{"typ":"JWT","alg":["RS256"],"kid":"k1"}`), "401 alg_not_allowed"},
		"A1 ALG in another case":                      {header(`{"typ":"JWT","ALG":"RS256","kid":"k1"}`), "401 alg_not_allowed"},
		"A4 PS256 that the contract doesn't list":     {k.as("PS256").valid(t), "401 alg_not_allowed"},
		"A5 RS512 that the contract doesn't list":     {k.as("RS512").valid(t), "401 alg_not_allowed"},
		"A7 a JWE around a JWS":                       {b64(`{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}`) + ".a2V5.aXY." + parts[1] + ".dGFn", "401 not_jws"},
		"A8 a JWE with a compression bomb":            {b64(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`) + "..aXY." + strings.Repeat("A", 10<<10) + ".dGFn", "401 not_jws"},
		"A8 a JWE with two thousand million rounds":   {b64(`{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"p2s":"c2FsdA","enc":"A128GCM"}`) + ".a2V5.aXY.Y3Q.dGFn", "401 not_jws"},
		"A8 a JWS with zip":                           {member(`"zip":"DEF"`), "401 malformed"},
		"A8 a JWS with enc":                           {member(`"enc":"A128GCM"`), "401 malformed"},
		"A10 two parts":                               {parts[0] + "." + parts[1], "401 malformed"},
		"A10 four parts":                              {valid + ".x", "401 malformed"},
		"A10 six parts":                               {valid + ".x.y.z", "401 malformed"},
		"A10 an empty middle part":                    {altered(valid, 1, ""), "401 malformed"},
		"A10 an empty first part":                     {altered(valid, 0, ""), "401 malformed"},
		"A10 a trailing dot":                          {valid + ".", "401 malformed"},
		"A10 a leading dot":                           {"." + valid, "401 malformed"},
		"A10 one part":                                {parts[0], "401 malformed"},
		"A10 nothing":                                 {"", "401 malformed"},
		"A10 only dots":                               {"..", "401 malformed"},
		"A10 a million dots":                          {strings.Repeat(".", 1<<20), "401 malformed"},
		"A10 thirty thousand dots":                    {strings.Repeat(".", 30000), "401 malformed"},
		"A11 a word after the token":                  {valid + " x", "401 malformed"},
		"A11 ### after the token":                     {valid + "###", "401 malformed"},
		"A11 %00 after the token":                     {valid + "%00", "401 malformed"},
		"A11 a NUL after the token":                   {valid + "\x00", "401 malformed"},
		"A13 two tokens in one line":                  {valid + ", Bearer " + valid, "401 malformed"},
		"A13 a token and a broken one in one line":    {valid + ", Bearer x", "401 malformed"},
		"A14 two spaces before the token":             {" " + valid, "401 malformed"},
		"A17 base64 with padding in the header":       {altered(valid, 0, parts[0]+"="), "401 malformed"},
		"A17 base64 with padding in the payload":      {altered(valid, 1, parts[1]+"="), "401 malformed"},
		"A17 base64 with padding after the signature": {valid + "==", "401 malformed"},
		"A17 plus and slash":                          {altered(valid, 2, "+/"+parts[2][2:]), "401 malformed"},
		"A17 a line feed inside":                      {altered(valid, 1, parts[1][:40]+"\n"+parts[1][40:]), "401 malformed"},
		"A17 a carriage return inside":                {altered(valid, 2, parts[2][:40]+"\r\n"+parts[2][40:]), "401 malformed"},
		"A17 a part of impossible length":             {altered(valid, 2, parts[2][:len(parts[2])-1]), "401 malformed"},
		"A17 full-width letters":                      {altered(valid, 2, "Ａ"+parts[2][1:]), "401 malformed"},
		"A19 aud twice":                               {payload(swap(t, claimsText(), `{`, `{"aud":"`+stockID+`",`)), "401 malformed"},
		"A19 roles twice":                             {payload(swap(t, claimsText(), `{`, `{"roles":["a"],"roles":["b"],`)), "401 malformed"},
		"A19 a name twice, once escaped":              {payload(swap(t, claimsText(), `{`, `{"\u0061ud":"`+stockID+`",`)), "401 malformed"},
		"A19 a name twice in an inner object":         {payload(swap(t, claimsText(), `{`, `{"x":[{"a":1,"a":2}],`)), "401 malformed"},
		"A19 kid twice in the header":                 {header(`{"typ":"JWT","alg":"RS256","kid":"k2","kid":"k1"}`), "401 malformed"},
		"A19 alg twice in the header":                 {header(`{"typ":"JWT","alg":"none","alg":"RS256","kid":"k1"}`), "401 malformed"},
		"A20 the payload is a list":                   {payload(`[` + claimsText() + `]`), "401 malformed"},
		"A20 the payload is a text":                   {payload(`"` + ordersID + `"`), "401 malformed"},
		"A20 the payload is null":                     {payload(`null`), "401 malformed"},
		"A20 the payload is empty braces and more":    {payload(`{}{}`), "401 malformed"},
		"A20 something follows the payload":           {payload(claimsText() + "x"), "401 malformed"},
		"A20 a byte order mark":                       {payload("\ufeff" + claimsText()), "401 malformed"},
		"A20 200 lists deep":                          {payload(swap(t, claimsText(), `{`, `{"x":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`,`)), "401 malformed"},
		"A20 200 objects deep":                        {payload(swap(t, claimsText(), `{`, `{"x":`+strings.Repeat(`{"a":`, 200)+`1`+strings.Repeat("}", 200)+`,`)), "401 malformed"},
		"A20 a payload of 5 MB":                       {payload(swap(t, claimsText(), `{`, `{"x":"`+strings.Repeat("x", 5<<20)+`",`)), "401 malformed"},
		"A20 the header is a list":                    {header(`["RS256"]`), "401 malformed"},
		"A22 typ at+jwt where Entra's is JWT":         {header(`{"typ":"at+jwt","alg":"RS256","kid":"k1"}`), "401 wrong_token_type"},
		"A22 no typ":                                  {header(`{"alg":"RS256","kid":"k1"}`), "401 wrong_token_type"},
		"A22 typ dpop+jwt":                            {header(`{"typ":"dpop+jwt","alg":"RS256","kid":"k1"}`), "401 wrong_token_type"},
		"A22 typ logout+jwt":                          {header(`{"typ":"logout+jwt","alg":"RS256","kid":"k1"}`), "401 wrong_token_type"},
		"A22 typ as a number":                         {header(`{"typ":1,"alg":"RS256","kid":"k1"}`), "401 malformed"},
		"A23 a token for Microsoft Graph":             {member(`"nonce":"AQABAAAAAA"`), "401 graph_style_token"},
		"A23 a nonce that is no text":                 {member(`"nonce":{}`), "401 graph_style_token"},
		"A25 an embedded jwk":                         {member(`"jwk":` + string(jwk)), "401 embedded_key"},
		"A25 an embedded x5c":                         {member(`"x5c":["MIIB"]`), "401 embedded_key"},
		"A25 a jku":                                   {member(`"jku":"https://evil.example/keys"`), "401 embedded_key"},
		"A25 an x5u":                                  {member(`"x5u":"http://169.254.169.254/"`), "401 embedded_key"},
		"A26 a kid of 64 KB":                          {header(`{"typ":"JWT","alg":"RS256","kid":"` + strings.Repeat("k", 64<<10) + `"}`), "401 malformed"},
		"A26 a kid of 257 bytes":                      {header(`{"typ":"JWT","alg":"RS256","kid":"` + strings.Repeat("k", 257) + `"}`), "401 malformed"},
		"A26 a number for a kid":                      {header(`{"typ":"JWT","alg":"RS256","kid":1}`), "401 malformed"},
		"A26 an object for a kid":                     {header(`{"typ":"JWT","alg":"RS256","kid":{"k1":"k1"}}`), "401 malformed"},
		"A26 an empty kid":                            {header(`{"typ":"JWT","alg":"RS256","kid":""}`), "401 malformed"},
		"A26 no kid":                                  {header(`{"typ":"JWT","alg":"RS256"}`), "401 malformed"},
	}
	for at, name := range []string{"header", "payload", "signature"} {
		if text, ok := lastBits(parts[at]); ok && text != parts[at] {
			cases["A17 unused bits set at the end of the "+name] = [2]string{altered(valid, at, text), "401 malformed"}
		}
	}
	for name, secret := range publicForms(t, k) {
		cases["A2 HS256 with the public key's "+name+" as secret"] = [2]string{hmacToken(secret), "401 alg_not_allowed"}
	}
	return cases
}

// publicForms are the public key in the bytes that an attacker may try as an HMAC secret.
func publicForms(t *testing.T, k signer) map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(k.key.Public())
	must(err)
	jwk, err := json.Marshal(k.jwk())
	must(err)
	return map[string][]byte{"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JWK": jwk}
}

func hmacToken(secret []byte) string {
	text := b64(`{"typ":"JWT","alg":"HS256","kid":"k1"}`) + "." + b64(claimsText())
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestAStrangeTextIsRefusedBeforeAnyKeyIsLookedUp(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	for name, c := range refusedUnread(t) {
		t.Run(name+" is refused: "+c[1], func(t *testing.T) {
			assertVerdict(t, presentToken(t, stage, c[0]), c[1])
		})
	}
	if got := p.fetches("discovery") + p.fetches("keys"); got != 0 {
		t.Errorf("got %d requests to the identity provider, want none", got)
	}
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
}

func TestTheSchemeIsBearerAndOneSpace(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage, valid := p.stage(), rsaK1().valid(t)
	for name, c := range map[string]struct {
		values []string
		want   string
	}{
		"A14 Bearer":                           {[]string{"Bearer " + valid}, "granted"},
		"A14 bearer in lower case":             {[]string{"bearer " + valid}, "granted"},
		"A14 BEARER in upper case":             {[]string{"BEARER " + valid}, "granted"},
		"A14 two spaces":                       {[]string{"Bearer  " + valid}, "401 malformed"},
		"A14 a tab":                            {[]string{"Bearer\t" + valid}, "401 malformed"},
		"A14 a space and a tab":                {[]string{"Bearer \t" + valid}, "401 malformed"},
		"A14 a no-break space":                 {[]string{"Bearer\u00a0" + valid}, "401 malformed"},
		"A14 no space":                         {[]string{"Bearer" + valid}, "401 token_missing"},
		"A14 a space before the scheme":        {[]string{" Bearer " + valid}, "401 token_missing"},
		"A14 the scheme alone":                 {[]string{"Bearer"}, "401 malformed"},
		"A14 the scheme and a space":           {[]string{"Bearer "}, "401 malformed"},
		"A14 a long s in the scheme":           {[]string{"ſearer " + valid}, "401 token_missing"},
		"A16 no header":                        {nil, "401 token_missing"},
		"A16 an empty header":                  {[]string{""}, "401 token_missing"},
		"A16 another scheme":                   {[]string{"Basic dXNlcjpwYXNz"}, "401 token_missing"},
		"A16 the token without a scheme":       {[]string{valid}, "401 token_missing"},
		"A16 two headers with the same token":  {[]string{"Bearer " + valid, "Bearer " + valid}, "400 multiple_credentials"},
		"A16 two headers, the second is empty": {[]string{"Bearer " + valid, ""}, "400 multiple_credentials"},
		"A16 two schemes":                      {[]string{"Basic dXNlcjpwYXNz", "Bearer " + valid}, "400 multiple_credentials"},
	} {
		t.Run(name+": "+c.want, func(t *testing.T) { assertVerdict(t, present(t, stage, c.values...), c.want) })
	}
}

func TestA10AnEmptySignatureProvesNothing(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	assertVerdict(t, presentToken(t, stage, altered(rsaK1().valid(t), 2, "")), "401 bad_signature")
}

func TestE103ATokenOf20KBIsReadAndOneOver32KBIsNot(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	sized := func(groups int) string {
		text := `"groups":[` + strings.TrimSuffix(strings.Repeat(`"`+alice+`",`, groups), ",") + `]`
		return rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "{", "{"+text+","))
	}
	for _, c := range []struct {
		groups int
		want   string
	}{{200, "granted"}, {380, "granted"}, {700, "401 malformed"}} {
		token := sized(c.groups)
		t.Run(strconv.Itoa(len(token))+" bytes: "+c.want, func(t *testing.T) { assertVerdict(t, presentToken(t, stage, token), c.want) })
	}
}

// A8, A20, trap (i): what is refused costs next to nothing. The best of several
// tries is taken: a busy machine says nothing about the code.
func TestARefusalOfAHugeOrHostileTextIsCheap(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	unread := refusedUnread(t)
	for name, token := range map[string]string{
		"A8 a JWE with a compression bomb":          unread["A8 a JWE with a compression bomb"][0],
		"A8 a JWE with two thousand million rounds": unread["A8 a JWE with two thousand million rounds"][0],
		"A10 a million dots":                        unread["A10 a million dots"][0],
		"A20 200 lists deep":                        unread["A20 200 lists deep"][0],
		"trap (i) a token of 8 MiB":                 rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "{", `{"x":"`+strings.Repeat("x", 6<<20)+`",`)),
		"the dearest text within the cap":           b64(rsaK1().header()) + "." + b64(`{"x":[`+strings.Repeat("[],", 7900)+`[]]}`) + ".AA",
	} {
		t.Run(name, func(t *testing.T) {
			value := "Bearer " + token
			best, least := time.Hour, uint64(1<<40)
			for range 10 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				began := time.Now()
				_, refused := send(t.Context(), stage, value)
				best = min(best, time.Since(began))
				runtime.ReadMemStats(&after)
				least = min(least, after.TotalAlloc-before.TotalAlloc)
				if refused == nil {
					t.Fatal("it was granted")
				}
			}
			if best > time.Second || least > 1<<20 {
				t.Errorf("got %s and %d bytes, want under a second and 1 MiB", best, least)
			}
		})
	}
}
