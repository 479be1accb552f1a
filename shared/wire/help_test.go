package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends a wait for what should have happened long ago.
const patience = 10 * time.Second

// call is a request as a handler saw it.
type call struct {
	Line    string // method and target
	Host    string
	Header  http.Header
	Body    string
	Trailer http.Header
	Broken  bool // the body had no proper end
}

// notes is a handler that reads each request to its end and remembers it.
type notes struct {
	mu   sync.Mutex
	seen []call
}

func (n *notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c := call{r.Method + " " + r.RequestURI, r.Host, r.Header, string(body), filled(r.Trailer), err != nil}
	n.mu.Lock()
	n.seen = append(n.seen, c)
	n.mu.Unlock()
	_, _ = io.WriteString(w, c.Line)
}

func (n *notes) calls() []call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.seen)
}

// filled leaves out trailer fields that were announced and didn't come.
func filled(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if values != nil {
			out[name] = values
		}
	}
	return out
}

// refuse answers by the status alone.
func refuse(w http.ResponseWriter, _ *http.Request, f *wire.Fault) { w.WriteHeader(f.Status) }

// stand is a server on a network in memory.
type stand struct {
	server  *wire.Server
	network *wiretest.Memory
}

func serve(t testing.TB, handler http.Handler, adjust ...func(*wire.Server)) *stand {
	t.Helper()
	s := &stand{wire.NewServer(handler, refuse, time.Now), wiretest.NewMemory()}
	s.server.Report = func(err error) { t.Error(err) }
	for _, a := range adjust {
		a(s.server)
	}
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(context.Background(), s.network) }()
	t.Cleanup(func() {
		s.server.Close()
		_ = s.server.Shutdown(context.Background()) // waits until all have ended
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("got %v from Serve, want http.ErrServerClosed", err)
		}
	})
	return s
}

// peer is the other side of a connection, byte for byte.
type peer struct {
	net.Conn
	in *bufio.Reader
}

func newPeer(t testing.TB, nc net.Conn, err error) *peer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() }) // closed already, as a rule
	return &peer{nc, bufio.NewReader(nc)}
}

// dial connects to a server in memory, and says text.
func (s *stand) dial(t testing.TB, text string) *peer {
	t.Helper()
	nc, err := s.network.Dial(t.Context(), "", "")
	p := newPeer(t, nc, err)
	p.send(t, text)
	return p
}

// dial connects to a real listener, and says text.
func dial(t testing.TB, l net.Listener, text string) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	p := newPeer(t, nc, err)
	_ = nc.SetDeadline(time.Now().Add(patience))
	p.send(t, text)
	return p
}

func (p *peer) send(t testing.TB, text string) {
	t.Helper()
	if text == "" {
		return // a pipe would hand over an empty piece
	}
	if _, err := io.WriteString(p.Conn, text); err != nil {
		t.Errorf("got %v while writing", err)
	}
}

// reply is an answer, read by net/http.
type reply struct {
	*http.Response
	Body string
	Err  error // the body has no proper end
}

func (p *peer) reply(t testing.TB, method string) reply {
	t.Helper()
	resp, err := http.ReadResponse(p.in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("got %v instead of an answer", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp, string(body), err}
}

// rest is all that comes until the connection ends.
func (p *peer) rest() string {
	text, _ := io.ReadAll(p.in) // a reset is an end, too
	return string(text)
}

// script is a connection whose client says its pieces, one at each read, and hangs up.
type script struct {
	net.Conn
	pieces []string
	out    bytes.Buffer
	once   sync.Once
	closed chan struct{}
}

func (s *script) Read(p []byte) (int, error) {
	for len(s.pieces) > 0 && s.pieces[0] == "" {
		s.pieces = s.pieces[1:]
	}
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	s.pieces[0] = s.pieces[0][n:]
	return n, nil
}
func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// converse has a client say its pieces, and gives what the handler saw and what
// was answered, without the time of day.
func (s *stand) converse(n *notes, pieces ...string) ([]call, string) {
	n.mu.Lock()
	n.seen = nil
	n.mu.Unlock()
	c := &script{pieces: slices.Clone(pieces), closed: make(chan struct{})}
	s.network.Hand(c)
	<-c.closed
	var out []string
	for line := range strings.SplitSeq(c.out.String(), "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			out = append(out, line)
		}
	}
	return n.calls(), strings.Join(out, "\r\n")
}
