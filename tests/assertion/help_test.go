package assertion

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
	"tollgate/tests/need"
)

const audience = "https://things.internal.example"

const gatewayFile = `kind: Gateway
name: contoso
claimsContract: 7
forward: { X-User-Id: { claim: [oid, sub] }, X-Roles: { claim: roles } }
`

const apiFile = `kind: API
name: things
owner: tests
path: /things
backend: { url: %q, assertion: { audience: "https://things.internal.example", lifetime: 30s } }
audience: "api://${tenant}/things"
roles: [ { name: Reader }, { name: Writer } ]
operations:
  - { id: get, match: "GET /{id}", allow: { roles: [Reader] } }
  - { id: put, match: "PUT /{id}", allow: { roles: [Reader] } }
  - { id: health, match: "GET /health", public: true }
`

// front is a gateway before one backend.
type front struct {
	*lab.Lab
	backend string
}

func before(t *testing.T, backend string) front {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"gateway.yaml": gatewayFile, "things.yaml": fmt.Sprintf(apiFile, backend+"/base")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return front{lab.InProcess(t, dir), backend}
}

// recorded is a server that remembers the last request it was sent.
func recorded(t *testing.T, h http.Handler) (url string, last *atomic.Pointer[http.Request]) {
	t.Helper()
	last = &atomic.Pointer[http.Request]{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last.Store(r)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, last
}

// relay hands requests on as they are.
func relay(t *testing.T, to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := around(t, to, r, func(*http.Request) {})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// beforeGo is one whose backend is this package's, and remembers what it was sent.
func beforeGo(t *testing.T) (front, *atomic.Pointer[http.Request]) {
	t.Helper()
	var protected http.Handler
	url, last := recorded(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { protected.ServeHTTP(w, r) }))
	f := before(t, url)
	var err error
	if protected, err = Behind(f.URL, audience, http.HandlerFunc(WhoCalls)); err != nil {
		t.Fatal(err)
	}
	return f, last
}

// node is this package's other backend, in a process of its own.
func node(t *testing.T) (url string, believe func(gateway, audience string)) {
	t.Helper()
	stdin, lines := need.Node(t, "jose")
	said := func() (m struct {
		URL   string
		Ready bool
	}) {
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &m) != nil {
			t.Fatalf("the server says %q", lines.Text())
		}
		return m
	}
	return said().URL, func(gateway, audience string) {
		if _, err := fmt.Fprintf(stdin, "{\"gateway\":%q,\"audience\":%q}\n", gateway, audience); err != nil || !said().Ready {
			t.Fatal("the server doesn't say that it is ready", err)
		}
	}
}

// send is one call through the gateway, by an application with those roles; none: without a token.
func (f front) send(t *testing.T, method, target string, roles ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) > 0 {
		r.Header.Set("Authorization", "Bearer "+f.Token(t, issuer.Token{API: "things", Roles: roles}))
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// around sends a request straight to a backend, with headers that somebody saw
// there, after alter has changed it.
func around(t *testing.T, backend string, seen *http.Request, alter func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), seen.Method, backend+seen.RequestURI, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range seen.Header {
		if strings.HasPrefix(name, "X-") {
			r.Header[name] = values
		}
	}
	alter(r)
	return do(t, r)
}
