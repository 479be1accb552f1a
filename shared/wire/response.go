package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
)

// appendRequest is the head of r. What could be read another way than it was
// meant isn't sent.
func appendRequest(out []byte, r *http.Request) ([]byte, error) {
	target := r.URL.RequestURI()
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if !isToken(r.Method) || !all(target, targetByte) || !isHost(host) {
		return nil, fmt.Errorf("%w: its method, target or host", ErrUnsendable)
	}
	out = append(append(append(out, r.Method...), ' '), target...)
	out = append(append(append(out, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	for name, values := range r.Header {
		switch http.CanonicalHeaderKey(name) { // the caller may have put it into the map in any case
		case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer":
			continue
		case "Upgrade":
			out = append(out, "Connection: Upgrade\r\n"...)
		}
		for _, v := range values {
			if !isToken(name) || !isValue(v) {
				return nil, fmt.Errorf("%w: a header", ErrUnsendable)
			}
			out = append(append(append(out, name...), ": "...), v...)
			out = append(out, "\r\n"...)
		}
	}
	switch {
	case !bodyless(r) && r.ContentLength > 0:
		out = appendLength(out, r.ContentLength)
	case !bodyless(r):
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	case r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch:
		out = appendLength(out, 0) // RFC 9110 §8.6: where a body would mean something
	}
	return append(out, "\r\n"...), nil
}

// readResponse reads the head of one answer to r.
func readResponse(in *input, r *http.Request, c *Client) (*http.Response, framing, error) {
	text, err := in.lines(c.Head, nil)
	if err != nil {
		if in.buffered() == 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
			err = errGone
		}
		return nil, framing{}, err
	}
	line, text, _ := strings.Cut(text, "\r\n")
	resp := &http.Response{Request: r, ProtoMajor: 1}
	if fault := statusLine(resp, line); fault != nil {
		return nil, framing{}, fault
	}
	var fault *Fault
	if resp.Header, fault = fields(text, c.Fields, true); fault != nil {
		return nil, framing{}, fault
	}
	f, fault := responseFraming(resp)
	if fault != nil {
		return nil, framing{}, fault
	}
	return resp, f, nil
}

// statusLine is HTTP-version SP 3DIGIT SP, and a text that nobody needs (RFC 9112 §4).
func statusLine(resp *http.Response, line string) *Fault {
	version, rest, _ := strings.Cut(line, " ")
	code, reason, _ := strings.Cut(rest, " ")
	if version != "HTTP/1.1" && version != "HTTP/1.0" || len(code) != 3 || !digits(code) || code[0] == '0' || !isOpaque(reason) {
		return malformed("the answer doesn't start with a version and a status")
	}
	resp.StatusCode, _ = strconv.Atoi(code) // three digits
	resp.Status, resp.Proto, resp.ProtoMinor = rest, version, int(version[7]-'0')
	return nil
}

// responseFraming: RFC 9112 §6.3, as strict as for requests.
func responseFraming(resp *http.Response) (framing, *Fault) {
	h, status := resp.Header, resp.StatusCode
	f := framing{close: resp.ProtoMinor == 0 || listed(h["Connection"], "close")}
	lengths, codings := h["Content-Length"], h["Transfer-Encoding"]
	resp.ContentLength = -1
	if len(lengths) > 0 {
		n, ok := contentLength(lengths)
		if !ok {
			return f, malformed("the answer's Content-Length is not one plain number")
		}
		resp.ContentLength, f.length = n, n
	}
	if len(codings) > 0 {
		fault := transferCoding(codings, len(lengths) > 0, resp.ProtoMinor)
		if fault == nil {
			resp.Trailer, fault = announced(h)
		}
		if fault != nil {
			return f, fault
		}
	}
	switch {
	case resp.Request.Method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified:
		f.length = 0
		if resp.Request.Method != http.MethodHead {
			resp.ContentLength = 0
		}
	case len(codings) > 0:
		f.chunked, f.length = true, -1
		resp.TransferEncoding = []string{"chunked"}
	case len(lengths) == 0:
		f.length, f.close = -1, true // until the connection ends
	}
	delete(h, "Transfer-Encoding")
	resp.Close = f.close
	return f, nil
}
