package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// framing is how the end of a message is found (RFC 9112 §6.3).
type framing struct {
	length  int64 // of the body; -1: not known beforehand
	chunked bool
	close   bool // nothing follows this message on its connection
}

// readRequest reads the head of one request. After a fault the request holds
// what was understood of it.
func readRequest(ctx context.Context, in *input, l *Limits) (*http.Request, framing, error) {
	r := new(http.Request).WithContext(ctx)
	text, err := in.lines(l.Head, func(line []byte) *Fault { return requestLine(r, string(line), l) })
	if err != nil {
		return r, framing{}, err
	}
	_, text, _ = strings.Cut(text, "\r\n")
	var fault *Fault
	if r.Header, fault = fields(text, l.Fields, false); fault != nil {
		return r, framing{}, fault
	}
	if fault := host(r); fault != nil {
		return r, framing{}, fault
	}
	f, fault := requestFraming(r)
	if fault != nil {
		return r, f, fault
	}
	return r, f, nil
}

// Read is the request of a head that came whole, in one text: a front end's
// words, put together again, are held to the same letter as those of a caller.
// After a fault the request holds what was understood; its URL and Header are there.
func Read(ctx context.Context, head string, l Limits) (*http.Request, *Fault) {
	r, _, err := readRequest(ctx, &input{conn: ended{}, buf: []byte(head), w: len(head)}, &l)
	if r.URL == nil {
		r.URL = &url.URL{}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Body = http.NoBody
	if err == nil {
		return r, nil
	}
	fault, ok := errors.AsType[*Fault](err)
	if !ok {
		fault = malformed("the head has no end")
	}
	return r, fault
}

// ended is a connection from which nothing more comes.
type ended struct{ net.Conn }

func (ended) Read([]byte) (int, error) { return 0, io.EOF }

// requestLine is method SP request-target SP HTTP-version (RFC 9112 §3), with
// just those two spaces.
func requestLine(r *http.Request, line string, l *Limits) *Fault {
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	switch {
	case !ok || !isToken(method):
		return malformed("the request line is not a method, a target and a version")
	case len(target) > l.Target:
		return &Fault{http.StatusRequestURITooLong, "the request target is too long"}
	case version == "HTTP/1.1":
		r.ProtoMinor = 1
	case version == "HTTP/1.0":
	case strings.HasPrefix(version, "HTTP/") && isToken(version[len("HTTP/"):]):
		return &Fault{http.StatusHTTPVersionNotSupported, "the version is neither HTTP/1.1 nor HTTP/1.0"}
	default:
		return malformed("the request line doesn't end with a version")
	}
	r.Method, r.RequestURI, r.Proto, r.ProtoMajor = method, target, version, 1
	return requestTarget(r)
}

// requestTarget takes origin-form, absolute-form and, for OPTIONS, an asterisk
// (RFC 9112 §3.2). CONNECT asks for a tunnel, which a gateway never is.
func requestTarget(r *http.Request) *Fault {
	if r.Method == http.MethodConnect {
		return malformed("CONNECT is not for a gateway")
	}
	target := r.RequestURI
	absolute := strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")
	if !all(target, targetByte) || !absolute && !strings.HasPrefix(target, "/") && !(target == "*" && r.Method == http.MethodOptions) {
		return malformed("the request target holds a byte that no target can hold, or is of no known form")
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return malformed("the request target can't be parsed")
	}
	if absolute && (u.User != nil || !isHost(u.Host)) {
		return malformed("the request target's authority is not a host")
	}
	r.URL = u
	return nil
}

// fields reads header lines up to the empty one. Values may hold bytes beyond
// ASCII as UTF-8, or whichever if they are opaque.
func fields(text string, most int, opaque bool) (http.Header, *Fault) {
	n := strings.Count(text, "\r\n") - 1
	if n > most {
		return nil, &Fault{http.StatusRequestHeaderFieldsTooLarge, "there are too many header lines"}
	}
	h, values := make(http.Header, n), make([]string, n)
	for i := range n {
		line, rest, _ := strings.Cut(text, "\r\n")
		text = rest
		name, value, ok := strings.Cut(line, ":")
		// A name is a token right up to the colon: no space before it (§5.1), and
		// a line that starts with one is a fold (§5.2), which isn't taken either.
		if !ok || !isToken(name) {
			return nil, malformed("a header line doesn't start with a name and a colon")
		}
		if value = trim(value); !isValue(value) && !(opaque && isOpaque(value)) {
			return nil, malformed("a header value holds a control character, or isn't UTF-8")
		}
		key := http.CanonicalHeaderKey(name)
		if earlier := h[key]; earlier != nil {
			h[key] = append(earlier, value)
			continue
		}
		values[i] = value
		h[key] = values[i : i+1 : i+1]
	}
	return h, nil
}

// host: exactly one, and one reading of it (RFC 9112 §3.2). The authority of an
// absolute target must agree: §3.2.2 lets it win, and whoever reads Host would
// see another name.
func host(r *http.Request) *Fault {
	lines := r.Header["Host"]
	delete(r.Header, "Host")
	switch {
	case len(lines) == 0 && r.ProtoMinor == 0:
		r.Host = r.URL.Host
		return nil
	case len(lines) != 1:
		return malformed("there must be one Host header")
	case !isHost(lines[0]):
		return malformed("Host is not a name or an address")
	}
	r.Host = lines[0]
	if a := r.URL.Host; a != "" {
		if !sameAuthority(r.URL.Scheme, a, r.Host) {
			return malformed("the request target and Host name different authorities")
		}
		r.Host = a
	}
	return nil
}

func sameAuthority(scheme, a, b string) bool {
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return strings.EqualFold(strings.TrimSuffix(a, port), strings.TrimSuffix(b, port))
}

// requestFraming: RFC 9112 §6.3, without what it tolerates. One Content-Length
// line or one "Transfer-Encoding: chunked" line, never both.
func requestFraming(r *http.Request) (framing, *Fault) {
	f := framing{close: r.ProtoMinor == 0 || listed(r.Header["Connection"], "close")}
	lengths, codings := r.Header["Content-Length"], r.Header["Transfer-Encoding"]
	r.Close = f.close
	switch {
	case len(codings) > 0:
		if fault := transferCoding(codings, len(lengths) > 0, r.ProtoMinor); fault != nil {
			return f, fault
		}
		f.chunked, f.length = true, -1
		delete(r.Header, "Transfer-Encoding")
		r.TransferEncoding = []string{"chunked"}
		var fault *Fault
		if r.Trailer, fault = announced(r.Header); fault != nil {
			return f, fault
		}
	case len(lengths) > 0:
		n, ok := contentLength(lengths)
		if !ok {
			return f, malformed("Content-Length is not one plain number")
		}
		f.length = n
	}
	r.ContentLength = f.length
	return f, expectation(r)
}

func transferCoding(codings []string, lengthToo bool, minor int) *Fault {
	switch {
	case lengthToo:
		return malformed("there are both Content-Length and Transfer-Encoding")
	case minor == 0:
		return malformed("HTTP/1.0 has no transfer codings")
	case len(codings) > 1:
		return malformed("there is more than one Transfer-Encoding header")
	case !strings.EqualFold(codings[0], "chunked"):
		return &Fault{http.StatusNotImplemented, "the transfer coding is not chunked alone"}
	}
	return nil
}

// contentLength takes one line of plain digits: no sign, no list, no leading
// zero that another parser could take for octal.
func contentLength(lines []string) (int64, bool) {
	if len(lines) != 1 || !digits(lines[0]) || lines[0] != "0" && lines[0][0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(lines[0], 10, 64)
	return n, err == nil
}

// announced takes the names of trailer fields out of a header.
func announced(h http.Header) (http.Header, *Fault) {
	lines := h["Trailer"]
	if len(lines) == 0 {
		return nil, nil
	}
	delete(h, "Trailer")
	names := http.Header{}
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			key := http.CanonicalHeaderKey(trim(name))
			if key == "" {
				continue // RFC 9110 §5.6.1: a list may have empty elements
			}
			if !isToken(key) || framingField(key) {
				return nil, malformed("Trailer names what can't be a trailer field")
			}
			names[key] = nil
		}
	}
	return names, nil
}

// framingField: fields that steer the message itself may not come after it (RFC 9110 §6.5.1).
func framingField(key string) bool {
	switch key {
	case "Transfer-Encoding", "Content-Length", "Trailer", "Host":
		return true
	}
	return false
}

// expectation: 100-continue is the only one there is (RFC 9110 §10.1.1).
func expectation(r *http.Request) *Fault {
	lines := r.Header["Expect"]
	if len(lines) == 0 || r.ProtoMinor == 0 {
		return nil
	}
	if len(lines) > 1 || !strings.EqualFold(lines[0], "100-continue") {
		return &Fault{http.StatusExpectationFailed, "Expect asks for something else than 100-continue"}
	}
	return nil
}
