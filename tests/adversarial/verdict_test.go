package adversarial

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// row is one attack, or one request beside it that must go through.
type row struct {
	id, name string // number in cases/adversarial.md; what is sent
	request  string // as it stands on the wire
	want     string // "200", "401 malformed"; a status alone: the gateway isn't reached
	by       string // who answers, where it isn't the gateway
	check    func(t *testing.T, b *bench, a answer)
}

// run plays rows one after the other: they share the backend's record.
func (b *bench) run(t *testing.T, rows []row) {
	t.Helper()
	answered, refused := map[string]row{}, 0
	for _, r := range rows {
		name := fmt.Sprintf("%s %s: %s", r.id, r.name, r.want)
		if r.by != "" {
			name += " by " + r.by
		}
		t.Run(name, func(t *testing.T) {
			b.Backend.Reset()
			a := b.send(t, r.request)
			b.assert(t, r, a)
			if r.check != nil {
				r.check(t, b, a)
			}
			if r.by == "" {
				answered[a.Header.Get("X-Correlation-Id")] = r
			}
			if a.StatusCode >= 400 {
				refused++
			}
		})
	}
	b.assertEvents(t, answered)
	if len(rows) > 100 {
		t.Logf("%d requests, %d of them refused", len(rows), refused)
	}
}

func (b *bench) assert(t *testing.T, r row, a answer) {
	t.Helper()
	status, code, _ := strings.Cut(r.want, " ")
	if strconv.Itoa(a.StatusCode) != status {
		t.Fatalf("got %d %s, want %s", a.StatusCode, a.body, r.want)
	}
	b.assertSilent(t, r, a)
	if status == "200" {
		if n := b.Backend.Count(); n != 1 {
			t.Errorf("the backend was called %d times, want once", n)
		}
		return
	}
	if n := b.Backend.Count(); n != 0 {
		t.Errorf("the backend was called %d times, want none", n)
	}
	if len(a.body) >= 1<<10 {
		t.Errorf("got a body of %d bytes, want under 1 KiB", len(a.body))
	}
	if r.by == "" {
		b.assertChallenge(t, a, code)
		if strings.HasPrefix(r.request, "HEAD ") { // RFC 9110 §9.3.2: no content
			return
		}
		assertProblem(t, a, code)
	}
}

// assertProblem holds a refusal to RFC 9457, and to this gateway's own members.
func assertProblem(t *testing.T, a answer, code string) {
	t.Helper()
	var p struct {
		Title, Detail, Code, CorrelationID string
		Status                             int
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("got %q, want JSON", a.body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("got Content-Type %q, want application/problem+json", got)
	}
	if p.Code != code || p.Status != a.StatusCode || p.Title == "" || p.Detail == "" {
		t.Errorf("got %s, want the code %s and the status %d", a.body, code, a.StatusCode)
	}
	if id := a.Header.Get("X-Correlation-Id"); id == "" || id != p.CorrelationID {
		t.Errorf("got correlation %q in the header and %q in the body, want one", id, p.CorrelationID)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
}

// attribute is one of a challenge's, of the characters that RFC 6750 §3 allows.
var attribute = regexp.MustCompile(`^([a-z_]+)="([\x20-\x21\x23-\x5b\x5d-\x7e]*)"(?:, )?`)

func challengeOf(t *testing.T, a answer) map[string]string {
	t.Helper()
	lines := a.Header.Values("WWW-Authenticate")
	scheme, rest, _ := strings.Cut(strings.Join(lines, "\n"), " ")
	if len(lines) != 1 || scheme != "Bearer" && scheme != "DPoP" {
		t.Fatalf("got WWW-Authenticate %q, want one challenge, for Bearer or DPoP", lines)
	}
	found := map[string]string{"scheme": scheme}
	for rest != "" {
		m := attribute.FindStringSubmatch(rest)
		if m == nil {
			t.Fatalf("got the challenge %q, want name=\"value\" pairs; stuck at %q", lines[0], rest)
		}
		if _, twice := found[m[1]]; twice { // RFC 6750 §3: must not appear more than once
			t.Errorf("got %s twice in %q", m[1], lines[0])
		}
		found[m[1]], rest = m[2], rest[len(m[0]):]
	}
	return found
}

// assertChallenge: RFC 6750 §3.1.
func (b *bench) assertChallenge(t *testing.T, a answer, code string) {
	t.Helper()
	want := map[int]string{400: "invalid_request", 401: "invalid_token", 403: "insufficient_scope"}[a.StatusCode]
	switch {
	case a.StatusCode != 401 && a.StatusCode != 403 && code != "multiple_credentials",
		code == "address_not_allowed", code == "key_token_mismatch", code == "limit_key_missing":
		return // no credentials would help
	case strings.HasPrefix(code, "key_"):
		assertKeyChallenge(t, a, code)
		return
	case code == "token_missing":
		want = ""
	case code == "insufficient_claims", code == "invalid_dpop_proof":
		want = code
	}
	c := challengeOf(t, a)
	if code == "invalid_dpop_proof" && c["scheme"] != "DPoP" { // RFC 9449 §7.1
		t.Errorf("got a challenge for %s, want one for DPoP", c["scheme"])
	}
	if _, realm := c["realm"]; c["error"] != want || !realm {
		t.Errorf("got the challenge %v, want a realm and the error %q", c, want)
	}
	if public := b.Local.Plan.PublicURL + "/"; !strings.HasPrefix(c["resource_metadata"], public) {
		t.Errorf("got resource_metadata %q, want one below %s", c["resource_metadata"], public)
	}
}

// assertKeyChallenge: it names the header, and tells nobody what became of a key.
func assertKeyChallenge(t *testing.T, a answer, code string) {
	t.Helper()
	got := strings.Join(a.Header.Values("WWW-Authenticate"), "\n")
	if invalid := strings.Contains(got, `error="invalid_key"`); !strings.HasPrefix(got, "SubscriptionKey realm=") || !strings.Contains(got, `name="`) || invalid == (code == "key_missing") {
		t.Errorf("got the challenge %q, want one for a key", got)
	}
}

// assertSilent: nothing of the token, of a key or of the network behind the
// gateway stands in what a caller gets.
func (b *bench) assertSilent(t *testing.T, r row, a answer) {
	t.Helper()
	var head strings.Builder
	if err := a.Header.Write(&head); err != nil {
		t.Fatal(err)
	}
	if a.StatusCode == http.StatusOK {
		return // the echo repeats what it heard
	}
	said := head.String() + string(a.body)
	for what, words := range map[string][]string{
		"a part of the token": partsOf(r.request),
		"key material":        {b64(b.entra.N.Bytes())[:40], b64(b.forge.rsa.N.Bytes())[:40], b.kid},
		"the backend":         {b.API(t, "orders").Backend.Targets[0].URL.Host},
		"a fault of ours":     {"goroutine", ".go:", "panic"},
	} {
		for _, w := range words {
			if strings.Contains(said, w) {
				t.Errorf("the answer holds %s: %q", what, w)
			}
		}
	}
	for _, w := range append(valuesOf(r.request), strings.TrimPrefix(b.Local.Plan.SignIn, "http://"), strings.TrimPrefix(b.forge.url, "http://")) {
		if strings.Contains(string(a.body), w) { // a challenge may name the sign-in address and the audience
			t.Errorf("the body holds a claim's value or an internal address: %q", w)
		}
	}
}

// tokensOf are the credentials that a request carries, of a length that is worth a look.
func tokensOf(request string) (tokens []string) {
	for line := range strings.SplitSeq(request, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		if _, token, _ := strings.Cut(value, " "); strings.EqualFold(name, "Authorization") && len(token) < 64<<10 {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// subscriptionKey is what one looks like, and what is left of one that was altered.
var subscriptionKey = regexp.MustCompile(`(?i)tgk_[a-z0-9]{20,}`)

// partsOf are the subscription keys in a request, and the ends of each part of every token.
func partsOf(request string) (ends []string) {
	ends = subscriptionKey.FindAllString(request, -1)
	for _, token := range tokensOf(request) {
		for p := range strings.SplitSeq(token, ".") {
			if len(p) > 16 {
				ends = append(ends, p[:16], p[len(p)-16:])
			}
		}
	}
	return ends
}

// valuesOf are the texts that a token's payload holds.
func valuesOf(request string) (values []string) {
	for _, token := range tokensOf(request) {
		for _, v := range part(token, 1) {
			if s, isText := v.(string); isText && len(s) > 8 && s != "orders.read" {
				values = append(values, s)
			}
		}
	}
	return values
}

// part decodes one part of a token; nil where it isn't an object.
func part(token string, at int) map[string]any {
	var out map[string]any
	if parts := strings.Split(token, "."); len(parts) > at {
		if text, err := base64.RawURLEncoding.DecodeString(parts[at]); err == nil {
			_ = json.Unmarshal(text, &out) // an attack often isn't JSON
		}
	}
	return out
}
