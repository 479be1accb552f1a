package backend

import (
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Seen is one request as it arrived.
type Seen struct {
	Method  string
	Target  string // the request line's target, byte for byte
	Host    string
	Header  http.Header
	Body    []byte
	Trailer http.Header // complete once the body was read to its end
	Whole   bool        // the body was read to its end

	Certificate *x509.Certificate // the client's; nil without TLS
}

// Recorder remembers every request on its way to another handler. It is safe
// for concurrent use.
//
// A request is there from its arrival. Its body streams through as the next
// handler reads it; whatever that handler leaves is read when it returns. So
// once a client has the whole answer of a handler that read the body, as New's
// does, the record is whole too.
type Recorder struct {
	next http.Handler
	mu   sync.Mutex
	seen []*Seen
}

// Record puts a Recorder before next.
func Record(next http.Handler) *Recorder { return &Recorder{next: next} }

// ServeHTTP records the request and hands it on.
func (rec *Recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := &Seen{Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header.Clone()}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		entry.Certificate = r.TLS.PeerCertificates[0]
	}
	rec.mu.Lock()
	rec.seen = append(rec.seen, entry)
	rec.mu.Unlock()

	// The request itself is changed, not a copy: net/http puts trailers into the one it made.
	r.Body = &recordedBody{ReadCloser: r.Body, request: r, entry: entry, mu: &rec.mu}
	rec.next.ServeHTTP(w, r)
	_, _ = io.Copy(io.Discard, r.Body) // a client that broke off has no more to record
}

// Requests returns copies of what was seen, in order of arrival.
func (rec *Recorder) Requests() []Seen {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	all := make([]Seen, len(rec.seen))
	for at, entry := range rec.seen {
		all[at] = *entry
		all[at].Header = entry.Header.Clone()
		all[at].Body = slices.Clone(entry.Body)
		all[at].Trailer = entry.Trailer.Clone()
	}
	return all
}

// Count is the number of requests seen.
func (rec *Recorder) Count() int {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return len(rec.seen)
}

// Reset forgets what was seen, also of requests still on their way.
func (rec *Recorder) Reset() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.seen = nil
}

// recordedBody copies what passes through it.
type recordedBody struct {
	io.ReadCloser
	request *http.Request
	entry   *Seen
	mu      *sync.Mutex // the recorder's: it guards entry and ended
	ended   bool        // net/http says EOF of a body that broke off to whoever reads on
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entry.Body = append(b.entry.Body, p[:n]...)
	if errors.Is(err, io.EOF) {
		b.entry.Trailer = b.request.Trailer.Clone()
		b.entry.Whole = b.entry.Whole || !b.ended
	}
	b.ended = b.ended || err != nil
	return n, err
}
