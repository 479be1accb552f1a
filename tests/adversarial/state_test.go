package adversarial

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/host"
	"tollgate/localrun/issuer"
)

// inject is H146: text that would start a new line, colour a terminal or run in
// a spreadsheet, at every place that a caller can fill.
func inject(t *testing.T, b *bench) {
	for _, path := range []string{"/orders/%1b[2J", "/orders/%0a%7b%7d", "/orders/%e2%80%a8", "/orders/$%7Bjndi:ldap:x%7D", "/orders/=cmd()"} {
		a := b.send(t, ask("GET "+path))
		if a.StatusCode < 400 || a.StatusCode >= 500 {
			t.Errorf("%s: got %d, want a refusal", path, a.StatusCode)
		}
	}
	b.run(t, injections(b))
	b.assertLines(t)
}

func injections(b *bench) (rows []row) {
	for _, text := range []string{"\n{\"event\":\"decision\",\"verdict\":\"granted\"}", "\x1b[2J\x1b[31m", "${jndi:ldap://x/a}", "=cmd|' /C calc'!A0", "\u2028\u0085", "%0a%0d{}", "{{7*7}}", strings.Repeat("A", 9000)} {
		quoted := string(must(json.Marshal(text)))
		line := strings.Map(func(r rune) rune { // what a header's line can hold
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, text)
		name := printable(text)
		rows = append(rows,
			row{id: "H146", name: "kid " + name, request: b.named(quoted), want: map[bool]string{false: "401 unknown_key", true: "401 malformed"}[len(text) > 256]},
			row{id: "H146", name: "sub " + name, request: read(b.user(map[string]any{"sub": text, "exp": 5})), want: "401 token_expired"},
			row{id: "H146", name: "iss " + name, request: read(b.user(map[string]any{"iss": text})), want: "401 issuer_not_trusted"},
			row{id: "H146", name: "aud " + name, request: read(b.user(map[string]any{"aud": text})), want: "401 wrong_audience"},
			row{id: "H146", name: "a claim's name " + name, request: read(b.hand(strings.Replace(b.payload(nil), "{", "{"+quoted+":1,"+quoted+":2,", 1))), want: "401 malformed"},
			row{id: "H146", name: "typ " + name, request: read(b.headed(map[string]any{"typ": text})), want: "401 wrong_token_type"},
			row{id: "H146", name: "alg " + name, request: read(b.headed(map[string]any{"alg": text})), want: "401 alg_not_allowed"},
			row{id: "H146", name: "other headers " + name, request: ask("GET /orders/1", "User-Agent: "+line, "X-Correlation-Id: "+line, "X-Forwarded-For: "+line, "X-Azure-Functions-InvocationId: "+line), want: "401 token_missing"},
			row{id: "H146", name: "the query " + name, request: ask("GET /orders/1?x=" + strings.ReplaceAll(line, " ", "+")), want: "401 token_missing"})
	}
	return rows
}

// assertLines: whatever was sent, each line of the handler's output is one JSON
// object that a terminal can show, and each line of its log one of its own.
func (b *bench) assertLines(t *testing.T) {
	t.Helper()
	secret := b64(b.entra.N.Bytes())[:40]
	for _, l := range b.lines() {
		var object map[string]any
		isJSON := json.Unmarshal([]byte(l.Text), &object) == nil
		if ours := strings.HasPrefix(l.Text, "tollgate: "); !isJSON && !ours {
			t.Errorf("got the line %q, want JSON", l.Text)
		}
		odd := strings.ContainsFunc(l.Text, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
		if odd || l.Level == host.Information && !isJSON || strings.Contains(l.Text, secret) {
			t.Errorf("got the line %q at level %s, want printable JSON without key material", l.Text, l.Level)
		}
	}
}

// H139: the same text is judged anew for each API and each issuer.
func TestATokenThatOneAPIKnowsOpensNoOther(t *testing.T) {
	b := inProcess(t, nil)
	both := b.user(map[string]any{"roles": []string{"Admin"}})
	hand := b.hand(b.payload(nil))
	b.run(t, []row{
		{id: "H139", name: "where it belongs", request: read(both), want: "200"},
		{id: "H139", name: "the same text at another API", request: bearing("GET /manage/1", both), want: "401 wrong_audience"},
		{id: "H139", name: "the same text at an API of another issuer", request: bearing("GET /strict/1", both), want: "401 issuer_not_trusted"},
		{id: "H139", name: "another operation of its own API", request: bearing("POST /orders", both), want: "403 insufficient_scope"},
		{id: "H139", name: "where it belongs, again", request: read(both), want: "200"},
		{id: "H139", name: "another issuer's where it belongs", request: read(hand), want: "200"},
		{id: "H139", name: "the same text where its issuer isn't accepted", request: bearing("GET /partners/1", hand), want: "401 issuer_not_trusted"},
		{id: "H139", name: "a known text with a character behind it", request: read(both + "A"), want: "401 bad_signature"},
		{id: "H139", name: "a known text with two characters behind it", request: read(both + "AA"), want: "401 bad_signature"},
		{id: "H139", name: "a known text but for one bit of the payload", request: read(flipped(both)), want: "401 malformed"},
	})
}

// flipped changes one bit in the middle of the payload's first character.
func flipped(token string) string {
	at := strings.IndexByte(token, '.') + 1
	return token[:at] + next(token[at]) + token[at+1:]
}

// eventually asks again until the answer is want.
func (b *bench) eventually(t *testing.T, token, want string) {
	t.Helper()
	tick, deadline := time.NewTicker(50*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		a := b.send(t, read(token))
		if strings.Contains(string(a.body), `"`+want+`"`) {
			return
		}
		if a.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s, want 200 and then %s", a.StatusCode, a.body, want)
		}
		select {
		case <-deadline:
			t.Fatalf("still granted after 20 s, want %s", want)
		case <-tick.C:
		}
	}
}

// H140: the three ways in which a token that was good a moment ago stops being so.
func TestAKnownTokenIsJudgedAnewOnEachRequest(t *testing.T) {
	t.Run("it expires", func(t *testing.T) {
		b := inProcess(t, nil)
		// Three seconds before the end of its skew.
		token := b.user(map[string]any{"exp": b.now().Add(-57 * time.Second).Unix()})
		b.run(t, []row{{id: "H140", name: "before", request: read(token), want: "200"}})
		b.eventually(t, token, "token_expired")
	})
	t.Run("its key is withdrawn", func(t *testing.T) {
		b := inProcess(t, edit{"refresh: 1h", "refresh: 1s"})
		token := b.user(nil)
		b.run(t, []row{{id: "H140", name: "before", request: read(token), want: "200"}})
		must(b.Issuer.Rotate("", false))
		b.eventually(t, token, "unknown_key")
	})
}

// stricter is the rest of H140: a gateway on stricter contracts starts with no
// memory of what the one before it let in.
func stricter(t *testing.T, b *bench, app string) {
	token := b.user(nil)
	b.run(t, []row{{id: "H140", name: "before", request: read(token), want: "200"}})
	file := filepath.Join(b.Local.Dir, "orders.yaml")
	text := string(must(os.ReadFile(file)))
	changed := strings.Replace(text, "allow: { scopes: [orders.read] }", "allow: { scopes: [orders.write] }", 1)
	changed = strings.Replace(changed, "  - { name: orders.read, consent: user }\n", "", 1)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil || changed == text {
		t.Fatal("nothing changed", err)
	}
	b.URL = b.Restart(t, app)
	b.run(t, []row{{id: "H140", name: "after", request: read(token), want: "403 insufficient_scope"}})
}

// H148: a caller may tell a kid that isn't published from one that is, by the
// code; both are in the key set for all to read. Nothing else differs, and a key
// of the caller's own is not told from one that was withdrawn.
func TestTheAnswersToFalseKeysTellOnlyWhatIsPublic(t *testing.T) {
	b := inProcess(t, nil)
	if a := b.send(t, read(b.user(nil))); a.StatusCode != http.StatusOK {
		t.Fatalf("got %d, want 200", a.StatusCode)
	}
	must(b.Issuer.Rotate("", false))
	withdrawn := b.user(nil) // by the new key
	must(b.Issuer.Rotate("", false))
	b.send(t, read(b.user(nil))) // the gateway learns of it
	mint := func(key, kid string) string {
		tok := issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Key: key}
		if kid != "" {
			tok.Header = map[string]any{"kid": kid}
		}
		return b.mint(tok)
	}
	current := part(b.user(nil), 0)["kid"].(string)
	unknown := b.shape(t, mint("", "no-such-kid"))
	for name, c := range map[string]struct{ token, code string }{
		"an unknown kid, signed by nobody's key":  {mint("stranger", "no-such-kid"), "unknown_key"},
		"nobody's key under its own kid":          {mint("stranger", ""), "unknown_key"},
		"a withdrawn key":                         {withdrawn, "unknown_key"},
		"a known kid, signed by nobody's key":     {mint("stranger", current), "bad_signature"},
		"a known kid and a signature of 256 ones": {strings.Join(append(strings.Split(mint("", current), ".")[:2], b64(strings.Repeat("\xff", 256))), "."), "bad_signature"},
	} {
		t.Run("H148 "+name+": 401 "+c.code, func(t *testing.T) {
			got := b.shape(t, c.token)
			if got.code != c.code {
				t.Errorf("got the code %s, want %s", got.code, c.code)
			}
			if c.code == unknown.code && got.body != unknown.body {
				t.Errorf("got %s, want %s", got.body, unknown.body)
			}
			if got.status != unknown.status || !slices.Equal(got.names, unknown.names) || got.error != unknown.error {
				t.Errorf("got %+v, want it to differ from %+v by code and detail only", got, unknown)
			}
		})
	}
}

// shape is an answer without what names the call.
type shape struct {
	status            int
	names             []string // of headers
	code, body, error string
}

func (b *bench) shape(t *testing.T, token string) shape {
	t.Helper()
	a := b.send(t, read(token))
	var p struct{ Code string }
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatal(err)
	}
	body := strings.ReplaceAll(string(a.body), a.Header.Get("X-Correlation-Id"), "ID")
	return shape{a.StatusCode, slices.Sorted(maps.Keys(a.Header)), p.Code, body, challengeOf(t, a)["error"]}
}
