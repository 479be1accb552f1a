package verify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/verify"
)

func TestWhatTheGatewaySentIsBelieved(t *testing.T) {
	f := newForger(t)
	caller, fault := f.verifier(t).Request(f.request(t))
	if fault != nil {
		t.Fatal(fault)
	}
	if caller.Principal != "user" || caller.API != "orders" || caller.Operation != "get" || caller.Correlation != "c0ffee" || caller.ClaimsContract != 1 || !caller.Expires.Equal(noon.Add(time.Minute)) {
		t.Errorf("got %+v", caller)
	}
	if got := strings.Join(caller.Values("x-scopes"), "|"); got != "a,b|c" || caller.Header("X-User-Id") != "u-1" || caller.Values("X-Roles") != nil {
		t.Errorf("got scopes %q, want the claim's own items", got)
	}
}

// Claims that are genuinely signed, and not for this call.
func TestAnAssertionForSomethingElseIsRefused(t *testing.T) {
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, c := range map[string]struct {
		claim string
		value any
		want  string
	}{
		"another backend":                  {"aud", "https://payments.internal.example", "assertion_other_audience"},
		"a longer audience":                {"aud", backend + "/", "assertion_other_audience"},
		"several audiences":                {"aud", []string{backend}, "assertion_malformed"},
		"no audience":                      {"aud", nil, "assertion_malformed"},
		"another gateway":                  {"iss", "https://api.other.example", "assertion_other_gateway"},
		"no gateway":                       {"iss", nil, "assertion_malformed"},
		"expired, leeway and all":          {"exp", at(-5 * time.Second), "assertion_expired"},
		"expired within the leeway":        {"exp", at(-4 * time.Second), "assertion_too_long"}, // it ends before it begins
		"no end":                           {"exp", nil, "assertion_malformed"},
		"an end with a fraction":           {"exp", 1772366460.5, "assertion_malformed"},
		"an end as text":                   {"exp", "1772366460", "assertion_malformed"},
		"an end below zero":                {"exp", -1, "assertion_malformed"},
		"an end beyond all time":           {"exp", uint64(1) << 63, "assertion_malformed"},
		"not yet":                          {"iat", at(6 * time.Second), "assertion_not_yet"},
		"not yet by nbf":                   {"nbf", at(6 * time.Second), "assertion_not_yet"},
		"an nbf that is none":              {"nbf", "soon", "assertion_malformed"},
		"within the leeway of our clock":   {"iat", at(5 * time.Second), "believed"},
		"a life of an hour":                {"exp", at(time.Hour - time.Second), "assertion_too_long"},
		"a life beyond its key's":          {"exp", at(2 * time.Hour), "assertion_too_long"},
		"another method":                   {"htm", "POST", "assertion_other_method"},
		"another method by case":           {"htm", "get", "assertion_other_method"},
		"another path":                     {"path", "/orders/43", "assertion_other_target"},
		"the same path, encoded":           {"path", "/orders/4%32", "assertion_other_target"},
		"the query as a part of the path":  {"path", "/orders/42?expand=lines", "assertion_other_target"},
		"another query":                    {"qh", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "assertion_other_target"},
		"no query":                         {"qh", nil, "assertion_other_target"},
		"an empty digest":                  {"qh", "", "assertion_malformed"},
		"another user":                     {"headers", members{"X-User-Id": "u-2", "X-Scopes": "a%2Cb,c"}, "assertion_other_headers"},
		"a header more than was sent":      {"headers", members{"X-User-Id": "u-1", "X-Scopes": "a%2Cb,c", "X-Roles": "admin"}, "assertion_other_headers"},
		"silence on a header that is here": {"headers", members{"X-User-Id": "", "X-Scopes": "a%2Cb,c"}, "assertion_other_headers"},
		"a header under another spelling":  {"headers", members{"x-user-id": "u-1"}, "assertion_malformed"},
		"no headers":                       {"headers", nil, "assertion_malformed"},
		"no name of the call":              {"jti", "", "assertion_malformed"},
		"a claim of a later version":       {"later", true, "believed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			f.claims = with(f.claims, c.claim, c.value)
			if _, fault := f.verifier(t).Request(f.request(t)); codeOf(fault) != c.want {
				t.Errorf("got %v, want %s", fault, c.want)
			}
		})
	}
}

// A genuine assertion, and another request.
func TestAnAlteredRequestIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(*http.Request)
		want  string
	}{
		"another method":              {func(r *http.Request) { r.Method = "DELETE" }, "assertion_other_method"},
		"another path":                {func(r *http.Request) { r.RequestURI = "/orders/43?expand=lines" }, "assertion_other_target"},
		"another query":               {func(r *http.Request) { r.RequestURI = "/orders/42?expand=all" }, "assertion_other_target"},
		"no query":                    {func(r *http.Request) { r.RequestURI = "/orders/42" }, "assertion_other_target"},
		"absolute-form":               {func(r *http.Request) { r.RequestURI = backend + "/orders/42?expand=lines" }, "assertion_other_target"},
		"another user":                {func(r *http.Request) { r.Header.Set("X-User-Id", "u-2") }, "assertion_other_headers"},
		"a second user":               {func(r *http.Request) { r.Header.Add("X-User-Id", "u-2") }, "assertion_other_headers"},
		"no user":                     {func(r *http.Request) { r.Header.Del("X-User-Id") }, "assertion_other_headers"},
		"a role besides":              {func(r *http.Request) { r.Header.Set("X-Roles", "admin") }, "assertion_other_headers"},
		"a role in disguise":          {func(r *http.Request) { r.Header["X_roles"] = []string{"admin"} }, "assertion_other_headers"},
		"a user in disguise":          {func(r *http.Request) { r.Header["X.user.id"] = []string{"u-2"} }, "assertion_other_headers"},
		"a header of no matter":       {func(r *http.Request) { r.Header.Set("Accept", "text/html") }, "believed"},
		"no assertion":                {func(r *http.Request) { r.Header.Del(verify.Header) }, "assertion_missing"},
		"no statement":                {func(r *http.Request) { r.Header.Del(verify.KeyHeader) }, "assertion_missing"},
		"two assertions":              {func(r *http.Request) { r.Header.Add(verify.Header, r.Header.Get(verify.Header)) }, "assertion_repeated"},
		"two statements":              {func(r *http.Request) { r.Header.Add(verify.KeyHeader, r.Header.Get(verify.KeyHeader)) }, "assertion_repeated"},
		"the headers swapped":         {swapped, "assertion_malformed"},
		"one text for both":           {func(r *http.Request) { r.Header.Set(verify.Header, r.Header.Get(verify.KeyHeader)) }, "assertion_malformed"},
		"an assertion that is empty":  {func(r *http.Request) { r.Header.Set(verify.Header, "") }, "assertion_malformed"},
		"an assertion of 8 KiB and 1": {func(r *http.Request) { r.Header.Set(verify.Header, strings.Repeat("a", 8<<10+1)) }, "assertion_malformed"},
		"a statement of 2 KiB and 1":  {func(r *http.Request) { r.Header.Set(verify.KeyHeader, strings.Repeat("a", 2<<10+1)) }, "assertion_malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			r := f.request(t)
			c.alter(r)
			if _, fault := f.verifier(t).Request(r); codeOf(fault) != c.want {
				t.Errorf("got %v, want %s", fault, c.want)
			}
		})
	}
}

func swapped(r *http.Request) {
	a, s := r.Header.Get(verify.Header), r.Header.Get(verify.KeyHeader)
	r.Header.Set(verify.Header, s)
	r.Header.Set(verify.KeyHeader, a)
}

func TestATokenThatIsSignedOtherwiseIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(*testing.T, *forger)
		want  string
	}{
		"by another instance's key":           {func(t *testing.T, f *forger) { f.instance = newKey(t) }, "assertion_bad_signature"},
		"by another key that names itself":    {func(t *testing.T, f *forger) { s := f.statement; f.as(t, newKey(t)); f.statement = s }, "assertion_other_key"},
		"with a statement by another root":    {func(t *testing.T, f *forger) { f.root = newKey(t) }, "assertion_bad_signature"},
		"with a root that names itself":       {func(t *testing.T, f *forger) { f.keyHeader["kid"] = thumbprint(t, &newKey(t).PublicKey) }, "assertion_unknown_key"},
		"by the instance for itself":          {func(t *testing.T, f *forger) { f.root = f.instance }, "assertion_bad_signature"},
		"with alg none":                       {func(_ *testing.T, f *forger) { f.header["alg"] = "none" }, "assertion_malformed"},
		"with alg RS256":                      {func(_ *testing.T, f *forger) { f.header["alg"] = "RS256" }, "assertion_malformed"},
		"with alg in lower case":              {func(_ *testing.T, f *forger) { f.header["alg"] = "es256" }, "assertion_malformed"},
		"with a key of its own":               {func(t *testing.T, f *forger) { f.header["jwk"] = jwkOf(t, &f.instance.PublicKey) }, "assertion_malformed"},
		"with the address of a key":           {func(_ *testing.T, f *forger) { f.keyHeader["jku"] = "https://evil.example/jwks" }, "assertion_malformed"},
		"with a demand":                       {func(_ *testing.T, f *forger) { f.header["crit"] = []string{"exp"} }, "assertion_malformed"},
		"with an encoding of its own":         {func(_ *testing.T, f *forger) { f.header["b64"] = false }, "assertion_malformed"},
		"without a kid":                       {func(_ *testing.T, f *forger) { delete(f.header, "kid") }, "assertion_malformed"},
		"as another type":                     {func(_ *testing.T, f *forger) { f.header["typ"] = "JWT" }, "assertion_malformed"},
		"as the other type":                   {func(_ *testing.T, f *forger) { f.header["typ"] = verify.KeyType }, "assertion_malformed"},
		"as the type in capitals":             {func(_ *testing.T, f *forger) { f.header["typ"] = strings.ToUpper(verify.Type) }, "assertion_malformed"},
		"with a statement that has expired":   {func(_ *testing.T, f *forger) { f.statement["exp"] = noon.Add(-5 * time.Second).Unix() }, "assertion_key_expired"},
		"with a statement that never ends":    {func(_ *testing.T, f *forger) { f.statement["exp"] = noon.Add(48 * time.Hour).Unix() }, "assertion_malformed"},
		"with a statement of tomorrow":        {func(_ *testing.T, f *forger) { f.statement["iat"] = noon.Add(time.Minute).Unix() }, "assertion_malformed"},
		"with a statement of another gateway": {func(_ *testing.T, f *forger) { f.statement["iss"] = "https://api.other.example" }, "assertion_malformed"},
		"with a statement without a key":      {func(_ *testing.T, f *forger) { delete(f.statement, "cnf") }, "assertion_malformed"},
		"with a key by another name":          {func(t *testing.T, f *forger) { f.statement["cnf"] = members{"JWK": jwkOf(t, &f.instance.PublicKey)} }, "assertion_malformed"},
		"with a private key in the open":      {func(_ *testing.T, f *forger) { f.statement["cnf"].(members)["jwk"].(members)["d"] = "AA" }, "assertion_malformed"},
		"with a point off the curve": {func(_ *testing.T, f *forger) {
			f.statement["cnf"].(members)["jwk"].(members)["x"] = strings.Repeat("A", 43)
		}, "assertion_malformed"},
		"with a statement of another life": {func(t *testing.T, f *forger) { f.statement["exp"] = noon.Add(30 * time.Second).Unix() }, "assertion_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			v := f.verifier(t)
			c.alter(t, f)
			if _, fault := v.Request(f.request(t)); codeOf(fault) != c.want {
				t.Errorf("got %v, want %s", fault, c.want)
			}
		})
	}
}

// One text, one meaning: every other way of writing a token is refused.
func TestATokenIsReadInOneWayOnly(t *testing.T) {
	raw := func(text string) func(string) string {
		return func(string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	}
	f := newForger(t)
	good, statement := f.tokens(t)
	kid := thumbprint(t, &f.instance.PublicKey)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	body := string(payload)
	for name, c := range map[string]struct {
		part  int
		write func(string) string
	}{
		"a header with a name twice":      {0, raw(`{"alg":"none","alg":"ES256","kid":"` + kid + `","typ":"` + verify.Type + `"}`)},
		"a header with a folded name":     {0, raw(`{"ALG":"ES256","kid":"` + kid + `","typ":"` + verify.Type + `"}`)},
		"a payload with a name twice":     {1, raw(body[:len(body)-1] + `,"aud":"` + backend + `"}`)},
		"a name twice further in":         {1, raw(body[:len(body)-1] + `,"x":[{"a":1,"a":2}]}`)},
		"an escaped name twice":           {1, raw(body[:len(body)-1] + `,"\u0061ud":"` + backend + `"}`)},
		"half a surrogate":                {1, raw(body[:len(body)-1] + `,"x":"\ud800"}`)},
		"bytes that aren't UTF-8":         {1, raw(body[:len(body)-1] + ",\"x\":\"\xff\"}")},
		"a payload in folded names":       {1, raw(strings.ReplaceAll(body, `"aud"`, `"AUD"`))},
		"something after the object":      {1, raw(body + "{}")},
		"white space before the object":   {1, raw(" " + body)},
		"a list":                          {1, raw("[" + body + "]")},
		"null":                            {1, raw("null")},
		"deep nesting":                    {1, raw(`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}")},
		"padding":                         {1, func(s string) string { return s + "=" }},
		"a line break":                    {1, func(s string) string { return s[:4] + "\n" + s[4:] }},
		"standard base64":                 {2, func(s string) string { return "+" + s[1:] }},
		"bits after the signature's last": {2, func(s string) string { return s[:len(s)-1] + next(s[len(s)-1]) }},
		"a fourth part":                   {2, func(s string) string { return s + "." + s }},
		"a signature that is empty":       {2, func(string) string { return "" }},
		"a signature in DER":              {2, func(s string) string { return "MEUC" + s }},
		"a signature that is cut":         {2, func(s string) string { return s[:len(s)-2] }},
		"a signature of zeros":            {2, func(s string) string { return strings.Repeat("A", len(s)) }},
	} {
		t.Run(name, func(t *testing.T) {
			// Signed anew where the change is in what is signed: the text is refused, not the signature.
			altered := tamper(good, c.part, c.write)
			if c.part < 2 && !strings.ContainsAny(altered, "=\n") {
				altered = sign(t, f.instance, altered[:strings.LastIndexByte(altered, '.')])
			}
			want := "assertion_malformed"
			if strings.HasPrefix(name, "a signature") {
				want = "assertion_bad_signature"
			}
			if _, fault := f.verifier(t).Verify(t.Context(), altered, statement, "GET", "/orders/42?expand=lines"); codeOf(fault) != want {
				t.Errorf("got %v, want %s", fault, want)
			}
		})
	}
}

// next is the base64url character whose lowest bit differs: other text, same bytes to a lax reader.
func next(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

// RFC 8725 §2.1: a public key must never do as the secret of an HMAC.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	f := newForger(t)
	f.header["alg"] = "HS256"
	text := encode(t, f.header) + "." + encode(t, f.claims)
	secret, err := jwk.Append(nil, &f.instance.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	_, statement := f.tokens(t)
	_, fault := f.verifier(t).Verify(t.Context(), text+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), statement, "GET", "/orders/42?expand=lines")
	if codeOf(fault) != "assertion_malformed" {
		t.Errorf("got %v, want assertion_malformed", fault)
	}
}
