package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// longAgo is a deadline that ends what waits.
var longAgo = time.Unix(1, 0)

// conn is one client's connection. Its requests are answered one after another.
type conn struct {
	server *Server
	nc     net.Conn
	in     input
	remote string

	out      []byte // what goes out with the next flush
	held     []byte // content whose framing isn't decided yet
	failed   error  // of the first write that failed
	hijacked bool
	waiting  atomic.Bool // for a request
	watch    watch

	writing sync.Mutex // guards begun, and what is written before the answer
	begun   bool
}

func (c *conn) serve(base context.Context) {
	defer func() {
		if fault := recover(); fault != nil { // a fault of ours costs its connection, not the process
			c.report(fault)
		}
		if !c.hijacked {
			_ = c.nc.Close() // the last answer is out, or can't be
		}
		c.server.forget(c)
	}()
	for c.next(base) {
	}
}

// next answers one request; false: the connection is to end.
func (c *conn) next(base context.Context) bool {
	if !c.await() {
		return false
	}
	ctx, cancel := context.WithCancel(base)
	defer cancel()
	r, f, err := readRequest(ctx, &c.in, &c.server.Limits)
	r.RemoteAddr = c.remote
	if err != nil {
		c.unreadable(r, err)
		return false
	}
	return c.exchange(r, f, cancel)
}

// await waits for a request's first byte, and gives its head a deadline.
func (c *conn) await() bool {
	if c.in.buffered() == 0 {
		if !c.wait(true) {
			return false
		}
		c.readBy(c.server.Now().Add(c.server.Limits.Idle))
		if c.in.fill() != nil || !c.wait(false) {
			return false
		}
	}
	c.readBy(c.server.Now().Add(c.server.Limits.Header))
	return true
}

// wait notes whether the connection waits for a request; false: it is to end.
// A stop looks at the two in the other order, so that one of us sees the other.
func (c *conn) wait(waits bool) bool {
	c.waiting.Store(waits)
	return !c.server.stopping.Load()
}

// readBy sets the deadline for reading. It fails on a closed connection only, where reading fails too.
func (c *conn) readBy(t time.Time) { _ = c.nc.SetReadDeadline(t) }

// unreadable answers what can't be read, if there is anybody to answer. What
// follows is not looked at: where it begins is not known.
func (c *conn) unreadable(r *http.Request, err error) {
	fault, ok := errors.AsType[*Fault](err)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		fault, ok = &Fault{http.StatusRequestTimeout, "the header section didn't come in time"}, true
	}
	if !ok {
		return // the client left
	}
	if r.URL == nil {
		r.URL = &url.URL{}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Body = http.NoBody
	w := newAnswer(c, r, nil)
	w.keep = false
	if c.run(func() { c.server.refuse(w, r, fault) }) && w.finish() == nil {
		c.linger()
	}
}

// exchange hands the request to the handler and completes the answer.
func (c *conn) exchange(r *http.Request, f framing, cancel context.CancelFunc) bool {
	r.Body = http.NoBody
	var b *body
	if f.length != 0 {
		b = c.body(r, f, cancel)
		r.Body = b
	}
	w := newAnswer(c, r, b)
	w.keep, w.gone = !f.close && !c.server.stopping.Load(), cancel
	c.watch.start(c, b, cancel)
	whole := c.run(func() { c.server.handler.ServeHTTP(w, r) })
	c.watch.stop(c)
	if c.hijacked {
		return false
	}
	if b != nil {
		b.stop()
	}
	if !whole {
		w.abandon()
		return false
	}
	switch {
	case w.finish() != nil:
		return false
	case w.keep:
		return true
	case !f.close || b != nil && !b.ended.Load(): // the client may be sending still, a body or its next request
		c.linger()
	}
	return false
}

func (c *conn) body(r *http.Request, f framing, gone context.CancelFunc) *body {
	return &body{
		c: c, gone: gone, expects: r.Header["Expect"] != nil && r.ProtoMinor == 1,
		content: payload{
			in: &c.in, chunked: f.chunked, left: max(f.length, 0), trailers: c.server.Limits.Trailers,
			trailer: func(h http.Header) {
				if r.Trailer == nil {
					r.Trailer = http.Header{}
				}
				for name, values := range h {
					r.Trailer[name] = values
				}
			},
		},
	}
}

// begin notes that the answer is on its way.
func (c *conn) begin() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.begun = true
}

// goOn tells a client that waits for it to send its body (RFC 9110 §10.1.1),
// unless the answer has begun: that tells it too.
func (c *conn) goOn() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.begun {
		return errEnded
	}
	_ = c.nc.SetWriteDeadline(c.server.Now().Add(c.server.Limits.Write)) // see readBy
	_, err := io.WriteString(c.nc, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// run calls the handler; false: it panicked, and no whole answer may go out.
func (c *conn) run(handle func()) (whole bool) {
	defer func() {
		if fault := recover(); fault != nil {
			whole = false
			if err, ok := fault.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				c.report(fault)
			}
		}
	}()
	handle()
	return true
}

func (c *conn) report(fault any) {
	if c.server.Report != nil {
		c.server.Report(fmt.Errorf("panic on a connection: %v\n%s", fault, debug.Stack()))
	}
}

// write sends p. A client that doesn't read has the limit's time for it.
func (c *conn) write(p ...[]byte) error {
	if c.failed != nil {
		return c.failed
	}
	_ = c.nc.SetWriteDeadline(c.server.Now().Add(c.server.Limits.Write)) // see readBy
	if len(p) == 1 {
		_, c.failed = c.nc.Write(p[0])
	} else {
		buffers := net.Buffers(p)
		_, c.failed = buffers.WriteTo(c.nc)
	}
	return c.failed
}

// linger takes in what the client still sends, and throws it away: closing with
// bytes unread resets the connection, and the answer may be lost with it
// (RFC 9112 §9.6).
func (c *conn) linger() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return
	}
	c.readBy(c.server.Now().Add(c.server.Limits.Linger))
	_, _ = io.Copy(io.Discard, io.LimitReader(c.nc, 16<<20)) // whatever comes, it ends here
}
