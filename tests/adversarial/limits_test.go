package adversarial

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// dodge is a way to look like another caller, or to call something else.
type dodge struct {
	name    string
	request func(oid string, i int) string
	want    string // "": it is the call that it looks unlike; or else how it is refused
}

// user asks for the operation with three calls an hour for each user.
func (b *bench) user3(oid string, lines ...string) string {
	return ask("GET /metered/user/1", append([]string{"Authorization: Bearer " + b.as(oid, nil)}, lines...)...)
}

// dodges: case 128.
func dodges(b *bench) (all []dodge) {
	header := func(line string) {
		all = append(all, dodge{name: line, request: func(oid string, i int) string { return b.user3(oid, strings.ReplaceAll(line, "#", strconv.Itoa(i))) }})
	}
	for _, line := range []string{
		"X-Forwarded-For: 6.6.6.#", "X-Forwarded-For: 6.6.6.#, 203.0.113.7", "X-Real-IP: 6.6.6.#", "Forwarded: for=6.6.6.#", "X-Azure-ClientIP: 6.6.6.#", "User-Agent: agent/#", "Cookie: session=#", "Accept: text/#", "X-Request-Id: #",
		"X-Correlation-Id: #", "X-Api-Version: #", "Ocp-Apim-Subscription-Key: #", "X-HTTP-Method-Override: DELETE", "X-Auth-Sub: user#", "X-MS-CLIENT-PRINCIPAL-ID: #", "Origin: https://#.example", "Cache-Control: no-cache", "RateLimit: \"per-user\";r=#", "X-RateLimit-Bypass: 1",
	} {
		header(line)
	}
	path := func(name, line, want string) {
		all = append(all, dodge{name: name, want: want, request: func(oid string, i int) string {
			return bearing(strings.ReplaceAll(line, "#", strconv.Itoa(i)), b.as(oid, nil))
		}})
	}
	path("another parameter", "GET /metered/user/#", "")
	path("a parameter in other characters", "GET /metered/user/%C3%A9#", "")
	path("a query", "GET /metered/user/1?a=#", "")
	path("an empty query", "GET /metered/user/1?", "")
	path("a query with slashes", "GET /metered/user/1?/../#", "")
	path("a fragment in it", "GET /metered/user/1?a=%23#", "")
	path("HEAD", "HEAD /metered/user/1", "")
	path("the path in another case", "GET /Metered/user/1", "404 no_route")
	path("a segment in another case", "GET /metered/USER/1", "404 no_route")
	path("a slash behind", "GET /metered/user/1/", "404 no_route")
	all = append(all,
		dodge{name: "HTTP/1.0", request: func(oid string, _ int) string {
			return strings.Replace(b.user3(oid), "HTTP/1.1", "HTTP/1.0", 1)
		}},
		dodge{name: "absolute-form", request: func(oid string, _ int) string {
			return strings.Replace(b.user3(oid), "GET /", "GET http://api.example/", 1)
		}},
		dodge{name: "another Host", request: func(oid string, i int) string {
			return strings.Replace(b.user3(oid), "Host: api.example", fmt.Sprintf("Host: h%d.example", i), 1)
		}},
		dodge{name: "the scheme in another case", request: func(oid string, _ int) string {
			return strings.Replace(b.user3(oid), "Authorization: Bearer ", "AUTHORIZATION: bEARER ", 1)
		}},
		dodge{name: "a v1 token", request: func(oid string, _ int) string { return bearing("GET /metered/user/1", b.version1(oid)) }},
		dodge{name: "another client's token", request: func(oid string, _ int) string {
			return bearing("GET /metered/user/1", b.as(oid, map[string]any{"azp": otherOne}))
		}},
		dodge{name: "other claims", request: func(oid string, i int) string {
			return bearing("GET /metered/user/1", b.as(oid, map[string]any{"sub": fmt.Sprint("s", i), "sid": fmt.Sprint(i), "dept": fmt.Sprint(i)}))
		}},
		dodge{name: "a token under DPoP", request: func(oid string, _ int) string { return b.underDPoP("/metered/user/1", b.boundTo(oid)) }},
	)
	if b.Host == nil { // which resolves them
		path("an encoded letter", "GET /metered/%75ser/1", "400 path_not_canonical")
		path("a dot segment", "GET /metered/./user/1", "400 path_not_canonical")
		path("a slash twice", "GET /metered//user/1", "400 path_not_canonical")
		path("an encoded slash", "GET /metered/user%2F1", "400 path_not_canonical")
	}
	return all
}

// TestG128NobodyHasTwoCounts: once with the plain calls first, once with the others.
func TestG128NobodyHasTwoCounts(t *testing.T) {
	b := metered(t, nil)
	dodging(t, b, "429 rate_exceeded")
}

// dodgingBehindHost is the same where no clock can be moved: the limits are for good there.
func dodgingBehindHost(t *testing.T, app string) {
	b := hostedOn(t, "metered", app, edit{"rate: 3/hour", "quota: 3/total"})
	dodging(t, b, "429 quota_exceeded")
	t.Run("an address that the caller makes up", func(t *testing.T) {
		if n := b.granted(t, 8, "429 quota_exceeded", func(i int) string { return ask("GET /metered/address/1", fmt.Sprintf("X-Forwarded-For: 6.6.6.%d", i)) }); n != 3 {
			t.Errorf("got %d granted, want 3", n)
		}
	})
	b.assertLines(t)
}

func dodging(t *testing.T, b *bench, over string) {
	for _, d := range dodges(b) {
		t.Run(d.name, func(t *testing.T) {
			oid := somebody()
			plain := func(int) string { return b.user3(oid) }
			if d.want != "" {
				b.refusedAll(t, d, oid)
				if n := b.granted(t, 5, over, plain); n != 3 {
					t.Errorf("got %d granted beside what leads nowhere, want 3", n)
				}
				return
			}
			before := b.Backend.Count()
			want := over
			if d.name == "HEAD" {
				want = "429" // it has no body
			}
			if n := b.granted(t, 5, want, func(i int) string { return d.request(oid, i) }); n != 3 {
				t.Errorf("got %d granted so, want 3", n)
			}
			if n := b.granted(t, 2, over, plain); n != 0 {
				t.Errorf("got %d granted plainly after that, want none", n)
			}
			other := somebody()
			b.granted(t, 3, over, func(int) string { return b.user3(other) })
			if n := b.granted(t, 2, want, func(i int) string { return d.request(other, i) }); n != 0 {
				t.Errorf("got %d granted so after three plain calls, want none", n)
			}
			if n := b.Backend.Count() - before; n != 6 {
				t.Errorf("the backend heard %d calls of two users, want 3 of each", n)
			}
		})
	}
}

func (b *bench) refusedAll(t *testing.T, d dodge, oid string) {
	t.Helper()
	for i := range 5 {
		if got, a := b.status(t, d.request(oid, i)); got != d.want {
			t.Errorf("got %s %s, want %s", got, a.body, d.want)
		}
	}
}

// G128: callers that a limit tells by their address.
func TestG128AnAddressHasOneCount(t *testing.T) {
	for name, address := range map[string]string{
		"a chain before it":                "X-Forwarded-For: 6.6.#.6, 203.0.113.7",
		"a line before it":                 "X-Forwarded-For: 6.6.6.#\r\nX-Forwarded-For: 203.0.113.7",
		"ports":                            "X-Forwarded-For: 203.0.113.7:100#",
		"IPv4 as IPv6":                     "X-Forwarded-For: [::ffff:203.0.113.7]:100#",
		"its own network of IPv6":          "X-Forwarded-For: 2001:db8::a:#",
		"its own network, in long":         "X-Forwarded-For: 2001:0db8:0000:0000:000#:0:0:1",
		"headers that others look at":      "X-Real-IP: 6.6.6.#\r\nTrue-Client-IP: 6.6.6.#\r\nX-Forwarded-For: 203.0.113.7",
		"an IPv6 address in capitals":      "X-Forwarded-For: [2001:DB8::#]:443",
		"a name with _ beside the address": "X_Forwarded_For: 6.6.6.#\r\nX-Forwarded-For: 203.0.113.7",
	} {
		t.Run(name, func(t *testing.T) {
			b := metered(t, nil)
			n := b.granted(t, 8, "429 rate_exceeded", func(i int) string {
				return ask("GET /metered/address/1", strings.ReplaceAll(address, "#", strconv.Itoa(i)))
			})
			if n != 3 {
				t.Errorf("got %d granted, want 3", n)
			}
		})
	}
	b := metered(t, nil)
	for _, none := range []string{"X-A: 1", "X-Forwarded-For: unknown", "X-Forwarded-For: 203.0.113.7, x", "X-Forwarded-For: fe80::1%eth0", "X-Forwarded-For: "} {
		if got, a := b.status(t, ask("GET /metered/address/1", none)); got != "403 limit_key_missing" || a.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: got %s, want a call from nowhere refused", none, got)
		}
	}
}

// G128: a limit by token counts the token, however it is written.
func TestG128ATokenHasOneCount(t *testing.T) {
	b := metered(t, nil)
	bound := b.boundTo(somebody())
	for name, request := range map[string]func(token string, i int) string{
		"plainly":         func(token string, _ int) string { return bearing("GET /metered/token/1", token) },
		"in another case": func(token string, _ int) string { return ask("GET /metered/token/1", "authorization: BEARER "+token) },
		"with other headers": func(token string, i int) string {
			return ask(fmt.Sprintf("GET /metered/token/%d", i), "Authorization: Bearer "+token, fmt.Sprintf("X-A: %d", i))
		},
		"under DPoP": func(_ string, _ int) string { return b.underDPoP("/metered/token/1", bound) },
	} {
		token := b.as(somebody(), nil)
		if n := b.granted(t, 6, "429 rate_exceeded", func(i int) string { return request(token, i) }); n != 3 {
			t.Errorf("%s: got %d granted, want 3", name, n)
		}
	}
	// A text that means the same token is none, or counts as it.
	token := b.as(somebody(), nil)
	b.granted(t, 3, "", func(int) string { return bearing("GET /metered/token/1", token) })
	for _, written := range []string{token + "=", token + "A", token[:len(token)-1] + next(token[len(token)-1]), " " + token, strings.Replace(token, ".", "=.", 1)} {
		if got, _ := b.status(t, bearing("GET /metered/token/1", written)); got == "200" {
			t.Errorf("got a fourth call granted by %q", written[len(written)-4:])
		}
	}
}

// G128: a header as part of what is counted by.
func TestG128AHeaderIsWhatItHolds(t *testing.T) {
	b := metered(t, nil)
	token := "Authorization: Bearer " + b.as(somebody(), nil)
	for name, lines := range map[string][]string{
		"one":                       {"X-Team: one"},
		"its name in another case":  {"x-tEAM: two"},
		"spaces around it":          {"X-Team: \t three  "},
		"two lines":                 {"X-Team: four", "X-Team: five"},
		"another beside it":         {"X-Team: six", "X_Team: #", "X-Team-: #"},
		"one that Connection names": {"X-Team: seven", "Connection: X-Team"},
		"an empty one":              {"X-Team: "},
		"beyond ASCII":              {"X-Team: caf\xc3\xa9"},
	} {
		n := b.granted(t, 5, "429 rate_exceeded", func(i int) string {
			return ask("GET /metered/team/1", append([]string{token}, strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "#", strconv.Itoa(i)), "\n")...)...)
		})
		if n != 3 {
			t.Errorf("%s: got %d granted, want 3", name, n)
		}
	}
	for _, line := range []string{"X-A: 1", "X_Team: one", "X-Teams: one"} {
		if got, _ := b.status(t, ask("GET /metered/team/1", token, line)); got != "400 limit_key_missing" {
			t.Errorf("%s: got %s, want it missed", line, got)
		}
	}
	if got, _ := b.status(t, ask("GET /metered/team/1", token, "X-Team: caf\xe9")); got != "400 malformed_request" { // which of two readings, nobody can say
		t.Errorf("Latin-1: got %s", got)
	}
	long := "X-Team: " + strings.Repeat("x", 40<<10)
	if n := b.granted(t, 5, "429 rate_exceeded", func(int) string { return ask("GET /metered/team/1", token, long) }); n != 3 {
		t.Errorf("40 KiB: got %d granted, want 3", n)
	}
	if got, _ := b.status(t, ask("GET /metered/team/1", token, long+"x")); got != "200" {
		t.Errorf("40 KiB and a byte: got %s, want another's count", got)
	}
	if got, _ := b.status(t, ask("GET /metered/team/1", token, "X-Team: "+strings.Repeat("x", 70<<10))); got != "431 header_too_large" {
		t.Errorf("70 KiB: got %s", got)
	}
}

// G130: no two values share a count, and none has two.
func TestG130EachValueHasOneCount(t *testing.T) {
	b := metered(t, nil)
	long := strings.Repeat("7", 2048)
	values := []any{
		"a/b", "a\\b", "a#b", "a?b", "a%2Fb", "a%b", "a'b", "a''b", "a b", "a+b", "ab", "a\x00b", "a\nb", "a\r\nb", "a\x1fb", "a\x7fb", "a\u0085b", "\u2028", "é", "e\u0301", "ａ", "a", "A", " a", "a ", "\ufeffa", "",
		long, long + "7", long[1:], strings.Repeat("7", 12<<10), strings.Repeat("é", 1024), "..", ".", "-", "_", "null", "1", 1, true, "true", []string{"x", "y"}, "x,y", []string{"x,y"}, []string{"y", "x"}, []string{},
		`","dept":"`, "smooth", "clock", "ffffffffff", "\U0001F600", "PartitionKey eq 'x'",
	}
	type seen struct {
		value any
		oid   string
	}
	var all []seen
	for _, v := range values {
		s := seen{v, somebody()}
		all = append(all, s)
		if got, a := b.status(t, bearing("GET /metered/dept/1", b.as(s.oid, map[string]any{"dept": v}))); got != "200" {
			t.Errorf("%.40q: got %s %s, want a count of its own", fmt.Sprint(v), got, a.body)
		}
	}
	for _, s := range all { // another user of the same department
		if got, _ := b.status(t, bearing("GET /metered/dept/1", b.as(somebody(), map[string]any{"dept": s.value}))); got != "429 rate_exceeded" {
			t.Errorf("%.40q: got %s, want one count", fmt.Sprint(s.value), got)
		}
	}
	for name, v := range map[string]any{"none": nil, "an object": map[string]any{"a": 1}, "a list of objects": []any{map[string]any{}}} {
		if got, _ := b.status(t, bearing("GET /metered/dept/1", b.as(somebody(), map[string]any{"dept": v}))); got != "403 limit_key_missing" {
			t.Errorf("%s: got %s, want it missed", name, got)
		}
	}
	// The same value under another authority is somebody else.
	hand := func(claims map[string]any) string {
		theirs := part(b.as(somebody(), nil), 1)
		claims["aud"], claims["scp"] = theirs["aud"], theirs["scp"]
		return b.hand(b.payload(claims))
	}
	if got, a := b.status(t, bearing("GET /metered/dept/1", hand(map[string]any{"dept": "a/b"}))); got != "200" {
		t.Errorf("another issuer's a/b: got %s %s, want a count of its own", got, a.body)
	}
	if got, _ := b.status(t, bearing("GET /metered/dept/1", hand(map[string]any{"dept": strings.Repeat("x", 32<<10)}))); got != "200" && !strings.HasPrefix(got, "4") {
		t.Errorf("a claim of 32 KiB: got %s, want it counted or refused", got)
	}
}

var rateLimit = regexp.MustCompile(`^"([a-z-]+)";r=(\d+)(?:;t=(\d+))?$`)

// G134: the answer says when, in three places that agree, and that is the truth.
func TestG134ARefusalSaysWhen(t *testing.T) {
	b := metered(t, nil)
	oid := somebody()
	for left := 2; left >= 0; left-- {
		_, a := b.status(t, b.user3(oid))
		m := rateLimit.FindStringSubmatch(a.Header.Get("RateLimit"))
		if m == nil || m[1] != "per-user" || m[2] != strconv.Itoa(left) || a.Header.Get("RateLimit-Policy") != `"per-user";q=3;w=3600` || a.Header.Get("Retry-After") != "" {
			t.Errorf("got %v, want %d left", a.Header, left)
		}
	}
	b.Backend.Reset()
	for range 10 { // refused calls are not counted: see the next window
		b.status(t, b.user3(oid))
	}
	got, a := b.status(t, b.user3(oid))
	m := rateLimit.FindStringSubmatch(a.Header.Get("RateLimit"))
	if got != "429 rate_exceeded" || m == nil || m[2] != "0" || m[3] == "" || m[3] != a.Header.Get("Retry-After") || b.Backend.Count() != 0 {
		t.Fatalf("got %s with %v and %d calls of the backend, want one wait in both headers", got, a.Header, b.Backend.Count())
	}
	if body := string(a.body); !strings.Contains(body, `"type":"https://iana.org/assignments/http-problem-types#quota-exceeded"`) || !strings.Contains(body, `"violated-policies":["per-user"]`) || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s, want the problem type and the policy", body)
	}
	if e := b.Event(t, a.Header.Get("X-Correlation-Id")); e.Code != "rate_exceeded" || e.Status != 429 || e.Rule != "operations.user.limits.0" {
		t.Errorf("got the event %+v", e)
	}
	seconds, _ := strconv.Atoi(m[3])
	wait := time.Duration(seconds) * time.Second
	end := b.clock().Truncate(time.Hour).Add(time.Hour)
	if off := b.clock().Add(wait).Sub(end); off < -time.Second || off > 3*time.Second {
		t.Errorf("got a wait that ends %s after the window, want its end", off)
	}
	b.Pass(wait - 5*time.Second)
	if got, _ := b.status(t, b.user3(oid)); got != "429 rate_exceeded" {
		t.Errorf("got %s before the time", got)
	}
	b.Pass(5 * time.Second)
	if n := b.granted(t, 5, "429 rate_exceeded", func(int) string { return b.user3(oid) }); n != 3 {
		t.Errorf("got %d granted in the next window, want all 3", n)
	}
}

// G137: what a call weighs, and what is left, is nobody's to say but the contract's.
func TestG137NobodySaysWhatACallCosts(t *testing.T) {
	b := metered(t, nil)
	for _, line := range []string{"X-Cost: 0", "X-Weight: -5", "X-RateLimit-Cost: 0", "RateLimit-Cost: 0", "RateLimit: \"weighed\";r=1000", "RateLimit-Policy: \"weighed\";q=1000;w=1", "Priority: u=0", "X-Rate-Limit-Exempt: true", "Retry-After: 0", "X-Forwarded-Cost: 0", "Cost: 0"} {
		token := "Authorization: Bearer " + b.as(somebody(), nil)
		n := b.granted(t, 5, "429 rate_exceeded", func(int) string { return ask("GET /metered/weigh/1?weight=0&cost=-1", token, line) })
		if n != 2 {
			t.Errorf("%s: got %d granted, want 2", line, n)
		}
	}
}

// What a backend says of limits is replaced: it speaks for the gateway there.
func TestABackendSaysNothingOfTheGatewaysLimits(t *testing.T) {
	b := metered(t, nil)
	_, a := b.status(t, bearing(`GET /metered/user/1?header=RateLimit:x;r=999&header=RateLimit-Policy:x;q=999&header=Retry-After:1`, b.as(somebody(), nil)))
	if got := a.Header.Values("RateLimit"); len(got) != 1 || !rateLimit.MatchString(got[0]) {
		t.Errorf("got RateLimit %q, want the gateway's own", got)
	}
	if got := a.Header.Values("RateLimit-Policy"); len(got) != 1 || got[0] != `"per-user";q=3;w=3600` {
		t.Errorf("got RateLimit-Policy %q, want the gateway's own", got)
	}
}

// What is refused before a limit is asked, or answered without an operation, spends none.
func TestWhatIsNoCallSpendsNothing(t *testing.T) {
	b := metered(t, nil)
	oid := somebody()
	from := "X-Forwarded-For: 203.0.113.9"
	for name, c := range map[string]struct{ request, want string }{
		"a preflight":                       {ask("OPTIONS /metered/user/1", "Origin: https://app.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization", from), "204"},
		"a preflight of what is by address": {ask("OPTIONS /metered/address/1", "Origin: https://app.example", "Access-Control-Request-Method: GET", from), "204"},
		"metadata":                          {ask("GET /.well-known/oauth-protected-resource/metered", from), "200"},
		"nothing that there is":             {bearing("GET /metered/none/1", b.as(oid, nil)), "404 no_route"},
		"another method":                    {bearing("PUT /metered/user/1", b.as(oid, nil)), "405 method_not_allowed"},
		"an expired token":                  {bearing("GET /metered/user/1", b.as(oid, map[string]any{"exp": 5})), "401 token_expired"},
		"another scope":                     {bearing("GET /metered/user/1", b.as(oid, map[string]any{"scp": "other"})), "403 insufficient_scope"},
		"a false signature":                 {bearing("GET /metered/user/1", flippedEnd(b.as(oid, nil))), "401 bad_signature"},
		"a body that has two lengths":       {ask("GET /metered/user/1", "Authorization: Bearer "+b.as(oid, nil), "Content-Length: 1", "Content-Length: 2"), "400 malformed_request"},
	} {
		for range 4 {
			if got, a := b.status(t, c.request); got != c.want {
				t.Errorf("%s: got %s %s, want %s", name, got, a.body, c.want)
			}
		}
	}
	if n := b.granted(t, 5, "429 rate_exceeded", func(int) string { return b.user3(oid) }); n != 3 {
		t.Errorf("got %d granted to the user after all that, want 3", n)
	}
	if n := b.granted(t, 5, "429 rate_exceeded", func(int) string { return ask("GET /metered/address/1", from) }); n != 3 {
		t.Errorf("got %d granted to the address after all that, want 3", n)
	}
	_, a := b.status(t, b.user3(oid, "Origin: https://app.example"))
	if got := a.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, "RateLimit, RateLimit-Policy, Retry-After") || a.Header.Get("Retry-After") == "" {
		t.Errorf("got %v, want what the contract exposes to scripts", a.Header)
	}
}
