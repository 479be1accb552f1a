package azure_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/shared/adapter/azure"
	"tollgate/shared/pipeline"
	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
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

func dial(t *testing.T, l *wiretest.Memory) net.Conn {
	t.Helper()
	conn, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// serving is a gateway of a function; what can't be read gets its status.
type serving struct{ http.HandlerFunc }

func (serving) Unreadable(w http.ResponseWriter, _ *http.Request, f *wire.Fault) {
	w.WriteHeader(f.Status)
}

// started serves in a bubble; the error arrives when Serve returns.
func started(ctx context.Context, h http.HandlerFunc) (*wiretest.Memory, <-chan error) {
	l, ended := wiretest.NewMemory(), make(chan error, 1)
	go func() { ended <- azure.Server{Gateway: serving{h}, Now: time.Now}.Serve(ctx, l) }()
	return l, ended
}
