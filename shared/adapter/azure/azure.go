// Package azure is the custom-handler side of the Azure Functions host: the
// port it calls, its probe and its headers.
package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"tollgate/shared/pipeline"
	"tollgate/shared/wire"
)

// ExitStopped is the code after SIGTERM. The host takes 0 for "never start it
// again" and anything but 200 for a crash, of which it forgives two
// (functions-host.md §1.3).
const ExitStopped = 200

// grace is how long calls under way may take after SIGTERM. The host itself
// sends SIGKILL and waits for nothing.
const grace = 5 * time.Second

const invocationHeader = "X-Azure-Functions-InvocationId"

// Handler puts the gateway behind the host: the readiness probe and timers are
// answered here, without an event; every other request carries the host's invocation id.
func Handler(gateway http.Handler, timers Timers) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(invocationHeader)
		if id == "" && r.Method == http.MethodGet && r.RequestURI == "/" {
			// functions-host.md §1.2: GET / every 25 ms, without invocation headers; any answer will do.
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if timer := timers.of(r); timer != nil {
			timer.serve(w, r)
			return
		}
		gateway.ServeHTTP(w, r.WithContext(pipeline.WithInvocation(r.Context(), plain(id))))
	})
}

// plain keeps an id only if it looks like one; the host's is a GUID.
func plain(id string) string {
	if len(id) > 64 {
		return ""
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' {
			return ""
		}
	}
	return id
}

// Listen takes the port the host chose. Only the host, on this machine, calls it (functions-host.md §7).
func Listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen where the host calls: %w", err)
	}
	return l, nil
}

// Gateway answers every request, and what can't be read as one.
type Gateway interface {
	http.Handler
	Unreadable(w http.ResponseWriter, r *http.Request, f *wire.Fault)
}

// Server is a custom handler. All but Timers is required.
type Server struct {
	Gateway Gateway
	Timers  Timers
	Now     func() time.Time
	Report  func(error) // told of panics outside the gateway
}

// Serve answers until ctx ends, then lets calls under way finish.
func (s Server) Serve(ctx context.Context, l net.Listener) error {
	srv := wire.NewServer(Handler(s.Gateway, s.Timers), s.Gateway.Unreadable, s.Now)
	srv.Report = s.Report
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		err := srv.Shutdown(within)
		if errors.Is(err, context.DeadlineExceeded) {
			srv.Close() // streams that run on are cut: the stop was asked for
			err = nil
		}
		stopped <- err
	}()
	if err := srv.Serve(context.WithoutCancel(ctx), l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}

// Ready tells people and tests, not the host, that the port is open.
func Ready(w io.Writer, l net.Listener, version string) {
	fmt.Fprintf(w, "{\"event\":\"listening\",\"address\":%q,\"contract\":%q}\n", l.Addr(), version)
}
