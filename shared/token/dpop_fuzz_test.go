package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// fixedKey is the same in every process, so that what a fuzz target found stays found.
func fixedKey() signer {
	seed := sha256.Sum256([]byte("tollgate fuzz"))
	return signer{"", "EdDSA", ed25519.NewKeyFromSeed(seed[:])}
}

// recheck reads a proof that was accepted once more, with nothing of this package
// but the standard library, and says what is wrong with it.
func recheck(text, method, path string, key ed25519.PublicKey) string {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > 8192 {
		return "not three parts of 8 KiB at the most"
	}
	var decoded [3][]byte
	for i, part := range parts {
		data, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || base64.RawURLEncoding.EncodeToString(data) != part {
			return "not base64url"
		}
		decoded[i] = data
	}
	if !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), decoded[2]) {
		return "not signed"
	}
	var header, claims map[string]json.RawMessage
	for i, into := range []*map[string]json.RawMessage{&header, &claims} {
		if err := json.Unmarshal(decoded[i], into); err != nil || !utf8.Valid(decoded[i]) {
			return "not JSON"
		}
		if twice, _, err := survey(decoded[i]); twice || err != nil {
			return "a name is there twice"
		}
	}
	text = func(raw json.RawMessage) (s string) { _ = json.Unmarshal(raw, &s); return s }(header["typ"])
	if !strings.EqualFold(strings.TrimPrefix(strings.ToLower(text), "application/"), "dpop+jwt") {
		return "typ"
	}
	return recheckMembers(header, claims, method, path, key)
}

func recheckMembers(header, claims map[string]json.RawMessage, method, path string, key ed25519.PublicKey) string {
	textOf := func(raw json.RawMessage) (s string) { _ = json.Unmarshal(raw, &s); return s }
	var jwk map[string]json.RawMessage
	if err := json.Unmarshal(header["jwk"], &jwk); err != nil || textOf(jwk["x"]) != b64(string(key)) || textOf(jwk["kty"]) != "OKP" || textOf(jwk["crv"]) != "Ed25519" || jwk["d"] != nil || jwk["k"] != nil {
		return "jwk"
	}
	iat, err := strconv.Atoi(string(claims["iat"]))
	switch sum := sha256.Sum256([]byte(boundText)); {
	case textOf(header["alg"]) != "EdDSA":
		return "alg"
	case header["crit"] != nil || header["jku"] != nil || header["x5u"] != nil || header["x5c"] != nil || header["b64"] != nil:
		return "a member that isn't allowed"
	case textOf(claims["htm"]) != method:
		return "htm"
	case err != nil || iat < int(noon().Unix())-60 || iat > int(noon().Unix())+60:
		return "iat"
	case len(textOf(claims["jti"])) < 1 || len(textOf(claims["jti"])) > 256:
		return "jti"
	case textOf(claims["ath"]) != b64(string(sum[:])):
		return "ath"
	}
	u, err := url.Parse(textOf(claims["htu"]))
	if err != nil || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(textOf(claims["htu"]), "?#") || u.User != nil || u.Opaque != "" {
		return "htu"
	}
	port := u.Port()
	if !strings.EqualFold(u.Scheme, "https") || !strings.EqualFold(u.Hostname(), "api.contoso.example") || port != "" && port != "443" {
		return "the host of htu"
	}
	_, rawPath, _ := strings.Cut(strings.SplitN(textOf(claims["htu"]), "://", 2)[1], "/")
	if unescaped("/"+rawPath) != unescaped(path) {
		return "the path of htu"
	}
	return ""
}

// unescaped resolves what RFC 3986 §2.3 calls unreserved, and writes the rest in capitals.
func unescaped(path string) string {
	return regexp.MustCompile(`%[0-9A-Fa-f]{2}`).ReplaceAllStringFunc(path, func(escape string) string {
		plain, err := url.PathUnescape(escape)
		must(err)
		if regexp.MustCompile(`^[A-Za-z0-9._~-]$`).MatchString(plain) {
			return plain
		}
		return strings.ToUpper(escape)
	})
}

// FuzzDPoPProof: no header makes check panic; what it accepts, an independent
// reading accepts; and it accepts it once. Where raw is empty, the header and
// the payload are signed with the right key first, or nothing would get through.
func FuzzDPoPProof(f *testing.F) {
	s := fixedKey()
	key := s.key.Public().(ed25519.PublicKey)
	claims := proofClaims("j-1")
	f.Add(s.proofHeader(), claims, "", "GET", "/orders/7")
	f.Add("", "", s.proof(f, "j-1"), "GET", "/orders/7")
	f.Add("", "", s.proof(f, "j-1")+"A", "GET", "/orders/7")
	f.Add(swap(f, s.proofHeader(), "dpop+jwt", "application/DPoP+jwt"), swap(f, claims, "https://api", "HTTPS://Api"), "", "GET", "/orders/%37")
	f.Add(s.proofHeader("kid", "x", "use", "sig", "alg", "EdDSA"), swap(f, claims, ".example", ".example:443"), "", "GET", "/%6frders/7")
	f.Add(s.proofHeader("d", "AA"), swap(f, claims, "GET", ""), "", "", "/")
	f.Add(swap(f, s.proofHeader(), "EdDSA", "ES256"), swap(f, claims, "/orders/7", "/%c3%A9?"), "", "GET", "/%C3%a9")
	f.Add(swap(f, s.proofHeader(), `{"typ"`, `{"crit":["b64"],"b64":false,"typ"`), swap(f, claims, "1795435200", "1795435260"), "", "POST", "/orders/%3")
	f.Add(swap(f, s.proofHeader(), `"typ"`, `"\u0074yp"`), swap(f, claims, `"j-1"`, `"\ud83d\ude00"`), "", "GET", "/orders/7")
	for _, v := range proofVectors() {
		f.Add("", "", v.text, "POST", "/orders")
	}
	f.Fuzz(func(t *testing.T, header, claims, raw, method, path string) {
		if raw == "" {
			raw = s.token(t, header, claims)
		}
		p, r := atNoon(), &http.Request{Method: method, Header: http.Header{"Dpop": {raw}}}
		refused := p.check(r, path, boundText, jktOf(key))
		if refused != nil {
			if got := verdictOf(refused); got != badProofVerdict || len(p.seen.seen) != 0 {
				t.Fatalf("got %s with %d remembered, want %s and none", got, len(p.seen.seen), badProofVerdict)
			}
			return
		}
		if wrong := recheck(raw, method, path, key); wrong != "" {
			t.Fatalf("accepted, but wrong is: %s", wrong)
		}
		if got := verdictOf(p.check(r, path, boundText, jktOf(key))); got != badProofVerdict {
			t.Fatalf("the second time: got %s, want %s", got, badProofVerdict)
		}
	})
}
