package azure_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/shared/adapter/azure"
	"tollgate/shared/pipeline"
	"tollgate/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// behind is a gateway that counts and keeps the host's name for the last call.
type behind struct {
	calls      int
	invocation string
}

func (b *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.calls++
	b.invocation = pipeline.Invocation(r.Context())
	w.WriteHeader(http.StatusTeapot)
}

func request(t *testing.T, text string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text + "Host: 127.0.0.1\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r.WithContext(t.Context())
}

// memory is a listener without sockets, for time that isn't real.
type memory struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newMemory() *memory { return &memory{conns: make(chan net.Conn), done: make(chan struct{})} }

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}
func (m *memory) Close() error   { m.once.Do(func() { close(m.done) }); return nil }
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (m *memory) dial() net.Conn {
	near, far := net.Pipe()
	m.conns <- far
	return near
}

// serving is a gateway of a function; what can't be read gets its status.
type serving struct{ http.HandlerFunc }

func (serving) Unreadable(w http.ResponseWriter, _ *http.Request, f *wire.Fault) {
	w.WriteHeader(f.Status)
}

// started serves in a bubble; the error arrives when Serve returns.
func started(ctx context.Context, h http.HandlerFunc) (*memory, <-chan error) {
	l, ended := newMemory(), make(chan error, 1)
	go func() { ended <- azure.Server{Gateway: serving{h}, Now: time.Now}.Serve(ctx, l) }()
	return l, ended
}
