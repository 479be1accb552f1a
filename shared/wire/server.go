package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server answers requests on connections that follow RFC 9112 to the letter.
type Server struct {
	Limits Limits
	Now    func() time.Time
	Report func(error) // told of a handler's panic; nil drops it

	// refuse answers a request that can't be read. Of such a request only what
	// was understood is there: Method and RequestURI may be "", URL and Header
	// are never nil.
	refuse  func(w http.ResponseWriter, r *http.Request, f *Fault)
	handler http.Handler

	stopping atomic.Bool
	mu       sync.Mutex
	conns    map[*conn]bool
	listener net.Listener
	left     chan struct{} // closed when the last connection ends after a stop
}

// NewServer makes a server with DefaultLimits. The handler gets what follows
// the rules, refuse what doesn't.
func NewServer(handler http.Handler, refuse func(http.ResponseWriter, *http.Request, *Fault), now func() time.Time) *Server {
	return &Server{
		Limits: DefaultLimits(), Now: now, handler: handler, refuse: refuse,
		conns: map[*conn]bool{}, left: make(chan struct{}),
	}
}

// Serve accepts connections until Shutdown or Close; then it returns
// http.ErrServerClosed at once. ctx is the ground of every request's context.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	if s.stopping.Load() {
		_ = l.Close() // a stop that came first wins
	}
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			if c := s.admit(nc); c != nil {
				go c.serve(ctx)
			}
		case s.stopping.Load():
			return http.ErrServerClosed
		case temporary(err): // out of file descriptors: some connection will end
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			<-time.After(pause)
		default:
			return fmt.Errorf("accept: %w", err)
		}
	}
}

func temporary(err error) bool {
	ne, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && ne.Temporary()
}

// admit takes a connection in; nil after a stop.
func (s *Server) admit(nc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		_ = nc.Close() // nobody is left to answer
		return nil
	}
	c := &conn{server: s, nc: nc, in: input{conn: nc}, remote: nc.RemoteAddr().String()}
	s.conns[c] = true
	return c
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.stopping.Load() && len(s.conns) == 0 {
		s.leave()
	}
}

// leave says once that no connection is left.
func (s *Server) leave() {
	select {
	case <-s.left:
	default:
		close(s.left)
	}
}

// Shutdown takes no more requests and waits for those under way, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop(func(waits bool) bool { return waits })
	select {
	case <-s.left:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends every connection at once.
func (s *Server) Close() { s.stop(func(bool) bool { return true }) }

func (s *Server) stop(ends func(waits bool) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping.Store(true)
	if s.listener != nil {
		_ = s.listener.Close() // a second stop finds it closed
	}
	for c := range s.conns {
		if ends(c.waiting.Load()) {
			_ = c.nc.Close() // its goroutine notices, and forgets it
		}
	}
	if len(s.conns) == 0 {
		s.leave()
	}
}
