// Package wire is HTTP/1.1 on a connection, by the letter of RFC 9112: a
// server behind http.Handler and a pooled client behind http.RoundTripper.
//
// net/http takes a Content-Length beside a Transfer-Encoding, equal lengths
// twice, bare line feeds and folded lines, and hides from the handler that they
// were there. Whoever parses the same bytes before or after us may read two
// requests where it reads one. Here a message has one reading, or is refused
// and its connection closed. Whatever this package accepts, net/http accepts
// with the same meaning: a fuzz test holds it to that.
package wire

import (
	"net/http"
	"time"
)

// Fault says why a message can't be read. Nothing that follows it on its
// connection is read.
type Fault struct {
	Status int    // what a server answers
	Reason string // for operators; it holds nothing of the message
}

func (f *Fault) Error() string { return f.Reason }

func malformed(reason string) *Fault { return &Fault{http.StatusBadRequest, reason} }

// Limits of a connection. Use DefaultLimits as the start.
type Limits struct {
	Target   int // bytes of a request target; 414 beyond
	Head     int // bytes of a start line with its headers; 431 beyond
	Fields   int // header lines; 431 beyond
	Trailers int // bytes of a trailer section

	Header time.Duration // from a head's first byte to its last; 408 after it
	Idle   time.Duration // between two requests
	Body   time.Duration // waiting for a body's bytes in all, beside what BodyRate gives
	Write  time.Duration // for one write: a client that doesn't read

	BodyRate int64         // bytes a second that a body must keep on average, beyond Body
	Watch    time.Duration // how long a call may take before a look at whether its client is still there
	Linger   time.Duration // how long what a client still sends is thrown away after a last answer
}

// maxTrailers: net/http takes no more than fits into its buffer of 4 KiB.
const maxTrailers = 4000

// DefaultLimits are those of the gateway: a token may have 32 KiB, and the
// Functions host keeps URLs to 8 KiB (functions-host.md §2d).
func DefaultLimits() Limits {
	return Limits{
		Target: 16 << 10, Head: 64 << 10, Fields: 128, Trailers: maxTrailers,
		Header: 10 * time.Second,
		// The host pools its connections; ours must be the side that keeps them longer.
		Idle:     5 * time.Minute,
		Body:     time.Minute,
		BodyRate: 240, // what Kestrel, before us, asks of a body
		Write:    time.Minute,
		Watch:    250 * time.Millisecond,
		// Closing at once could reset the connection before the client has read the answer.
		Linger: 500 * time.Millisecond,
	}
}
