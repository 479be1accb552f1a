package inspector

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/forward"
)

// missing are those wanted that the text hasn't.
func missing(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in %s", want, text)
		}
	}
}

// present are those unwanted that the text has.
func present(t *testing.T, text string, unwanted ...string) {
	t.Helper()
	for _, bad := range unwanted {
		if strings.Contains(text, bad) {
			t.Errorf("got %q in %s", bad, text)
		}
	}
}

func TestARequestIsShownFromAllThreeSides(t *testing.T) {
	v := open(t)
	v.arrive(t, "i1", "GET", "/things/1?api_pass=swordfish&page=2&%61pi_pass=swordfish2", "the body", http.Header{
		"Authorization": {"Bearer aa.bbbb.cc"}, "Cookie": {"crumb=secret1"}, "X-Key": {"tgk_secret2"}, "Dpop": {"proof.of.secret3"}, "X-Gone": {"1"}, "Accept": {"a"},
	})
	back := v.log.Backend(http.NotFoundHandler())
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.RequestURI, r.Header = "/things/1?page=2", http.Header{forward.CorrelationHeader: {"c1"}, "X-Roles": {"Reader"}, "Accept": {"b"}, "X-Gateway-Assertion": {"se.cre.t4"}}
	back.ServeHTTP(nullWriter{}, r)
	v.stages = []Stage{{Name: "route", First: 2 * time.Millisecond, Took: time.Millisecond}, {Name: "token", Took: 3 * time.Millisecond}}
	v.tell(t, audit.Event{
		Correlation: "c1", Invocation: "i1", API: "things", Operation: "get", Method: "GET", Path: "/things/1", Status: 200, Principal: "application", App: "app-7",
		Claims: []audit.Claim{{Name: "roles", Values: []string{"Reader"}}}, Limits: []audit.Limit{{Name: "per-app", Left: 41, Reset: 7 * time.Second}},
		Own: 300 * time.Microsecond, Waited: 2 * time.Millisecond, Duration: 5 * time.Millisecond,
	})
	text := v.page(t, "/requests/1")
	missing(t, text,
		"(Bearer token, a JWT, 10 characters)", "(cookie, 13 characters)", "(key, 11 characters)", "(token, a JWT, 16 characters)", "page=2", "the body",
		"operations.get.allow", "contracts/things.yaml:9", `<mark>  - { id: get, match: &#34;GET /{id}&#34;`, "roles</code></dt><dd>Reader", "per-app", "41", "app-7",
		"the gateway&#39;s own work", "300 µs", "2.0 ms", "bodies passing", "2.7 ms", `X-Gone <span class="tag">removed`, `X-Roles <span class="tag">added`, `Accept <span class="tag">changed`)
	present(t, text, "swordfish", "secret1", "secret2", "secret3", "se.cre.t4", "aa.bbbb.cc")
	if v.judged == nil || v.judged.RequestURI != "/things/1?api_pass=swordfish&page=2&%61pi_pass=swordfish2" || v.judged.Header.Get("Authorization") != "Bearer aa.bbbb.cc" || v.at.Year() != 2026 {
		t.Errorf("got %+v judged as at %v, want the request as it came, as at its time", v.judged, v.at)
	}
}

type nullWriter struct{}

func (nullWriter) Header() http.Header         { return http.Header{} }
func (nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (nullWriter) WriteHeader(int)             {}

func TestASecretThatShowsItselfIsMaskedAnywhere(t *testing.T) {
	const jwt, key = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "tgk_abcdefghijklmnop"
	v := open(t)
	v.arrive(t, "i1", "POST", "/things/"+jwt+"?x="+key, `{"a":"`+jwt+`"}`, http.Header{"X-Plain": {"it is " + key}})
	v.tell(t, audit.Event{Correlation: "c1", Invocation: "i1", API: "things", Method: "POST", Path: "/things/" + jwt})
	v.gateway = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(jwt)) }
	_, answer := v.form(t, "method", "GET", "path", "/things/1", "who", "nobody")
	request := v.page(t, "/requests/1")
	missing(t, request, fmt.Sprintf("(a JWT, %d characters)", len(jwt)), "it is (key, 20 characters)")
	for _, text := range []string{v.page(t, "/"), request, v.page(t, "/send?of=1"), answer} {
		present(t, text, "eyJ", "tgk_")
	}
}

func TestTheRecordedVerdictStands(t *testing.T) {
	granted, refused := Stage{Name: "token"}, Stage{Name: "allow", Refused: true, Code: "insufficient_role"}
	for name, c := range map[string]struct {
		stages         []Stage
		code           string
		last, wantNote string
	}{
		"the same refusal":                      {[]Stage{granted, refused}, "insufficient_role", "allow", ""},
		"a limit, which isn't counted again":    {[]Stage{granted, {Name: "limits"}}, "rate_exceeded", "limits", ""},
		"a revocation, which isn't looked up":   {[]Stage{granted, {Name: "revocation"}, {Name: "allow"}}, "token_revoked", "revocation", ""},
		"a backend that failed":                 {[]Stage{granted}, "backend_unreachable", "delivery", ""},
		"another refusal, for a key has gone":   {[]Stage{{Name: "token", Refused: true, Code: "token_expired"}}, "insufficient_role", "delivery", "for another reason (token_expired)"},
		"granted, and would be refused now":     {[]Stage{granted, refused}, audit.Granted, "allow", "Then it was granted"},
		"no place for the event of a good call": {[]Stage{granted}, "audit_unavailable", "audit", ""},
	} {
		e := &audit.Event{Verdict: audit.Refused, Code: c.code}
		if c.code == audit.Granted {
			e.Verdict = audit.Granted
		}
		stages, note := recorded(c.stages, e)
		if got := stages[len(stages)-1].Name; got != c.last || !strings.Contains(note, c.wantNote) || c.wantNote == "" && note != "" {
			t.Errorf("%s: got %q last and %q, want %q and %q", name, got, note, c.last, c.wantNote)
		}
	}
}

func TestNothingThatCallersSendBecomesMarkup(t *testing.T) {
	v := open(t)
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`
	v.arrive(t, "i1", "GET", "/things/"+evil, evil, http.Header{"X-Evil": {evil}, "X-<b>": {evil}})
	v.stages = []Stage{{Name: "allow", Refused: true, Code: "x" + evil, Detail: evil, Cause: evil}}
	v.uses = []Use{{Scope: evil, Limit: evil, By: evil, Amount: evil, Ends: evil, Share: 0.5}}
	v.tell(t, audit.Event{
		Correlation: evil, Invocation: "i1", API: "a" + evil, Operation: evil, Method: evil, Path: "/" + evil, Verdict: audit.Refused, Code: evil, Rule: evil, Cause: evil, Marks: []string{evil},
		Client: evil, Principal: evil, User: evil, App: evil, Tenant: evil, Subscription: evil, Product: evil, Trace: evil, Backend: evil,
		Claims: []audit.Claim{{Name: evil, Values: []string{evil}}}, Limits: []audit.Limit{{Name: evil}},
	})
	v.gateway = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Evil", evil)
		_, _ = w.Write([]byte(evil))
	}
	_, answer := v.form(t, "method", "GET", "path", "/things/1", "who", "nobody", "headers", "X-Evil: "+evil, "roles", evil)
	for _, text := range []string{v.page(t, "/"), v.page(t, "/?q=%3Cscript%3E&api=%22%3E%3Cscript%3E&all=1"), v.page(t, "/requests/1"), v.page(t, "/limits"), v.page(t, "/send?of=1"), answer} {
		present(t, text, "<script>alert", "<img", `"><script`, evil)
	}
	if status, text, _ := v.ask(t, "GET", "/requests/%3Cscript%3E", "", nil); status != http.StatusNotFound || strings.Contains(text, "<script>") {
		t.Errorf("got %d: %s", status, text)
	}
}

func TestWhatCantBeSeenIsWritten(t *testing.T) {
	for in, want := range map[string]string{"a\u202eb": `a\u202eb`, "a\x00\x7f": `a\x00\x7f`, "a\xff": `a\xff`, "a\nb": `a\x0ab`, "grün 中": "grün 中"} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q): got %q, want %q", in, got, want)
		}
	}
	if got := visibleLines("a\n\tb\r"); got != "a\n\tb\\x0d" {
		t.Errorf("got %q", got)
	}
}

func TestTheLastThousandAreKept(t *testing.T) {
	v := open(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	big := strings.Repeat("x", 1<<20)
	for i := range Kept + Kept/2 {
		id := fmt.Sprint("i", i)
		v.arrive(t, id, "POST", "/things/"+big[:8<<10], big[:64<<10], http.Header{"X-Big": {big[:12<<10], big}})
		v.log.arrived(id+"-never", &arrival{}) // the host answered it itself
		v.tell(t, audit.Event{Correlation: fmt.Sprint("c", i), Invocation: id, Method: "POST", Path: "/things/1", Status: 200})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("got %d MB kept, want 64 at most", grown>>20)
	}
	text := v.page(t, "/?all=1")
	if n := strings.Count(text, "<tr data-number="); n != Kept {
		t.Errorf("got %d rows, want %d", n, Kept)
	}
	missing(t, v.page(t, "/"), "the newest 200 shown")
	missing(t, v.page(t, fmt.Sprint("/requests/", Kept+Kept/2)), "Body, its beginning", "There were more headers.")
	if status, text, _ := v.ask(t, "GET", "/requests/1", "", nil); status != http.StatusNotFound || !strings.Contains(text, "The last 1000 are kept") {
		t.Errorf("got %d: %s", status, text)
	}
	if len(v.log.fronts.by) > Kept || len(v.log.fronts.order) > Kept {
		t.Errorf("got %d arrivals that wait", len(v.log.fronts.by))
	}
}

func TestFilters(t *testing.T) {
	v := open(t)
	v.tell(t, audit.Event{Correlation: "c1", API: "things", Method: "GET", Path: "/things/one", App: "app-1"})
	v.tell(t, audit.Event{Correlation: "c2", API: "things", Method: "GET", Path: "/things/two", Verdict: audit.Refused, Code: "insufficient_role", Rule: "operations.get.allow.roles", App: "app-2"})
	v.tell(t, audit.Event{Correlation: "c3", API: "others", Method: "POST", Path: "/others/three", Subscription: "sub-3"})
	for query, want := range map[string]string{
		"": "three two one", "api=things": "two one", "verdict=refused": "two", "code=insufficient_role": "two", "client=sub-3": "three", "client=app-1": "one",
		"q=ALLOW.roles": "two", "q=c3": "three", "q=post+/o": "three", "api=things&verdict=granted": "one", "api=none": "",
	} {
		text := v.page(t, "/?"+query)
		var got []string
		for _, name := range []string{"three", "two", "one"} {
			if strings.Contains(text, "/"+name) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", query, got, want)
		}
	}
}

func TestLimitsOnThePage(t *testing.T) {
	v := open(t)
	missing(t, v.page(t, "/limits"), "Nothing is used.")
	for i := range 12 {
		v.uses = append(v.uses, Use{Scope: "product/p", Limit: fmt.Sprint("limit-", i), By: "subscription s", Amount: "9 / 10", Ends: "soon", Share: 0.9})
	}
	text := v.page(t, "/")
	missing(t, text, "limit-7", `aria-label="90 % used"`, `class="near" width="90"`, "4 more")
	present(t, text, "limit-8")
	missing(t, v.page(t, "/limits"), "limit-11")
}
