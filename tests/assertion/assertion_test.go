package assertion

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/shared/assertion/verify"
	"tollgate/tests/lab"
)

func TestACallThroughTheGatewayReachesTheBackend(t *testing.T) {
	f, seen := beforeGo(t)
	if status, body := f.send(t, "GET", "/things/a%20b?x=%2F&y", "Reader", "Writer"); status != 200 || body != "application with Reader\napplication with Writer\n" {
		t.Errorf("got %d %s, want the caller's roles", status, body)
	}
	if got, want := seen.Load().RequestURI, "/base/things/a%20b?x=%2F&y"; got != want {
		t.Errorf("the backend got %s, want %s", got, want)
	}
	if status, _ := f.send(t, "GET", "/things/health"); status != 200 {
		t.Errorf("got %d for a public operation, want it to come through too", status)
	}
}

func TestACallersOwnAssertionIsRemoved(t *testing.T) {
	f, seen := beforeGo(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", f.URL+"/things/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{verify.Header, verify.KeyHeader, "X_Gateway_Assertion", "x-gateway.assertion-KEY"} {
		r.Header[name] = []string{"a.b.c"}
	}
	if status, body := do(t, r); status != 200 {
		t.Errorf("got %d %s", status, body)
	}
	for name, values := range seen.Load().Header {
		if strings.Contains(strings.ToLower(name), "assertion") && (len(values) != 1 || values[0] == "a.b.c") {
			t.Errorf("the backend got %s: %v", name, values)
		}
	}
}

// What somebody gets who reaches the backend, and even has seen a call.
func TestACallAroundTheGatewayIsRefused(t *testing.T) {
	f, last := beforeGo(t)
	if status, _ := f.send(t, "GET", "/things/1?a=b", "Reader"); status != 200 {
		t.Fatalf("got %d", status)
	}
	seen := last.Load()
	assertAround(t, f.backend, seen, "assertion_missing", "assertion_other_method", "assertion_other_target", "assertion_other_headers")
	other, err := Behind(f.URL, "https://payments.internal.example", http.HandlerFunc(WhoCalls))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	other.ServeHTTP(w, seen.WithContext(t.Context()))
	if w.Code != 401 || !strings.Contains(w.Body.String(), "assertion_other_audience") {
		t.Errorf("got %d %s at another backend, want a refusal", w.Code, w.Body)
	}
}

func assertAround(t *testing.T, backend string, seen *http.Request, missing, method, target, headers string) {
	t.Helper()
	for name, c := range map[string]struct {
		alter func(*http.Request)
		want  string
	}{
		"without an assertion": {func(r *http.Request) { r.Header.Del(verify.Header) }, missing},
		"without its key":      {func(r *http.Request) { r.Header.Del(verify.KeyHeader) }, missing},
		"another method":       {func(r *http.Request) { r.Method = "PUT" }, method},
		"another path":         {func(r *http.Request) { r.URL.Path = "/base/things/2" }, target},
		"another query":        {func(r *http.Request) { r.URL.RawQuery = "a=c" }, target},
		"another user":         {func(r *http.Request) { r.Header.Set("X-User-Id", "root") }, headers},
	} {
		status, body := around(t, backend, seen, c.alter)
		if c.want == "" && status != 200 || c.want != "" && (status != 401 || !strings.Contains(body, c.want)) {
			t.Errorf("%s: got %d %s, want %q", name, status, body, c.want)
		}
	}
}

func TestNodeVerifiesWhatTheGatewaySigns(t *testing.T) {
	backend, believe := node(t)
	url, seen := recorded(t, relay(t, backend))
	f := before(t, url)
	believe(f.URL, audience)
	status, body := f.send(t, "GET", "/things/a%20b?x=%2F&y", "Reader", "Writer")
	var claims struct {
		ISS, AUD, HTM, Path, API, Operation, Principal string
		ClaimsContract                                 int
		Headers                                        map[string]string
	}
	if err := json.Unmarshal([]byte(body), &claims); err != nil || status != 200 || claims.HTM != "GET" || claims.Path != "/base/things/a%20b" || claims.API != "things" ||
		claims.Operation != "get" || claims.Principal != "application" || claims.ClaimsContract != 7 || claims.Headers["X-Roles"] != "Reader,Writer" || claims.ISS != f.URL || claims.AUD != audience {
		t.Errorf("got %d %s (%v)", status, body, err)
	}
	if status, body := f.send(t, "GET", "/things/health"); status != 200 {
		t.Errorf("got %d %s for a public operation", status, body)
	}
	if status, _ := f.send(t, "GET", "/things/1?a=b", "Reader"); status != 200 {
		t.Fatalf("got %d", status)
	}
	// It has no middleware for the headers: it reads them from the claims alone.
	const another = "the assertion is for another request"
	assertAround(t, backend, seen.Load(), "ERR_JWS_INVALID", another, another, "")
	believe(f.URL, "https://payments.internal.example")
	if status, body := around(t, backend, seen.Load(), func(*http.Request) {}); status != 401 || body != "ERR_JWT_CLAIM_VALIDATION_FAILED" {
		t.Errorf("got %d %s at another backend, want a refusal", status, body)
	}
}

func TestTheKeySetIsPublicAndThereForBackends(t *testing.T) {
	f, _ := beforeGo(t)
	for _, method := range []string{"GET", "HEAD"} {
		r, err := http.NewRequestWithContext(t.Context(), method, f.URL+"/_gateway/jwks", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/jwk-set+json" || resp.Header.Get("Cache-Control") != "public, max-age=300" || resp.ContentLength < 100 {
			t.Errorf("%s: got %d %v", method, resp.StatusCode, resp.Header)
		}
		if e := f.Event(t, resp.Header.Get("X-Correlation-Id")); e.Operation != "jwks" || e.Code != "granted" {
			t.Errorf("got %+v, want one event like that of any request", e)
		}
	}
	if status, body := f.send(t, "POST", "/_gateway/jwks"); status != 405 {
		t.Errorf("got %d %s for POST, want 405", status, body)
	}
}

// The page's code is the code that was tested here.
func TestThePageShowsTheseFiles(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(lab.Root(t), "docs/assertion.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"backend.go", "verify.mjs"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(text), "\n// Behind")
		if name == "backend.go" {
			code = "// Behind" + code
		} else {
			code = string(text)
		}
		if !strings.Contains(string(page), "\n"+strings.TrimSpace(code)+"\n```") {
			t.Errorf("docs/assertion.md doesn't show %s as it is", name)
		}
	}
}
