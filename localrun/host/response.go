package host

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// response knows whether anything was sent, and adds host.json's customHeaders
// when the answer starts.
type response struct {
	inner   http.ResponseWriter
	headers map[string]string
	body    *callerBody
	started bool
}

// newResponse lets answers begin while the caller still sends, as Kestrel does.
func newResponse(w http.ResponseWriter, r *http.Request, headers map[string]string) *response {
	body := &callerBody{ReadCloser: r.Body}
	body.finished.Store(r.ContentLength == 0)
	if !body.finished.Load() {
		_ = http.NewResponseController(w).EnableFullDuplex() // only a writer that isn't a server's own lacks it
	}
	r.Body = body
	return &response{inner: w, headers: headers, body: body}
}

// callerBody knows whether the caller's body was read to its end.
type callerBody struct {
	io.ReadCloser
	finished atomic.Bool
}

func (b *callerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.finished.Store(true)
	}
	return n, err
}

func (w *response) Header() http.Header { return w.inner.Header() }

// WriteHeader applies functions-host.md §2d: customHeaders only where the
// handler set no header of that name.
func (w *response) WriteHeader(status int) {
	if !w.started {
		w.started = true
		if !w.body.finished.Load() {
			// Go's server can't go on with a connection whose body it must read to
			// its end itself after a full-duplex handler.
			w.Header().Set("Connection", "close")
		}
		for name, value := range w.headers {
			if len(w.Header().Values(name)) == 0 {
				w.Header().Set(name, value)
			}
		}
	}
	w.inner.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if !w.started {
		w.WriteHeader(http.StatusOK)
	}
	return w.inner.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.inner }

func (w *response) flush() error { return http.NewResponseController(w.inner).Flush() }

// clear drops what was prepared but not sent.
func (w *response) clear() { clear(w.Header()) }

// abort breaks the connection, so that the caller can tell a cut answer from a
// complete one. functions-host.md §2c: reset once headers were sent.
func (w *response) abort() {
	w.started = true
	conn, _, err := http.NewResponseController(w.inner).Hijack()
	if err != nil {
		return // hijacked before: whoever has it closes it
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // best effort: a plain close cuts the answer too
	}
	_ = conn.Close() // nobody is left to hear of it
}
