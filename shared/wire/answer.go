package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	held   = 2 << 10  // content up to this is kept back, so that its length can be told
	gather = 16 << 10 // pieces are put together up to this, then sent
)

// answer is the response on its way. The header goes out with the first content.
type answer struct {
	c    *conn
	r    *http.Request
	body *body // of the request; nil: none
	gone context.CancelFunc

	header   http.Header
	status   int
	declared int64 // Content-Length as the handler said; -1: it didn't
	written  int64
	trailers []string
	framed   bool // the header is complete
	chunked  bool
	keep     bool // the connection goes on after this answer
}

var (
	_ http.ResponseWriter = (*answer)(nil)
	_ http.Hijacker       = (*answer)(nil)
)

func newAnswer(c *conn, r *http.Request, b *body) *answer {
	c.out, c.held, c.begun = kept(c.out), c.held[:0], false
	return &answer{c: c, r: r, body: b, header: http.Header{}, declared: -1, gone: func() {}}
}

func (w *answer) Header() http.Header { return w.header }

// WriteHeader takes the header as it is now. A status from 100 to 199, but for
// 101, goes out at once, before the answer's own.
func (w *answer) WriteHeader(status int) {
	switch {
	case status < 100 || status > 999:
		panic(fmt.Sprintf("status %d doesn't exist", status))
	case w.status != 0 || w.c.hijacked:
		return
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.informational(status)
		return
	}
	w.status = status
	w.c.begin()
	if n, ok := contentLength(w.header["Content-Length"]); ok {
		w.declared = n
	}
	if listed(w.header["Connection"], "close") || status == http.StatusSwitchingProtocols {
		w.keep = false // what follows a 101 is no HTTP
	}
	w.trailers = announcedTrailers(w.header["Trailer"])
	w.c.out = appendStatus(w.c.out, status)
	w.fieldLines()
}

func (w *answer) informational(status int) {
	if w.r.ProtoMinor == 0 {
		return // RFC 9110 §15.2: HTTP/1.0 knows none
	}
	w.c.out = appendStatus(w.c.out, status)
	w.fieldLines()
	w.c.out = append(w.c.out, "\r\n"...)
	w.c.writing.Lock() // the body's reader may be about to send 100
	defer w.c.writing.Unlock()
	w.flush()
}

func (w *answer) Write(p []byte) (int, error) {
	if w.c.hijacked {
		return 0, http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.bodiless():
		return 0, http.ErrBodyNotAllowed
	case w.declared >= 0 && w.written+int64(len(p)) > w.declared:
		return 0, http.ErrContentLength
	}
	w.written += int64(len(p))
	switch {
	case w.r.Method == http.MethodHead:
		return len(p), nil
	case w.framed:
	case w.declared < 0 && len(w.c.held)+len(p) <= held:
		w.c.held = append(w.c.held, p...)
		return len(p), nil
	default:
		w.complete(false)
	}
	w.emit(p)
	return len(p), w.c.failed
}

// complete puts the header and what was held back on its way.
func (w *answer) complete(whole bool) {
	w.frame(whole)
	w.emit(w.c.held)
}

// emit puts content on its way, in a chunk of its own where the answer is chunked.
func (w *answer) emit(p []byte) {
	if len(p) == 0 {
		return
	}
	c := w.c
	if w.chunked {
		c.out = append(strconv.AppendInt(c.out, int64(len(p)), 16), "\r\n"...)
	}
	if len(c.out)+len(p) <= gather {
		c.out = append(c.out, p...)
	} else {
		w.failing(c.write(c.out, p))
		c.out = c.out[:0]
	}
	if w.chunked {
		c.out = append(c.out, "\r\n"...)
	}
}

// failing: who can't be written to has left.
func (w *answer) failing(err error) {
	if err != nil {
		w.gone()
	}
}

func (w *answer) flush() {
	if len(w.c.out) > 0 {
		w.failing(w.c.write(w.c.out))
		w.c.out = w.c.out[:0]
	}
}

// FlushError sends what there is (http.ResponseController).
func (w *answer) FlushError() error {
	if w.c.hijacked {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.framed {
		w.complete(false)
	}
	w.flush()
	return w.c.failed
}

// EnableFullDuplex: reading and writing never wait for each other here.
func (w *answer) EnableFullDuplex() error { return nil }

// finish completes the answer after the handler.
func (w *answer) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.framed {
		w.complete(true)
	}
	if w.chunked {
		w.c.out = append(w.c.out, "0\r\n"...)
		w.trailerLines()
		w.c.out = append(w.c.out, "\r\n"...)
	}
	if w.declared > w.written && w.r.Method != http.MethodHead && !w.bodiless() {
		w.keep = false // less than was said: the client must not wait for the rest
	}
	w.flush()
	return w.c.failed
}

// abandon ends an answer that must not look whole: what is out stays without an
// end. Where only the connection's end would tell, it is reset.
func (w *answer) abandon() {
	if w.framed && (w.declared < 0 || w.written < w.declared) {
		w.flush()
	}
	if tcp, ok := w.c.nc.(*net.TCPConn); ok && w.framed && !w.chunked && w.declared < 0 {
		_ = tcp.SetLinger(0) // the close that follows is the reset
	}
}

// Hijack hands the connection over, with what came over it already.
func (w *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := w.c
	switch {
	case c.hijacked:
		return nil, nil, http.ErrHijacked
	case w.status != 0:
		return nil, nil, errors.New("the answer has begun")
	case w.body != nil && !w.body.ended.Load():
		return nil, nil, errors.New("the request's body has not been read")
	}
	c.watch.stop(c)
	c.hijacked = true
	in := bufio.NewReaderSize(&c.in, max(c.in.buffered(), firstBuffer))
	_, _ = in.Peek(c.in.buffered()) // so that Buffered tells of it
	return c.nc, bufio.NewReadWriter(in, bufio.NewWriter(c.nc)), c.nc.SetDeadline(time.Time{})
}
