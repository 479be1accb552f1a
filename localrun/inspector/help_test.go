package inspector

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

const gatewayFile = `kind: Gateway
name: test
claimsContract: 1
subscriptionKeys: { header: X-Key, query: api_pass }
`

const apiFile = `kind: API
name: things
owner: tests
path: /things
backend: { url: "http://127.0.0.1:1" }
audience: api://things
roles: [ { name: Reader } ]
operations:
  - { id: get, match: "GET /{id}", allow: { roles: [Reader] } }
`

const environmentFile = `kind: Environment
tenant: 11111111-1111-4111-8111-111111111111
clientId: { things: 22222222-2222-4222-8222-222222222222 }
`

// view is an inspector with a gateway that does as told.
type view struct {
	*Inspector
	log     *Log
	server  *httptest.Server
	gateway http.HandlerFunc
	stages  []Stage
	judged  *http.Request
	at      time.Time
	minted  *issuer.Token
	uses    []Use
}

func open(t *testing.T) *view {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"gateway.yaml": gatewayFile, "things.yaml": apiFile, "environments/local.yaml": environmentFile} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	read, faults := contract.Load(os.DirFS(dir))
	if read == nil {
		t.Fatal(faults)
	}
	plan, faults := read.Plan("local")
	if plan == nil {
		t.Fatal(faults)
	}
	v := &view{log: NewLog(), gateway: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { v.gateway(w, r) }))
	t.Cleanup(gateway.Close)
	var err error
	v.Inspector, err = New(v.log, Options{
		Plan: plan, Dir: dir, Source: "contracts", Gateway: gateway.URL,
		Judge: func(_ context.Context, r *http.Request, at time.Time) ([]Stage, error) {
			v.judged, v.at = r, at
			return append([]Stage(nil), v.stages...), nil
		},
		Mint: func(_ context.Context, tok issuer.Token) (string, error) {
			v.minted = &tok
			return "a.minted.token", nil
		},
		Uses: func(context.Context) ([]Use, error) { return v.uses, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	v.server = httptest.NewServer(v.Inspector)
	t.Cleanup(v.server.Close)
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// tell is what the handler would print of the event.
func (v *view) tell(t *testing.T, e audit.Event) {
	t.Helper()
	if e.Event == "" {
		e.Event = audit.Decision
	}
	if e.Time.IsZero() {
		e.Time = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	}
	if e.Verdict == "" {
		e.Verdict, e.Code = audit.Granted, audit.Granted
	}
	v.log.Printed(string(e.Append(nil)))
}

// arrive is what the stand-in for the host would tell.
func (v *view) arrive(t *testing.T, invocation, method, target, body string, header http.Header) {
	t.Helper()
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.RequestURI, r.Header = target, header
	v.log.Arrived(invocation, r)
	_, _ = io.Copy(io.Discard, r.Body)
}

// page is a page's text.
func (v *view) page(t *testing.T, path string) string {
	t.Helper()
	status, text, _ := v.ask(t, http.MethodGet, path, "", nil)
	if status != http.StatusOK {
		t.Fatalf("GET %s: got %d: %s", path, status, text)
	}
	return text
}

// ask is any request, with headers as a browser would send them; Host among them.
func (v *view) ask(t *testing.T, method, path, body string, header map[string]string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, v.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range header {
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// form is a form of the page itself.
func (v *view) form(t *testing.T, fields ...string) (int, string) {
	t.Helper()
	f := url.Values{"page": {v.secret}}
	for i := 0; i < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	status, text, _ := v.ask(t, http.MethodPost, "/send", f.Encode(), map[string]string{"Origin": v.server.URL, "Sec-Fetch-Site": "same-origin"})
	return status, text
}
