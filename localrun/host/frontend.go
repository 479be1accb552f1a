package host

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// FrontEnd stands in for the platform's front end, which takes the public
// request and hands it to the host (functions-host.md §7). The zero value is the
// platform's usual behaviour.
type FrontEnd struct {
	Scheme       string                     // X-Forwarded-Proto; "" = "https"
	PublicHost   string                     // DISGUISED-HOST; "" = the Host that the caller sent
	ClientAddr   func(*http.Request) string // the caller's ip:port; nil = of the connection
	InternalAddr string                     // the ip:port that the host sees as its peer; "" = "10.0.128.4:40000"

	Cut       time.Duration // without an answer for this long the caller is cut off; 0 = 230 s
	CutStatus int           // what the caller gets then, if nothing was sent; 0 = 502 (users also report 500)
	CutTotal  bool          // UNCONFIRMED: streamed bytes don't reset Cut

	KeepClientIP bool // UNCONFIRMED: a CLIENT-IP that the caller sent stays, in front of the real one
}

func (f *FrontEnd) serve(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	budget := f.Cut
	if budget == 0 {
		budget = 230 * time.Second
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	cut := &cutWriter{ResponseWriter: w, budget: budget, fixed: f.CutTotal, cancel: cancel}
	cut.mu.Lock()
	cut.timer = time.AfterFunc(budget, cut.expire)
	cut.mu.Unlock()
	defer cut.timer.Stop()
	next(cut, f.rewrite(r.WithContext(ctx)))
	cut.mu.Lock()
	defer cut.mu.Unlock()
	if cut.cut && !cut.started {
		clear(w.Header())
		w.Header().Set("Connection", "close")
		status := f.CutStatus
		if status == 0 {
			status = http.StatusBadGateway
		}
		w.WriteHeader(status)
	}
}

// rewrite adds what the front end tells the host.
func (f *FrontEnd) rewrite(r *http.Request) *http.Request {
	client, public, scheme, internal := r.RemoteAddr, f.PublicHost, f.Scheme, f.InternalAddr
	if f.ClientAddr != nil {
		client = f.ClientAddr(r)
	}
	if public == "" {
		public = r.Host
	}
	if scheme == "" {
		scheme = "https"
	}
	if internal == "" {
		internal = "10.0.128.4:40000"
	}
	header := r.Header.Clone()
	if !f.KeepClientIP {
		header.Del("CLIENT-IP")
	}
	header.Add("CLIENT-IP", client)
	header.Set("X-ARR-LOG-ID", newID())
	header.Set("DISGUISED-HOST", public)
	header.Set("X-Original-URL", r.RequestURI)
	header.Set("X-WAWS-Unencoded-URL", r.RequestURI)
	header.Set("X-Forwarded-Proto", scheme)
	header.Set("X-Forwarded-For", strings.Join(append(header.Values("X-Forwarded-For"), client), ", "))
	r.Header, r.Host, r.RemoteAddr = header, internal, internal
	if name, _, err := net.SplitHostPort(internal); err == nil {
		r.Host = name
	}
	return r
}

// cutWriter drops what comes after the cut.
type cutWriter struct {
	http.ResponseWriter
	budget time.Duration
	fixed  bool
	cancel context.CancelFunc

	mu      sync.Mutex
	timer   *time.Timer
	started bool
	cut     bool
}

// expire is the moment of the cut. The host notices as it notices a caller who
// went away.
func (w *cutWriter) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	w.cancel()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *cutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *cutWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(status)
}

func (w *cutWriter) writeHeader(status int) {
	if w.cut {
		return
	}
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *cutWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return 0, context.Canceled
	}
	if !w.started {
		w.writeHeader(http.StatusOK)
	}
	if !w.fixed {
		w.timer.Reset(w.budget)
	}
	return w.ResponseWriter.Write(p)
}

// Hijack takes the connection for a switched protocol or an abort; from there on
// only a fixed cut still counts.
func (w *cutWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut && !w.started {
		return nil, nil, context.Canceled // the caller still gets CutStatus
	}
	w.started = true
	if !w.fixed {
		w.timer.Stop()
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// FlushError is what http.ResponseController calls.
func (w *cutWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return context.Canceled
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}
