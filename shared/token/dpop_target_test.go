package token

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// RFC 9449 §4.3: htu is compared after the normalisation of RFC 3986 §6.2.2 and §6.2.3.
func TestDPoPTargetsAreComparedAfterNormalisation(t *testing.T) {
	for _, c := range []struct {
		origin, path, htu string
		same              bool
	}{
		{apiOrigin, "/orders/7", "HTTPS://API.Contoso.EXAMPLE/orders/7", true},
		{apiOrigin, "/orders/7", apiOrigin + ":443/orders/7", true},
		{apiOrigin, "/orders/7", apiOrigin + ":/orders/7", true},
		{apiOrigin + ":443", "/orders/7", apiOrigin + "/orders/7", true},
		{apiOrigin + "/", "/orders/7", apiOrigin + "/orders/7", true},
		{"http://127.0.0.1:8080", "/", "http://127.0.0.1:8080", true},
		{"http://127.0.0.1:80", "/", "http://127.0.0.1/", true},
		{"http://[::1]:8080", "/a", "http://[::1]:8080/a", true},
		{apiOrigin, "/a%7Eb", apiOrigin + "/a~b", true},
		{apiOrigin, "/a~b", apiOrigin + "/%61%7eb", true},
		{apiOrigin, "/a%c3%a9", apiOrigin + "/a%C3%A9", true},
		{apiOrigin, "/a%2Cb", apiOrigin + "/a%2cb", true},
		{apiOrigin, "/a,b", apiOrigin + "/a%2Cb", false},
		{apiOrigin, "/a%2541", apiOrigin + "/aA", false},
		{apiOrigin, "/a%2541", apiOrigin + "/a%41", false},
		{apiOrigin, "/a%2F", apiOrigin + "/a/", false},
		{apiOrigin, "/a%zz", apiOrigin + "/a%zz", false},
		{apiOrigin, "/a%", apiOrigin + "/a%", false},
		{apiOrigin, "/a?b", apiOrigin + "/a?b", false},
		{apiOrigin, "/a\x00", apiOrigin + "/a\x00", false},
		{apiOrigin, "/a/../b", apiOrigin + "/b", false},
		{apiOrigin, "//a", apiOrigin + "/a", false},
		{apiOrigin, "/a", apiOrigin + ":80/a", false},
		{apiOrigin, "/a", apiOrigin + ":0443/a", false},
		{apiOrigin, "/a", apiOrigin + "./a", false},
		{apiOrigin, ".evil/a", apiOrigin + ".evil/a", false},
		{apiOrigin, "", apiOrigin, false},
		{apiOrigin, "/", apiOrigin + "/%zz", false},
		{apiOrigin, "/%zz", apiOrigin + "/", false},
		{apiOrigin, "/a#b", apiOrigin + "/a#b", false},
		{apiOrigin, "/\u00e9", apiOrigin + "/\u00e9", false},
		{"https://k.example", "/a", "https://\u212a.example/a", false}, // the Kelvin sign is a k in lower case
		{apiOrigin, "/a", "//api.contoso.example/a", false},
		{apiOrigin, "/a", "https:/api.contoso.example/a", false},
		{"http://api.example", "/a", "http://api.example:443/a", false},
	} {
		p, f := newProofs(c.origin, time.Minute, noon), &proof{claims: map[string]any{"htm": "GET", "htu": c.htu}}
		if got := f.checkRequest("GET", p.origin, c.path) == nil; got != c.same {
			t.Errorf("%s%s and htu %s: got %t, want %t", c.origin, c.path, c.htu, got, c.same)
		}
	}
}

func TestDPoPWindowHoldsBothItsEnds(t *testing.T) {
	s := edK()
	for name, c := range map[string]struct {
		now  time.Time
		want string
	}{
		"made exactly one window ago":       {noon().Add(time.Minute), "granted"},
		"made a nanosecond longer ago":      {noon().Add(time.Minute + 1), badProofVerdict},
		"made one window in the future":     {noon().Add(-time.Minute), "granted"},
		"made a nanosecond further ahead":   {noon().Add(-time.Minute - 1), badProofVerdict},
		"made now":                          {noon(), "granted"},
		"made now, by a clock in Australia": {noon().In(time.FixedZone("", 11*3600)), "granted"},
	} {
		p := newProofs(apiOrigin, time.Minute, func() time.Time { return c.now })
		if got := verdictOf(p.ask(s, nil, s.proof(t, "j-1"))); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestDPoPProofLengthsAtTheirCaps(t *testing.T) {
	s, p := edK(), atNoon()
	assertVerdict(t, verdictOf(p.ask(s, nil, s.token(t, s.proofHeader(), proofClaims(strings.Repeat("j", maxJTI))))), "granted")
	padded := func(n int) string {
		return s.token(t, s.proofHeader(), swap(t, proofClaims("j-1"), "{", `{"x":"`+strings.Repeat("x", n)+`",`))
	}
	n := 5000
	for _, step := range []int{100, 1} { // one octet is one character more, or two
		for len(padded(n+step)) <= maxProof {
			n += step
		}
	}
	assertVerdict(t, verdictOf(p.ask(s, nil, padded(n))), "granted")
	assertVerdict(t, verdictOf(atNoon().ask(s, nil, padded(n+1))), badProofVerdict)
}

func TestDPoPRefusalsHoldNothingOfTheProof(t *testing.T) {
	s, p := ecK(), atNoon()
	secret := "s3cr3t-of-the-caller"
	for _, text := range []string{
		s.token(t, swap(t, s.proofHeader(), "dpop+jwt", secret), proofClaims("j-1")), s.token(t, s.proofHeader("crv", secret), proofClaims("j-1")), s.token(t, s.proofHeader("x", secret), proofClaims("j-1")),
		s.token(t, swap(t, s.proofHeader(), "ES256", secret), proofClaims("j-1")), s.token(t, s.proofHeader(), swap(t, proofClaims("j-1"), "1795435200", `"`+secret+`"`)), s.token(t, s.proofHeader(), swap(t, proofClaims("j-1"), "GET", secret)),
		s.token(t, s.proofHeader()+secret, proofClaims("j-1")), s.token(t, s.proofHeader(), proofClaims("j-1")+secret), secret, s.proof(t, secret) + "x",
	} {
		refused := p.ask(s, nil, text)
		assertVerdict(t, verdictOf(refused), badProofVerdict)
		if refused != nil && strings.Contains(refused.Detail+refused.Cause(), secret) {
			t.Errorf("the refusal holds the caller's text: %q, %q", refused.Detail, refused.Cause())
		}
	}
}

// Every byte of a valid proof counts: whatever is changed, it is refused.
func TestDPoPProofWithAnyByteChangedIsRefused(t *testing.T) {
	s, p := edK(), atNoon()
	valid := s.proof(t, "j-1")
	for at := range len(valid) {
		for _, b := range []byte{valid[at] ^ 1, valid[at] ^ 0x20, valid[at] + 1, '.', 'A', '='} {
			if b == valid[at] {
				continue
			}
			text := []byte(valid)
			text[at] = b
			if got := verdictOf(p.ask(s, nil, string(text))); got != badProofVerdict {
				t.Fatalf("byte %d, %q for %q: got %s, want %s", at, b, valid[at], got, badProofVerdict)
			}
		}
		if got := verdictOf(p.ask(s, nil, valid[:at]+valid[at+1:])); got != badProofVerdict {
			t.Fatalf("byte %d left out: got %s, want %s", at, got, badProofVerdict)
		}
	}
	assertVerdict(t, verdictOf(p.ask(s, nil, valid)), "granted")
}

func TestDPoPHeaderNameIsReadInAnyCase(t *testing.T) {
	s := edK()
	for _, name := range []string{"DPoP", "dpop", "DPOP"} {
		p := atNoon()
		got := verdictOf(p.ask(s, func(r *http.Request) { r.Header.Set(name, s.proof(t, "j-1")) }))
		assertVerdict(t, got, "granted")
	}
}
