// Package backend is the other end of the gateway on one machine: a server that
// says exactly what reached it, and a Recorder that lets a test look afterwards.
//
// The query chooses a behaviour for demonstrations:
//
//	status=418              answers with that status
//	delay=2s                waits first, unless the client leaves
//	events=5&every=100ms    answers with server-sent events, flushed one by one
//	bytes=1000000           answers with so many bytes of filler, streamed
//	header=Name:Value       adds a response header; may be repeated
//	abort=1                 closes the connection in the middle of the answer
//
// A WebSocket is taken on any path, and each message sent back.
//
// A value that makes no sense is not an error, for it may well be meant for an
// API that the echo stands in for (?status=open): it is named under "ignored".
package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"tollgate/localrun/faults"
)

const (
	shownBytes = 64 << 10 // how much of a body the echo repeats
	chunkBytes = 32 << 10
)

// echo is the answer: what the backend heard.
type echo struct {
	Method    string      `json:"method"`
	Path      string      `json:"path"`  // as received, not decoded
	Query     string      `json:"query"` // as received, without the question mark
	Host      string      `json:"host"`
	Headers   http.Header `json:"headers"`
	Body      string      `json:"body"`      // the first 64 KiB; bytes that aren't UTF-8 show as U+FFFD
	BodyBytes int64       `json:"bodyBytes"` // all of it
	Trailers  http.Header `json:"trailers"`
	Ignored   []string    `json:"ignored,omitempty"` // behaviours that were asked for in words that make no sense
}

// New returns the echo backend. It keeps nothing between requests.
func New() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		repeat(w, r)
		return
	}
	heard, err := hear(r)
	if err != nil {
		// The client broke off or sent nonsense: there is no whole request to repeat.
		http.Error(w, "read the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	b, ignored := behaviourOf(r.URL.Query())
	heard.Ignored = ignored
	// The body is read by now, so the server notices when the client leaves.
	if !faults.Pause(r.Context(), b.delay) {
		return
	}
	for _, h := range b.headers {
		w.Header().Add(h.name, h.value)
	}
	if present := b.write(w, r, heard); present && b.abort {
		hangUp(w)
	}
}

// hear reads the request to its end, which is also where trailers come from.
func hear(r *http.Request) (echo, error) {
	var body strings.Builder
	shown, err := io.CopyN(&body, r.Body, shownBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return echo{}, err
	}
	rest, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		return echo{}, err
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	trailers := r.Trailer
	if trailers == nil {
		trailers = http.Header{} // an empty object in the answer, not null
	}
	return echo{
		Method: r.Method, Path: path, Query: query, Host: r.Host,
		Headers: r.Header, Body: body.String(), BodyBytes: shown + rest,
		Trailers: trailers,
	}, nil
}

// write answers, only half of it before an abort, and reports whether the
// client is still there.
func (b behaviour) write(w http.ResponseWriter, r *http.Request, heard echo) bool {
	switch {
	case b.events > 0:
		return b.stream(w, r)
	case b.bytes > 0:
		return b.fill(w)
	}
	text, err := json.Marshal(heard)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return false
	}
	b.begin(w, "application/json; charset=utf-8")
	_, err = w.Write(text[:b.part(int64(len(text)))])
	return err == nil
}

// begin writes the status line; a header that the query asked for wins over ours.
func (b behaviour) begin(w http.ResponseWriter, contentType string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(b.status)
}

// part is how much of an answer is written.
func (b behaviour) part(whole int64) int64 {
	if b.abort {
		return whole / 2
	}
	return whole
}

func (b behaviour) stream(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Cache-Control", "no-store")
	b.begin(w, "text/event-stream")
	out := http.NewResponseController(w)
	for n := range b.part(b.events) {
		if n > 0 && !faults.Pause(r.Context(), b.every) {
			return false
		}
		if _, err := fmt.Fprintf(w, "id: %d\ndata: {\"event\":%d,\"of\":%d}\n\n", n+1, n+1, b.events); err != nil {
			return false
		}
		if err := out.Flush(); err != nil {
			return false
		}
	}
	return true
}

func (b behaviour) fill(w http.ResponseWriter) bool {
	b.begin(w, "application/octet-stream")
	chunk := strings.Repeat("tollgate", chunkBytes/len("tollgate"))
	for left := b.part(b.bytes); left > 0; {
		n, err := io.WriteString(w, chunk[:min(left, chunkBytes)])
		if err != nil {
			return false
		}
		left -= int64(n)
	}
	return true
}

// hangUp sends what was written and closes the connection without ending the answer.
func hangUp(w http.ResponseWriter) {
	out := http.NewResponseController(w)
	_ = out.Flush() // if nobody listens any more, closing is all that is left
	conn, _, err := out.Hijack()
	if err != nil {
		return // HTTP/2 and recorders have no connection to close: the half answer stands
	}
	_ = conn.Close()
}
