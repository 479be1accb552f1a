package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type readableCase struct {
	text string
	want []call
	last bool // the connection ends after it
}

func header(lines ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(lines); i += 2 {
		h.Add(lines[i], lines[i+1])
	}
	return h
}

func seen(line, host string, h http.Header, body string) call {
	return call{Line: line, Host: host, Header: h, Body: body, Trailer: http.Header{}}
}

// readable are requests with the one reading that they have.
var readable = map[string]readableCase{
	"no body":                {"GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", []call{seen("GET /a?b=c", "a", header(), "")}, false},
	"a length":               {post + "Content-Length: 5\r\n\r\nhello", []call{seen("POST /orders", "a", header("Content-Length", "5"), "hello")}, false},
	"a length of none":       {post + "Content-Length: 0\r\n\r\n", []call{seen("POST /orders", "a", header("Content-Length", "0"), "")}, false},
	"a body with GET":        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", []call{seen("GET /", "a", header("Content-Length", "2"), "hi")}, false},
	"a body like a request":  {post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(smuggled), smuggled), []call{seen("POST /orders", "a", header("Content-Length", fmt.Sprint(len(smuggled))), smuggled)}, false},
	"chunks":                 {chunked + "\r\n5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n", []call{seen("POST /orders", "a", header(), "hello0123456789")}, false},
	"no chunk":               {post + "transfer-encoding: Chunked\r\n\r\n000\r\n\r\n", []call{seen("POST /orders", "a", header(), "")}, false},
	"the longest chunk size": {chunked + "\r\n00000000000000a\r\n0123456789\r\n0\r\n\r\n", []call{seen("POST /orders", "a", header(), "0123456789")}, false},
	"trailers": {chunked + "Trailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nx-more: 2\r\n\r\n",
		[]call{{"POST /orders", "a", header(), "hi", header("X-Sum", "1", "X-More", "2"), false}}, false},
	"space around a value":  {"GET / HTTP/1.1\r\nHost: \ta \r\nX-A:b\r\nX-A: \t \r\nX-A: c d\t\r\n\r\n", []call{seen("GET /", "a", header("X-A", "b", "X-A", "", "X-A", "c d"), "")}, false},
	"UTF-8":                 {"GET / HTTP/1.1\r\nHost: a\r\nX-A: \xc3\xa9\r\n\r\n", []call{seen("GET /", "a", header("X-A", "é"), "")}, false},
	"an odd name":           {"GET / HTTP/1.1\r\nHost: a\r\nx_A!#$%&'*+-.^`|~: b\r\n\r\n", []call{seen("GET /", "a", http.Header{"X_a!#$%&'*+-.^`|~": {"b"}}, "")}, false},
	"an odd method":         {"M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", []call{seen("M-SEARCH /", "a", header(), "")}, false},
	"an address as Host":    {"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", []call{seen("GET /", "[::1]:8080", header(), "")}, false},
	"an absolute target":    {"GET http://A:80/x HTTP/1.1\r\nHost: a\r\n\r\n", []call{seen("GET http://A:80/x", "A:80", header(), "")}, false},
	"an asterisk":           {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", []call{seen("OPTIONS *", "a", header(), "")}, false},
	"a path like a network": {"GET //b/../c%2f HTTP/1.1\r\nHost: a\r\n\r\n", []call{seen("GET //b/../c%2f", "a", header(), "")}, false},
	"a pipeline": {"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + post + "Content-Length: 1\r\n\r\nx" + chunked + "\r\n1\r\ny\r\n0\r\n\r\n",
		[]call{seen("GET /1", "a", header(), ""), seen("POST /orders", "a", header("Content-Length", "1"), "x"), seen("POST /orders", "a", header(), "y")}, false},
	"HTTP/1.0":              {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", []call{seen("GET /", "", header("Connection", "keep-alive"), "")}, true},
	"HTTP/1.0 with a body":  {"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", []call{seen("POST /", "a", header("Content-Length", "2"), "hi")}, true},
	"a close among options": {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", []call{seen("GET /", "a", header("Connection", "x, Close"), "")}, true},
	"an upgrade to h2c": {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
		[]call{seen("GET /", "a", header("Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "Http2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"), "")}, false},
}

// Where the network cuts a request into pieces is nobody's choice, and nobody's business.
func TestARequestInPiecesReadsAsTheWhole(t *testing.T) {
	texts := map[string]string{}
	for name, c := range readable {
		texts[name] = c.text
	}
	for name, c := range unreadable {
		texts["refused: "+name] = c.text + smuggled
	}
	for name, body := range brokenChunks {
		texts["broken: "+name] = chunked + "\r\n" + body + smuggled
	}
	n := &notes{}
	s := serve(t, n)
	for name, text := range texts {
		calls, answers := s.converse(n, text)
		same := func(how string, pieces ...string) {
			gotCalls, gotAnswers := s.converse(n, pieces...)
			if diff := cmp.Diff(calls, gotCalls) + cmp.Diff(answers, gotAnswers); diff != "" {
				t.Errorf("%s, %s: got another reading (-whole +pieces):\n%s", name, how, diff)
			}
		}
		step := 1 + len(text)/300 // every position, but for the huge ones
		if step == 1 {
			same("byte by byte", strings.Split(text, "")...)
		}
		for at := 1; at < len(text); at += step {
			same(fmt.Sprintf("cut at %d", at), text[:at], text[at:])
		}
	}
}
