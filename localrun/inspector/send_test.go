package inspector

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/forward"
)

func TestARequestIsSentThroughTheGateway(t *testing.T) {
	v := open(t)
	var got *http.Request
	var body []byte
	v.gateway = func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set(forward.CorrelationHeader, "c1")
		w.Header().Set("Set-Cookie", "crumb=secret1")
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(http.StatusFound)
		v.tell(t, audit.Event{Correlation: "c1", Method: "POST", Path: "/things/1", Status: 302})
	}
	status, text := v.form(t, "method", "post", "path", "/things//%2e?x=1", "headers", "X-One: 1\r\nx-two:2\r\n", "body", "a\r\nb",
		"who", "token", "roles", "Reader, Writer", "client", "app-1", "until", "-1h", "key", "tgk_secret2")
	if status != http.StatusOK {
		t.Fatalf("got %d: %s", status, text)
	}
	missing(t, text, "302 Found", `href="/requests/1" id="judgement"`, "(cookie, 13 characters)", "https://elsewhere.example/")
	present(t, text, "secret1", "secret2", "a.minted.token")
	if got.Method != "POST" || got.RequestURI != "/things//%2e?x=1" || got.Header.Get("X-One") != "1" || got.Header.Get("X-Two") != "2" || string(body) != "a\nb" {
		t.Errorf("got %s %s %v %q", got.Method, got.RequestURI, got.Header, body)
	}
	if got.Header.Get("Authorization") != "Bearer a.minted.token" || got.Header.Get("X-Key") != "tgk_secret2" {
		t.Errorf("got %v, want the token and the key", got.Header)
	}
	if m := v.minted; m.API != "things" || strings.Join(m.Roles, " ") != "Reader Writer" || m.Client != "app-1" || m.Lifetime != -time.Hour {
		t.Errorf("got %+v minted", m)
	}
}

func TestWhatCantBeSent(t *testing.T) {
	v := open(t)
	v.gateway = func(http.ResponseWriter, *http.Request) { t.Error("the call was made") }
	for name, fields := range map[string][]string{
		"another host":              {"path", "http://evil.example/"},
		"no path":                   {"path", ""},
		"two lines in the path":     {"path", "/a\r\nX: 1"},
		"a space in the path":       {"path", "/a HTTP/1.1"},
		"no header":                 {"path", "/things/1", "headers", "nonsense"},
		"a header's broken name":    {"path", "/things/1", "headers", "a b: 1"},
		"a header's broken value":   {"path", "/things/1", "headers", "a: 1\x00"},
		"a header of framing":       {"path", "/things/1", "headers", "transfer-encoding: chunked"},
		"a method that is none":     {"path", "/things/1", "method", "GET /"},
		"a lifetime that is none":   {"path", "/things/1", "who", "token", "until", "soon"},
		"a token for no API at all": {"path", "/elsewhere", "who", "token"},
	} {
		fields = append([]string{"method", "GET", "who", "nobody"}, fields...)
		if status, text := v.form(t, fields...); status != http.StatusBadRequest || !strings.Contains(text, "Not sent: ") {
			t.Errorf("%s: got %d: %s", name, status, text)
		}
	}
	if status, _ := v.form(t, "method", "POST", "path", "/things/1", "who", "nobody", "body", strings.Repeat("x", maxForm)); status != http.StatusBadRequest {
		t.Errorf("got %d for a body that is too large, want 400", status)
	}
}

// A target that begins with // goes to the gateway like any other.
func TestEveryTargetGoesToTheGateway(t *testing.T) {
	v := open(t)
	var got []string
	v.gateway = func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.RequestURI) }
	for _, path := range []string{"//127.0.0.1:1/x", "//x?y=%zz"} {
		if status, text := v.form(t, "method", "GET", "path", path, "who", "nobody", "headers", "Host: evil.example"); status != http.StatusOK || len(got) != 1 || got[0] != path {
			t.Errorf("got %d and %q, want %s as typed: %s", status, got, path, text)
		}
		got = nil
	}
}

func TestALongAnswerIsCut(t *testing.T) {
	v := open(t)
	v.gateway = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10<<20)) }
	_, text := v.form(t, "method", "GET", "path", "/things/1", "who", "nobody")
	if missing(t, text[:min(len(text), 4000)], "It is longer"); len(text) > 1<<20 {
		t.Errorf("got a page of %d bytes", len(text))
	}
}

func TestARequestIsDraftedWithoutItsSecrets(t *testing.T) {
	v := open(t)
	v.arrive(t, "i1", "PUT", "/things/1?a=1&api_pass=swordfish&token=secret5", "line one", http.Header{"Authorization": {"Bearer aa.bbbb.cc"}, "X-Key": {"secret1"}, "X-One": {"1"}, "Content-Length": {"8"}, "Accept-Encoding": {"gzip"}})
	v.tell(t, audit.Event{Correlation: "c1", Invocation: "i1", API: "things", Method: "PUT", Path: "/things/1", App: "app-1", Principal: "user", Claims: []audit.Claim{{Name: "roles", Values: []string{"A", "B"}}, {Name: "scp", Values: []string{"C"}}}})
	text := v.page(t, "/send?of=1")
	missing(t, text, `name="method" value="PUT"`, `name="path" value="/things/1?a=1"`, `X-One: 1</textarea>`, `line one</textarea>`, `name="roles" value="A B"`, `name="scopes" value="C"`, `value="app-1"`)
	present(t, text, "swordfish", "secret1", "secret5", "bbbb", "gzip", "Content-Length")
}

func TestTheStreamTellsOfEachRequest(t *testing.T) {
	v := open(t)
	v.tell(t, audit.Event{Correlation: "c1", Method: "GET", Path: "/things/1"})
	v.tell(t, audit.Event{Correlation: "c2", Method: "GET", Path: "/things/2\n\ndata: {}", API: "things"})
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	next := func(query, last string) func() string {
		req, _ := http.NewRequestWithContext(ctx, "GET", v.server.URL+"/stream?"+query, nil)
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("got %v, %v", resp, err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		lines := bufio.NewScanner(resp.Body)
		return func() string {
			for lines.Scan() {
				if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					return data
				}
			}
			return ""
		}
	}
	all, after, resumed, filtered := next("after=0", ""), next("after=1", ""), next("after=0", "1"), next("verdict=refused", "")
	missing(t, all(), `"number":1`)
	for _, stream := range []func() string{all, after, resumed} {
		missing(t, stream(), `"number":2`, `"path":"/things/2\\n\\ndata: {}"`)
	}
	v.tell(t, audit.Event{Correlation: "c3", Method: "GET", Path: "/things/3"})
	v.tell(t, audit.Event{Correlation: "c4", Method: "GET", Path: "/things/4", Verdict: audit.Refused, Code: "token_missing"})
	missing(t, after(), `"number":3`)
	missing(t, filtered(), `"number":4`, `"code":"token_missing"`)
	if err := v.Close(); err != nil || filtered() != "" {
		t.Errorf("got more after the end, or %v", err)
	}
}

func TestAStreamsEndTakesTheSameRow(t *testing.T) {
	v := open(t)
	v.arrive(t, "i1", "GET", "/things/1", "", http.Header{"X-One": {"1"}})
	v.tell(t, audit.Event{Event: audit.Started, Correlation: "c1", Invocation: "i1", Method: "GET", Path: "/things/1"})
	missing(t, v.page(t, "/"), ">running<")
	v.tell(t, audit.Event{Event: audit.Ended, Correlation: "c1", Invocation: "i1", Method: "GET", Path: "/things/1", Duration: 12 * time.Second})
	text := v.page(t, "/")
	if missing(t, text, ">12.0 s<"); strings.Count(text, "<tr data-number=") != 1 {
		t.Errorf("got %s", text)
	}
	missing(t, v.page(t, "/requests/1"), "X-One")
}

func TestASlowPageIsLetGo(t *testing.T) {
	l := NewLog()
	news, leave := l.watch()
	defer leave()
	for i := range 400 {
		l.add(audit.Event{Correlation: fmt.Sprint(i)})
	}
	n := 0
	for range news { // ends, for the log let go of it
		n++
	}
	if n == 0 || n >= 400 {
		t.Errorf("got %d of 400", n)
	}
	for range 2 * maxWatchers {
		_, leave := l.watch()
		defer leave()
	}
	if got := len(l.watchers); got > maxWatchers {
		t.Errorf("got %d who listen", got)
	}
}
