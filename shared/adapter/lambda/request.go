package lambda

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tollgate/shared/pipeline"
	"tollgate/shared/wire"
)

// request is the call as a request that came over a connection would be: its
// head is put together and read again by the letter, so that the same limits and
// the same readings hold. What it is framed by is not the caller's to say: the
// body is here.
func (e *event) request(ctx context.Context) (*http.Request, *wire.Fault) {
	ctx = pipeline.WithInvocation(pipeline.WithClient(ctx, e.client), e.id)
	if e.unwritable() {
		r := (&http.Request{Method: e.method, URL: &url.URL{}, Header: http.Header{}, Body: http.NoBody}).WithContext(ctx)
		return r, &wire.Fault{Status: http.StatusBadRequest, Reason: "the event's path, query or a header holds what ends a line, or a path that is none"}
	}
	var length []string
	head := append([]byte(nil), e.method+" "+e.path...)
	if e.query != "" {
		head = append(append(head, '?'), e.query...)
	}
	head = append(head, " HTTP/1.1\r\n"...)
	for _, f := range e.fields {
		switch strings.ToLower(f.name) {
		case "content-length":
			length = append(length, f.value)
		case "transfer-encoding", "trailer", "expect": // they ended at the front
		default:
			head = append(append(append(append(head, f.name...), ": "...), f.value...), "\r\n"...)
		}
	}
	if len(e.body) > 0 {
		head = append(strconv.AppendInt(append(head, "Content-Length: "...), int64(len(e.body)), 10), "\r\n"...)
	}
	r, fault := wire.Read(ctx, string(append(head, "\r\n"...)), wire.DefaultLimits())
	switch {
	case fault != nil:
	case !e.whole(length):
		// A front that takes bodies for text has replaced what isn't UTF-8.
		fault = &wire.Fault{Status: http.StatusBadRequest, Reason: "the body hasn't the length that Content-Length says"}
	case len(e.body) > 0:
		r.Body = io.NopCloser(bytes.NewReader(e.body))
	}
	return r, fault
}

// unwritable tells what can't stand in a head without changing its shape.
func (e *event) unwritable() bool {
	if e.path[0] != '/' || strings.ContainsAny(e.path, "?\r\n") || strings.ContainsAny(e.query, "\r\n") || strings.ContainsAny(e.method, "\r\n") {
		return true
	}
	for _, f := range e.fields {
		if strings.ContainsAny(f.name, "\r\n") || strings.ContainsAny(f.value, "\r\n") {
			return true
		}
	}
	return false
}

// whole: a length that was sent must be the body's.
func (e *event) whole(lengths []string) bool {
	for _, l := range lengths {
		if l != strconv.Itoa(len(e.body)) {
			return false
		}
	}
	return len(lengths) < 2
}
