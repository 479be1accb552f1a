package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"tollgate/localrun/backend"
	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenant   = "11111111-1111-1111-1111-111111111111"
	ordersID = "22222222-2222-2222-2222-222222222222"
	manageID = "33333333-3333-3333-3333-333333333333"
	patience = 20 * time.Second // far beyond what a working gateway needs
)

// The base set-up of cases/adversarial.md, and /open for whatever needs no token.
var contracts = map[string]string{
	"gateway.yaml": `kind: Gateway
name: contoso
claimsContract: 1
identity: { tokenVersions: [v2] }
forward:
  X-Auth-Sub: { claim: [oid, sub] }
  X-Auth-Tenant: { claim: tid }
  X-Auth-Roles: { claim: roles }
`,
	"public.yaml": apiText("public", `  - { id: show, match: "GET /{x}", public: true }`),
	"orders.yaml": apiText("orders", `  - { id: get, match: "GET /{id}", allow: { scopes: [orders.read] } }
  - { id: create, match: "POST /", allow: { scopes: [orders.write], roles: [Orders.Write] } }`,
		"scopes: [ { name: orders.read, consent: user }, { name: orders.write, consent: user } ]", "roles: [ { name: Orders.Write } ]"),
	"manage.yaml": apiText("manage", `  - { id: show, match: "GET /{x}", allow: { roles: [Admin] } }`, "roles: [ { name: Admin } ]"),
	"open.yaml": apiText("open", `  - { id: read, match: "GET /{rest...}", public: true }
  - { id: write, match: "POST /{rest...}", public: true }`, "maxBody: 64KiB"),
	"environments/test.yaml": "kind: Environment\ntenant: " + tenant + "\nauthority: http://localhost:1\nbackend: { all: BACKEND }\n" +
		"clientId: { orders: " + ordersID + ", manage: " + manageID + " }\n",
}

func apiText(name, operations string, more ...string) string {
	return "kind: API\nname: " + name + "\nowner: o\npath: /" + name + "\nbackend: { url: \"${backend.all}\" }\naudience: \"api://${tenant}/" + name + "\"\n" +
		strings.Join(append(more, "operations:"), "\n") + "\n" + operations + "\n"
}

// entra is shared: it holds nothing but a key that takes long to make.
var entra = sync.OnceValues(func() (*issuer.Issuer, error) {
	return issuer.New(issuer.Options{
		Tenants: []string{tenant}, BaseURL: "http://localhost:1",
		APIs: []issuer.API{
			{Name: "orders", ClientID: ordersID, Scopes: []string{"orders.read", "orders.write"}, Roles: []string{"Orders.Write"}},
			{Name: "manage", ClientID: manageID, Roles: []string{"Admin"}},
		},
	})
})

func mint(t testing.TB, token issuer.Token) string {
	t.Helper()
	i, err := entra()
	if err != nil {
		t.Fatal(err)
	}
	text, err := i.Mint(token)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var (
	reader = issuer.Token{API: "orders", Scopes: []string{"orders.read"}, User: "0badf00d-0000-4000-8000-000000000007"}
	admin  = issuer.Token{API: "manage", Roles: []string{"Admin"}}
)

// inProcess asks a handler without a network, and counts.
type inProcess struct {
	http.Handler
	calls atomic.Int64
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	p.calls.Add(1)
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, in)
	return w.Result(), nil
}

// events takes the lines of audit.Lines, one Write each.
type events struct{ lines chan string }

func (e events) Write(p []byte) (int, error) {
	e.lines <- string(p)
	return len(p), nil
}

// next is the next event, as text and read back.
func (e events) next(t *testing.T) (audit.Event, string) {
	t.Helper()
	select {
	case line := <-e.lines:
		event, err := audit.Parse([]byte(line))
		if err != nil || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("got %q (%v), want one line of JSON", line, err)
		}
		return event, line
	case <-time.After(patience):
		t.Fatal("got no event, want one")
	}
	panic("unreachable")
}

func (e events) none(t *testing.T) {
	t.Helper()
	if n := len(e.lines); n > 0 {
		t.Errorf("got %d more events (%s), want exactly one for each request", n, <-e.lines)
	}
}

// stand is a gateway between the stand-ins.
type stand struct {
	*Gateway
	parts   Parts
	keys    *inProcess
	backend *backend.Recorder
	address string // the backend's host and port
	events  events
}

// newStand compiles contracts, with files replaced or added, in front of a recorded backend.
func newStand(t testing.TB, answering http.Handler, files ...string) *stand {
	t.Helper()
	i, err := entra()
	if err != nil {
		t.Fatal(err)
	}
	rec := backend.Record(answering)
	server := httptest.NewServer(rec)
	transport := wire.NewClient(time.Now)
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	s := &stand{keys: &inProcess{Handler: i}, backend: rec, address: server.Listener.Addr().String(), events: events{make(chan string, 1<<12)}}
	var ids atomic.Int64
	s.parts = Parts{
		Now: time.Now, NewID: func() string { return fmt.Sprintf("c-%d", ids.Add(1)) },
		Keys: s.keys, Backends: over(transport), Events: audit.NewLines(s.events),
		Report: func(err error) { t.Error(err) },
	}
	s.Gateway = Compile(plan(t, server.URL, files...), s.parts)
	return s
}

// over reaches every backend by one transport.
func over(rt http.RoundTripper) func(contract.PlannedAPI) http.RoundTripper {
	return func(contract.PlannedAPI) http.RoundTripper { return rt }
}

func plan(t testing.TB, address string, files ...string) *contract.Plan {
	t.Helper()
	fsys := fstest.MapFS{}
	add := func(name, text string) {
		fsys[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "BACKEND", address))}
	}
	for name, text := range contracts {
		add(name, text)
	}
	for i := 0; i+1 < len(files); i += 2 {
		add(files[i], files[i+1])
	}
	estate, faults := contract.Load(fsys)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p, faults := estate.Plan("test")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// request is what the server makes of a request line and headers ("Name: value").
// A target that net/http itself refuses is handed to the handler all the same.
func request(t testing.TB, method, target string, header ...string) *http.Request {
	t.Helper()
	lines := strings.Join(append(header, "", ""), "\r\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: api.example\r\n" + lines)))
	if err != nil {
		if r, err = http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: api.example\r\n" + lines))); err != nil {
			t.Fatal(err)
		}
		path, query, _ := strings.Cut(target, "?")
		r.Method, r.RequestURI, r.URL = method, target, &url.URL{Path: path, RawQuery: query}
	}
	return r.WithContext(t.Context())
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// problem is a refusal as the caller sees it.
type problem struct{ Title, Detail, Code, CorrelationID string }

func problemOf(t *testing.T, body []byte) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("got body %q (%v), want a problem document", body, err)
	}
	return p
}

// answer runs the handler; broken tells that it ended the connection.
func (s *stand) answer(r *http.Request) (w *httptest.ResponseRecorder, broken bool) {
	w = httptest.NewRecorder()
	front := struct {
		*httptest.ResponseRecorder
		http.Hijacker // a front end that could hand its connection over
	}{ResponseRecorder: w}
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			broken = true
		}
	}()
	s.ServeHTTP(front, r)
	return w, false
}

// refused asserts a refusal that no backend heard of, with one event that agrees.
func (s *stand) refused(t *testing.T, r *http.Request, status int, code string) {
	t.Helper()
	before := s.backend.Count()
	w, _ := s.answer(r)
	if calls := s.backend.Count() - before; w.Code != status || calls != 0 {
		t.Errorf("%s %s: got status %d and %d backend calls, want %d and none", r.Method, r.RequestURI, w.Code, calls, status)
	}
	event, _ := s.events.next(t)
	s.events.none(t)
	if event.Code != code || event.Status != w.Code || event.Verdict != audit.Refused {
		t.Errorf("%s %s: got event %+v, want it refused with %s", r.Method, r.RequestURI, event, code)
	}
	if r.Method != http.MethodHead {
		if p := problemOf(t, w.Body.Bytes()); p.Code != code || p.CorrelationID != event.Correlation {
			t.Errorf("%s %s: got %+v, want code %s and the event's id", r.Method, r.RequestURI, p, code)
		}
	}
	if w.Body.Len() >= 1<<10 || w.Header().Get("X-Correlation-Id") != event.Correlation {
		t.Errorf("%s %s: got %d bytes under id %q, want less than 1 KiB under %q", r.Method, r.RequestURI, w.Body.Len(), w.Header().Get("X-Correlation-Id"), event.Correlation)
	}
}

// granted asserts that the call reached the backend, and gives what arrived there.
func (s *stand) granted(t *testing.T, r *http.Request) (*httptest.ResponseRecorder, backend.Seen) {
	t.Helper()
	before := s.backend.Count()
	w, broken := s.answer(r)
	event, _ := s.events.next(t)
	s.events.none(t)
	seen := s.backend.Requests()
	if broken || w.Code != 200 || len(seen)-before != 1 || event.Verdict != audit.Granted || event.Status != 200 {
		t.Fatalf("%s %s: got status %d, %d backend calls and event %+v, want 200, one and a grant", r.Method, r.RequestURI, w.Code, len(seen)-before, event)
	}
	return w, seen[len(seen)-1]
}

// serve puts the gateway on a port; dial speaks to it byte by byte.
func (s *stand) serve(t testing.TB) *wiretest.Server {
	return wiretest.Start(t, s.Gateway, s.Unreadable)
}

type rawConn struct {
	*net.TCPConn
	in *bufio.Reader
}

func dial(t testing.TB, server *wiretest.Server, text string) rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return rawConn{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

// response reads one answer; the method matters for HEAD.
func (c rawConn) response(t testing.TB, method string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func echo() http.Handler { return backend.New() }

// holds finds any of words in text, whatever their case.
func holds(text string, words ...string) (string, bool) {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, strings.ToLower(w)) {
			return w, true
		}
	}
	return "", false
}

// everything is an answer as text: headers, body and trailers.
func everything(w *httptest.ResponseRecorder) string {
	var b bytes.Buffer
	_ = w.Header().Write(&b)
	b.Write(w.Body.Bytes())
	return b.String()
}
