package forward_test

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/shared/contract"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience    = 20 * time.Second // far beyond what working code needs
	correlation = "c-1"
	maxBody     = 64 << 10
	timeout     = 30 * time.Second
)

// claimsContract is what only the gateway may say.
var claimsContract = []contract.Header{{Name: "X-User-Id"}, {Name: "X-Tenant-Id"}, {Name: "X-Client-Id"}, {Name: "X-Roles"}, {Name: "X-Scopes"}}

// caller is what the gateway says of whoever calls.
func caller() http.Header { return http.Header{"X-User-Id": {"u-1"}, "X-Tenant-Id": {"t-1"}} }

func api(t testing.TB, address string) contract.PlannedAPI {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return contract.PlannedAPI{Name: "orders", Backend: contract.PlannedBackend{Targets: []contract.PlannedTarget{{URL: u}}, Timeout: timeout}, MaxBody: maxBody}
}

// result is what a delivery said of one call.
type result struct {
	refused *refusal.Refusal
	outcome pipeline.Outcome
}

func (r result) code() string {
	if r.refused == nil {
		return "delivered"
	}
	return r.refused.Code
}

// front does with a delivery what the gateway does, and keeps the result.
type front struct {
	deliver pipeline.Delivery
	who     http.Header
	results chan result
	passed  atomic.Int64 // how often bytes passed
}

func newFront(a contract.PlannedAPI, rt http.RoundTripper) *front {
	var op contract.PlannedOperation
	if len(a.Operations) > 0 { // a test's own
		op = a.Operations[0]
	}
	return &front{deliver: forward.At(a, claimsContract, rt, time.Now).To(op), who: caller(), results: make(chan result, 1<<10)}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := &pipeline.Call{Request: r, Path: r.URL.EscapedPath(), Correlation: correlation, Forward: f.who.Clone(), Passing: func() { f.passed.Add(1) }}
	refused := f.deliver(r.Context(), w, call)
	if refused != nil {
		refusal.Write(w, refusal.About{Correlation: correlation, Head: r.Method == http.MethodHead}, refused)
	}
	f.results <- result{refused, call.Outcome}
	if call.Outcome.Broken != "" {
		panic(http.ErrAbortHandler)
	}
}

func (f *front) result(t testing.TB) result {
	t.Helper()
	select {
	case r := <-f.results:
		return r
	case <-time.After(patience):
		t.Fatal("the delivery goes on, want it ended")
	}
	panic("unreachable")
}

// stand is a front on a port, before a backend on another.
type stand struct {
	*front
	server *wiretest.Server
	behind *httptest.Server
}

func newStand(t testing.TB, backend http.Handler, change ...func(*contract.PlannedAPI)) stand {
	t.Helper()
	behind := quiet(t, backend)
	a := api(t, behind.URL)
	for _, c := range change {
		c(&a)
	}
	transport := wire.NewClient(time.Now)
	t.Cleanup(transport.CloseIdleConnections)
	f := newFront(a, transport)
	return stand{f, wiretest.Start(t, f, nil), behind}
}

func quiet(t testing.TB, h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// rawConn is a client that writes bytes as they are.
type rawConn struct {
	*net.TCPConn
	in *bufio.Reader
}

func (s stand) dial(t testing.TB, text string) rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	w := rawConn{conn.(*net.TCPConn), bufio.NewReader(conn)}
	w.send(t, text)
	return w
}

func (w rawConn) send(t testing.TB, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func (w rawConn) response(t testing.TB, method string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// request is what the server makes of a request's text.
func request(t testing.TB, text string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	return r.WithContext(t.Context())
}

// captured is a RoundTripper that keeps the request and answers with what it is given.
type captured struct {
	answer *http.Response
	out    *http.Request
}

func (c *captured) RoundTrip(r *http.Request) (*http.Response, error) {
	c.out = r
	if c.answer == nil {
		return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
	}
	return c.answer, nil
}

// sent is what a delivery would send for a request.
func sent(t testing.TB, r *http.Request, who http.Header) *http.Request {
	t.Helper()
	return sentFor(t, api(t, "http://backend.internal"), r, who)
}

// sentFor is the same for an API of the test's own.
func sentFor(t testing.TB, a contract.PlannedAPI, r *http.Request, who http.Header) *http.Request {
	t.Helper()
	c := &captured{}
	call := &pipeline.Call{Request: r, Path: r.URL.EscapedPath(), Correlation: correlation, Forward: who}
	deliver := newFront(a, c).deliver
	if refused := deliver(r.Context(), httptest.NewRecorder(), call); refused != nil {
		t.Fatalf("got %+v, want the call delivered", refused)
	}
	return c.out
}

// bubble serves a backend in memory and gives a front that reaches it; both end with the test.
func bubble(t *testing.T, backend http.Handler, change ...func(*contract.PlannedAPI)) *front {
	t.Helper()
	network, transport := wiretest.NewMemory(), wire.NewClient(time.Now)
	transport.Dial = network.Dial
	var busy sync.WaitGroup
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		busy.Add(1)
		defer busy.Done()
		backend.ServeHTTP(w, r)
	})}
	busy.Go(func() { _ = server.Serve(network) })
	t.Cleanup(func() { transport.CloseIdleConnections(); _ = server.Close(); busy.Wait() })
	a := api(t, "http://backend.internal")
	for _, c := range change {
		c(&a)
	}
	return newFront(a, transport)
}

// fold is what a lenient backend makes of a header's name; written anew, so that it can disagree.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
}

func heard(h http.Header, name string) []string {
	var all []string
	for n, values := range h {
		if fold(n) == fold(name) {
			all = append(all, values...)
		}
	}
	return all
}
