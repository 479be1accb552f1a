// Package wiretest puts a handler behind the wire server for a test, as
// httptest does with net/http's.
package wiretest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"tollgate/shared/wire"
)

// Server answers on a free port of loopback until its test ends.
type Server struct {
	URL      string
	Listener net.Listener

	wire   *wire.Server
	client *http.Client
	served chan error
	once   sync.Once
}

// Start serves handler; what can't be read goes to refuse, or is answered by its
// status alone. adjust changes the server before it starts.
func Start(t testing.TB, handler http.Handler, refuse func(http.ResponseWriter, *http.Request, *wire.Fault), adjust ...func(*wire.Server)) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if refuse == nil {
		refuse = func(w http.ResponseWriter, _ *http.Request, f *wire.Fault) { w.WriteHeader(f.Status) }
	}
	s := &Server{
		URL: "http://" + l.Addr().String(), Listener: l, served: make(chan error, 1),
		wire: wire.NewServer(handler, refuse, time.Now), client: &http.Client{Transport: &http.Transport{}},
	}
	s.wire.Report = func(err error) { t.Error(err) }
	for _, a := range adjust {
		a(s.wire)
	}
	go func() { s.served <- s.wire.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("got %v from Serve, want http.ErrServerClosed", err)
		}
	})
	return s
}

// Client is a client with connections of its own.
func (s *Server) Client() *http.Client { return s.client }

// Close ends every connection, and waits for the handlers.
func (s *Server) Close() {
	s.once.Do(func() {
		s.client.CloseIdleConnections()
		s.wire.Close()
		_ = s.wire.Shutdown(context.Background()) // waits until all have ended
	})
}
