package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// link is one connection to a backend. It serves one exchange at a time.
type link struct {
	client *Client
	key    string
	nc     net.Conn
	tcp    net.Conn // below TLS; nc itself without
	in     input
	out    []byte
	since  time.Time // kept since
}

// exchange sends r and reads the head of its answer. errGone: nothing of an
// answer came.
func (l *link) exchange(r *http.Request) (answer *http.Response, err error) {
	ctx, sent := r.Context(), &sending{}
	// What waits on the connection ends when the call does.
	unwatch := context.AfterFunc(ctx, func() { _ = l.nc.SetDeadline(longAgo) })
	defer func() {
		if err != nil {
			unwatch()
			_ = l.nc.Close() // nothing more is to be had of it
			err = l.why(ctx, sent, err)
		}
	}()
	if l.out, err = appendRequest(kept(l.out), r); err != nil {
		return nil, err
	}
	if _, err := l.nc.Write(l.out); err != nil {
		return nil, errGone
	}
	if bodyless(r) {
		sent.done.Store(true)
	} else {
		sent.over = make(chan struct{})
		go sent.body(l, r)
	}
	return l.answer(r, sent, unwatch)
}

// quiet tells whether nothing came over a kept connection while nobody asked.
// Below TLS that is what waits at the socket; but what TLS has taken from there
// and not yet given to us would be read as the next answer all the same.
func (l *link) quiet() bool {
	if !quiet(l.tcp) {
		return false
	}
	if l.nc == l.tcp {
		return true
	}
	_ = l.nc.SetReadDeadline(longAgo) // so that nothing is waited for
	var b [1]byte
	_, err := l.nc.Read(b[:])
	return errors.Is(err, os.ErrDeadlineExceeded) && l.nc.SetReadDeadline(time.Time{}) == nil
}

// why prefers the reason to its effect: a call that ended, or a body that broke
// off, shows as a connection that fails.
func (l *link) why(ctx context.Context, sent *sending, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if broke := sent.broke.Load(); broke != nil {
		return *broke
	}
	return err
}

// answer reads heads until the final one: others only say that the backend is at
// work (RFC 9110 §15.2).
func (l *link) answer(r *http.Request, sent *sending, unwatch func() bool) (*http.Response, error) {
	const interim = 8 // more would be a backend that never answers
	for i := range interim {
		resp, f, err := readResponse(&l.in, r, l.client)
		if err != nil {
			if i > 0 && errors.Is(err, errGone) {
				err = io.ErrUnexpectedEOF // something of an answer did come
			}
			return nil, err
		}
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols:
			if r.Header["Upgrade"] == nil || !bodyless(r) {
				return nil, malformed("the backend switches to a protocol that wasn't asked for")
			}
			resp.Body = &upgraded{l, unwatch}
			return resp, nil
		case resp.StatusCode >= 200:
			l.content(resp, f, sent, unwatch)
			return resp, nil
		}
	}
	return nil, malformed("the backend doesn't come to a final answer")
}

// content gives the answer its body.
func (l *link) content(resp *http.Response, f framing, sent *sending, unwatch func() bool) {
	b := &answerBody{link: l, ctx: resp.Request.Context(), sent: sent, unwatch: unwatch, close: f.close}
	b.content = payload{in: &l.in, chunked: f.chunked, left: f.length, trailers: maxTrailers, opaque: true, trailer: func(h http.Header) {
		if resp.Trailer == nil {
			resp.Trailer = http.Header{}
		}
		for name, values := range h {
			resp.Trailer[name] = values
		}
	}}
	if f.chunked {
		b.content.left = 0
	}
	resp.Body = b
	if f.length == 0 && !f.chunked {
		b.content.done = true
		b.release()
		resp.Body = http.NoBody
	}
}

// answerBody is an answer's body. Its connection is kept once all of it was read.
type answerBody struct {
	link    *link
	ctx     context.Context // of the call, for the reason of a failure
	sent    *sending
	unwatch func() bool
	close   bool
	content payload
	over    bool
	err     error
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.content.read(p)
	if err != nil {
		b.err = err
		if !errors.Is(err, io.EOF) {
			b.err = b.link.why(b.ctx, b.sent, err)
		}
		b.release()
	}
	return n, b.err
}

// Close gives up what wasn't read.
func (b *answerBody) Close() error {
	if b.err == nil {
		b.err = errEnded
	}
	b.release()
	return nil
}

// release keeps the connection if nothing is left on it in either direction.
func (b *answerBody) release() {
	if b.over {
		return
	}
	b.over = true
	l := b.link
	if b.unwatch() && b.content.done && !b.close && l.in.buffered() == 0 && b.sent.whole(l) {
		l.client.keep(l)
		return
	}
	_ = l.nc.Close() // given up
}

// upgraded is a connection that speaks another protocol from here on.
type upgraded struct {
	link    *link
	unwatch func() bool
}

func (u *upgraded) Read(p []byte) (int, error)  { return u.link.in.Read(p) }
func (u *upgraded) Write(p []byte) (int, error) { return u.link.nc.Write(p) }
func (u *upgraded) Close() error {
	u.unwatch()
	return u.link.nc.Close()
}
