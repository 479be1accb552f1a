package telemetry

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.uber.org/goleak"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenant   = "11111111-1111-1111-1111-111111111111"
	ordersID = "22222222-2222-2222-2222-222222222222"
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentID = "00f067aa0ba902b7"
	patience = 20 * time.Second
)

var contracts = map[string]string{
	"gateway.yaml": "kind: Gateway\nname: contoso\nclaimsContract: 1\nforward: { X-User-Id: { claim: [oid, sub] } }\nhealth: { detail: public }\n",
	"orders.yaml": `kind: API
name: orders
owner: o
path: /orders
backend: { url: "http://backend.internal:8080", timeout: 1s, retries: 2 }
audience: "api://${tenant}/orders"
scopes: [ { name: orders.read, consent: user } ]
operations:
  - { id: get, match: "GET /{id}", allow: { scopes: [orders.read] } }
  - { id: show, match: "GET /open/{x...}", public: true }
  - { id: put, match: "POST /open/{x...}", public: true }
`,
	"environments/test.yaml": "kind: Environment\ntenant: " + tenant + "\nauthority: http://localhost:1\nclientId: { orders: " + ordersID + " }\n",
}

var entra = sync.OnceValues(func() (*issuer.Issuer, error) {
	return issuer.New(issuer.Options{Tenants: []string{tenant}, BaseURL: "http://localhost:1",
		APIs: []issuer.API{{Name: "orders", ClientID: ordersID, Scopes: []string{"orders.read"}}}})
})

func planned(t testing.TB) *contract.Plan {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range contracts {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	estate, faults := contract.Load(files)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	plan, faults := estate.Plan("test")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// bearer is a token that opens orders.get.
func bearer(t testing.TB) string {
	t.Helper()
	i, err := entra()
	if err != nil {
		t.Fatal(err)
	}
	text, err := i.Mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, User: "0badf00d-0000-4000-8000-000000000007"})
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// transport asks a function in place of a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answering(status int) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x")), ContentLength: 1, Request: r}, nil
	}
}

func fromHandler(h http.Handler) transport {
	return func(r *http.Request) (*http.Response, error) {
		in := r.Clone(r.Context())
		in.RequestURI = r.URL.RequestURI()
		if in.Body == nil {
			in.Body = http.NoBody
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, in)
		return w.Result(), nil
	}
}

// stand is a watched gateway before a backend that is a function.
type stand struct {
	*gateway.Gateway
	telemetry *Telemetry
	events    chan string
	heard     []http.Header // of what reached the backend
}

func (s *stand) Write(p []byte) (int, error) {
	select {
	case s.events <- string(p):
	default:
	}
	return len(p), nil
}

func newStand(t testing.TB, c Config, o Options, backend transport) *stand {
	t.Helper()
	i, err := entra()
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{events: make(chan string, 64)}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Uint64
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Transport == nil {
		o.Transport = answering(200)
	}
	o.Instance, o.Build = "i-1", "v1"
	plan := planned(t)
	s.telemetry = New(plan, c, o)
	var ids atomic.Int64
	parts := gateway.Parts{
		Now: o.Now, NewID: func() string { return fmt.Sprintf("c-%d", ids.Add(1)) }, Keys: fromHandler(i), Events: audit.NewLines(s),
		Report: func(err error) { t.Error(err) },
		Backends: s.telemetry.Backends(func(contract.PlannedAPI) http.RoundTripper {
			return transport(func(r *http.Request) (*http.Response, error) {
				s.heard = append(s.heard, r.Header.Clone())
				return backend(r)
			})
		}),
	}
	if s.telemetry != nil {
		parts.Observer = s.telemetry
	}
	s.Gateway = gateway.Compile(plan, parts)
	s.telemetry.Follow(s.State)
	t.Cleanup(func() { _ = s.telemetry.Close(t.Context()) })
	return s
}

// ask makes one call; header lines are "Name: value".
func (s *stand) ask(t testing.TB, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://api.example/", nil)
	r.RequestURI, r.URL.Path = path, path
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if r.Header.Add(name, value); name == "Host" {
			r.Header.Del(name)
			r.Host = value
		}
	}
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) { // an answer that broke off
			panic(p)
		}
	}()
	s.ServeHTTP(w, r)
	return w
}

// event is the last one that was left.
func (s *stand) event(t testing.TB) audit.Event {
	t.Helper()
	e, err := audit.Parse([]byte(<-s.events))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// clock shows a time that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

func runtimeGosched() { runtime.Gosched() }

func parsed(id string) pipeline.Trace { return pipeline.Trace{ID: id} }

func instrument(name string) sdkmetric.Instrument { return sdkmetric.Instrument{Name: name} }
