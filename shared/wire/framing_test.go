package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/wire/wiretest"
)

const (
	post     = "POST /orders HTTP/1.1\r\nHost: a\r\n"
	chunked  = post + "Transfer-Encoding: chunked\r\n"
	smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
)

// unreadable are requests with no reading, or more than one (RFC 9112 §2.2, §3, §5, §6.3).
var unreadable = map[string]struct {
	text   string
	status int
}{
	"a length and a coding":            {chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n", 400},
	"a coding and a length":            {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	"two equal lengths":                {post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
	"two lengths":                      {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
	"a list of lengths":                {post + "Content-Length: 5, 5\r\n\r\nhello", 400},
	"a length with a sign":             {post + "Content-Length: +5\r\n\r\nhello", 400},
	"a negative length":                {post + "Content-Length: -1\r\n\r\nhello", 400},
	"a hexadecimal length":             {post + "Content-Length: 0x5\r\n\r\nhello", 400},
	"a length with a leading zero":     {post + "Content-Length: 05\r\n\r\nhello", 400},
	"a length beyond 64 bits":          {post + "Content-Length: 18446744073709551621\r\n\r\nhello", 400},
	"a length beyond 63 bits":          {post + "Content-Length: 9223372036854775808\r\n\r\nhello", 400},
	"a length with a unit":             {post + "Content-Length: 5 bytes\r\n\r\nhello", 400},
	"an empty length":                  {post + "Content-Length:\r\n\r\nhello", 400},
	"two codings in a line":            {post + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501},
	"chunked, then another":            {post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
	"chunked twice":                    {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	"an unknown coding":                {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
	"an empty coding":                  {post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 501},
	"a coding with a parameter":        {post + "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n", 501},
	"a coding after a vertical tab":    {post + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400},
	"a coding before a vertical tab":   {post + "Transfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n", 400},
	"a coding with HTTP/1.0":           {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	"a space before the colon":         {post + "Content-Length : 5\r\n\r\nhello", 400},
	"a tab before the colon":           {post + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400},
	"a folded line":                    {post + "X-A: b\r\n Content-Length: 5\r\n\r\nhello", 400},
	"a fold with a tab":                {post + "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n", 400},
	"a fold as the first line":         {post[:len(post)-len("Host: a\r\n")] + " Host: a\r\n\r\n", 400},
	"a bare LF after the request line": {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
	"a bare LF after a header":         {post + "X-A: b\nContent-Length: 5\r\n\r\nhello", 400},
	"a bare LF as the empty line":      {post + "Content-Length: 5\r\n\nhello", 400},
	"a bare CR in a value":             {post + "X-A: b\rContent-Length: 5\r\n\r\n", 400},
	"a CR too many":                    {post + "X-A: b\r\r\n\r\n", 400},
	"a NUL in a value":                 {post + "X-A: \x00\r\n\r\n", 400},
	"a DEL in a value":                 {post + "X-A: \x7f\r\n\r\n", 400},
	"a value that isn't UTF-8":         {post + "X-A: \xff\r\n\r\n", 400},
	"a NUL in a name":                  {post + "X-\x00A: b\r\n\r\n", 400},
	"a name beyond ASCII":              {post + "X-\xc3\xa9: b\r\n\r\n", 400},
	"a line without a colon":           {post + "X-A\r\n\r\n", 400},
	"a line without a name":            {post + ": b\r\n\r\n", 400},
	"no Host":                          {"GET / HTTP/1.1\r\n\r\n", 400},
	"two Hosts":                        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	"an empty Host":                    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
	"a Host with a path":               {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
	"a Host with a user":               {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
	"a list of Hosts":                  {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
	"a Host with half a port":          {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
	"a target of another Host":         {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a target with a user":             {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a target of another scheme":       {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a target with a fragment":         {"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a target without a slash":         {"GET orders HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a target beyond ASCII":            {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a target with half an escape":     {"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"an asterisk without OPTIONS":      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"CONNECT":                          {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400},
	"two spaces":                       {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a tab for a space":                {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a space at the end":               {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
	"a space at the start":             {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"a line before the request":        {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	"no version":                       {"GET /\r\n\r\n", 400},
	"a version in lower case":          {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
	"a longer version":                 {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 505},
	"HTTP/1.2":                         {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
	"HTTP/0.9":                         {"GET / HTTP/0.9\r\n\r\n", 505},
	"the preface of HTTP/2":            {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	"TLS":                              {"\x16\x03\x01\x00\x05hello\r\n\r\n", 400},
	"an unknown expectation":           {post + "Expect: a-miracle\r\nContent-Length: 5\r\n\r\nhello", 417},
	"two expectations":                 {post + "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", 417},
	"a trailer that frames":            {chunked + "Trailer: Content-Length\r\n\r\n0\r\n\r\n", 400},
	"a long target":                    {"GET /" + strings.Repeat("a", 17<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
	"a long request line":              {strings.Repeat("A", 70<<10) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 414},
	"a long header":                    {post + "X-A: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", 431},
	"many headers":                     {post + strings.Repeat("X-A: b\r\n", 128) + "\r\n", 431},
}

// F109, F110: one refusal, one close, and what follows is nobody's request.
func TestARequestWithoutOneReadingIsRefusedAndNothingAfterItIsRead(t *testing.T) {
	n := &notes{}
	s := wiretest.Start(t, n, nil)
	for name, c := range unreadable {
		t.Run(name, func(t *testing.T) {
			p := dial(t, s.Listener, "")
			p.send(t, c.text+smuggled)
			resp := p.reply(t, "POST")
			if resp.StatusCode != c.status || !resp.Close {
				t.Errorf("got %s (close: %t), want %d and the close announced", resp.Status, resp.Close, c.status)
			}
			if more := p.rest(); more != "" {
				t.Errorf("got %q after the refusal, want the end", more)
			}
			if seen := n.calls(); len(seen) > 0 {
				t.Errorf("got the handler called with %+v, want no call", seen)
			}
		})
	}
}

// brokenChunks: RFC 9112 §7.1, without the extensions that it lets a recipient ignore.
var brokenChunks = map[string]string{
	"a bare LF after the size":   "5\nhello\r\n0\r\n\r\n",
	"a bare LF after the chunk":  "5\r\nhello\n0\r\n\r\n",
	"a bare LF at the end":       "5\r\nhello\r\n0\r\n\n",
	"an extension":               "5;a=b\r\nhello\r\n0\r\n\r\n",
	"an extension with a LF":     "5;\nhello\r\n0\r\n\r\n",
	"a space after the size":     "5 \r\nhello\r\n0\r\n\r\n",
	"a space before the size":    " 5\r\nhello\r\n0\r\n\r\n",
	"a prefix":                   "0x5\r\nhello\r\n0\r\n\r\n",
	"a sign":                     "+5\r\nhello\r\n0\r\n\r\n",
	"a negative size":            "-5\r\nhello\r\n0\r\n\r\n",
	"an underscore":              "1_0\r\nhellohellohello!\r\n0\r\n\r\n",
	"no size":                    "\r\nhello\r\n0\r\n\r\n",
	"a size beyond 64 bits":      "10000000000000005\r\nhello\r\n0\r\n\r\n",
	"many leading zeros":         "0000000000000005\r\nhello\r\n0\r\n\r\n",
	"a chunk that is longer":     "4\r\nhello\r\n0\r\n\r\n",
	"a chunk that is shorter":    "6\r\nhello\r\n0\r\n\r\n",
	"a trailer that frames":      "0\r\nContent-Length: 5\r\n\r\n",
	"a trailer with the coding":  "0\r\nTransfer-Encoding: chunked\r\n\r\n",
	"a trailer that names Host":  "0\r\nHost: b\r\n\r\n",
	"a trailer that is folded":   "0\r\nX-A: b\r\n c\r\n\r\n",
	"a trailer with a space":     "0\r\nX-A : b\r\n\r\n",
	"a trailer without a colon":  "0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
	"a trailer section too long": "0\r\nX-A: " + strings.Repeat("a", 9<<10) + "\r\n\r\n",
	"many trailers":              "0\r\n" + strings.Repeat("A:b\r\n", 3000) + "\r\n",
}

func TestABodyWithoutOneReadingBreaksOffAndNothingAfterItIsRead(t *testing.T) {
	for name, body := range brokenChunks {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			s := wiretest.Start(t, n, nil)
			p := dial(t, s.Listener, "")
			p.send(t, chunked+"\r\n"+body+smuggled)
			if resp := p.reply(t, "POST"); !resp.Close {
				t.Errorf("got %s without a close, want the close announced", resp.Status)
			}
			if more := p.rest(); more != "" {
				t.Errorf("got %q after the answer, want the end", more)
			}
			if seen := n.calls(); len(seen) != 1 || !seen[0].Broken {
				t.Errorf("got %+v in the handler, want one request whose body breaks off", seen)
			}
		})
	}
}

func TestARequestIsWhatTheHandlerSees(t *testing.T) {
	for name, c := range readable {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			s := wiretest.Start(t, n, nil)
			p := dial(t, s.Listener, c.text+"GET /last HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n")
			for range len(c.want) {
				if resp := p.reply(t, "GET"); resp.StatusCode != 200 {
					t.Errorf("got %s, want 200", resp.Status)
				}
			}
			want := c.want
			if !c.last {
				want = append(want[:len(want):len(want)], call{Line: "GET /last", Host: "last", Header: http.Header{"Connection": {"close"}}, Trailer: http.Header{}})
			}
			p.rest()
			if diff := cmp.Diff(want, n.calls()); diff != "" {
				t.Errorf("got other requests (-want +got):\n%s", diff)
			}
		})
	}
}
