package inspector

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"tollgate/shared/audit"
	"tollgate/shared/forward"
)

const (
	keptBody    = 16 << 10 // how much of a request's body is remembered
	keptHeaders = 16 << 10 // and of its headers, names and values
)

// arrival is a request as the caller sent it. Its header holds secrets: it never
// leaves this process but masked.
type arrival struct {
	method, target, host, proto string
	header                      http.Header
	cut                         bool // headers beyond keptHeaders are left out

	mu   sync.Mutex
	body []byte
	more bool // the body is longer
}

// heard is a request as the backend saw it.
type heard struct {
	method, target, host string
	header               http.Header
}

// Arrived is told of a request at the door, by the name that its event will have.
func (l *Log) Arrived(invocation string, r *http.Request) {
	a := &arrival{method: r.Method, target: bounded(r.RequestURI), host: bounded(r.Host), proto: r.Proto}
	a.header, a.cut = copied(r.Header)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &copying{r.Body, a}
	}
	l.arrived(invocation, a)
}

// Backend remembers what reaches next.
func (l *Log) Backend(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get(forward.CorrelationHeader); id != "" && len(id) <= 64 {
			h := &heard{method: r.Method, target: bounded(r.RequestURI), host: bounded(r.Host)}
			h.header, _ = copied(r.Header)
			l.heard(id, h)
		}
		next.ServeHTTP(w, r)
	})
}

// Printed is a line that the handler printed; what isn't an event is ignored.
func (l *Log) Printed(line string) {
	if e, err := audit.Parse([]byte(line)); err == nil {
		l.add(e)
	}
}

// copied is the header, as far as it is remembered.
func copied(h http.Header) (out http.Header, cut bool) {
	out = make(http.Header, len(h))
	left := keptHeaders
	for name, values := range h {
		for _, v := range values {
			if left -= len(name) + len(v); left < 0 {
				return out, true
			}
			out[name] = append(out[name], strings.Clone(v))
		}
	}
	return out, false
}

// bounded is a text, as far as it is remembered.
func bounded(s string) string { return strings.Clone(s[:min(len(s), 4<<10)]) }

// copying remembers the beginning of what passes.
type copying struct {
	io.ReadCloser
	to *arrival
}

func (c *copying) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.to.mu.Lock()
	defer c.to.mu.Unlock()
	take := min(n, keptBody-len(c.to.body))
	c.to.body = append(c.to.body, p[:take]...)
	c.to.more = c.to.more || take < n
	return n, err
}

// begun is the body's beginning, and whether there is more.
func (a *arrival) begun() (body []byte, more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.body, a.more
}
