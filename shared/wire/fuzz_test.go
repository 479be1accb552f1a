package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// script is a connection whose other side has said all it will say.
type script struct {
	net.Conn
	io.Reader
}

func (s script) Read(p []byte) (int, error) { return s.Reader.Read(p) }

func scripted(text string) *input { return &input{conn: script{Reader: strings.NewReader(text)}} }

// message is what a reader makes of one request or answer.
type message struct {
	First   string // method and target, or status
	Host    string
	Header  http.Header
	Body    string
	Trailer http.Header
	Length  int64
	Close   bool
}

// ours reads requests until one is refused, or nothing is left.
func ours(text string) (all []message) {
	limits := DefaultLimits()
	in := scripted(text)
	for {
		r, f, err := readRequest(context.Background(), in, &limits)
		if err != nil {
			return all
		}
		trailer := http.Header{}
		p := payload{in: in, chunked: f.chunked, left: max(f.length, 0), done: f.length == 0, trailers: limits.Trailers, trailer: func(h http.Header) { trailer = h }}
		body, err := drain(&p)
		if err != nil {
			return all
		}
		all = append(all, message{r.Method + " " + r.RequestURI, r.Host, r.Header, body, trailer, r.ContentLength, f.close})
		if f.close {
			return all
		}
	}
}

func drain(p *payload) (string, error) {
	var out bytes.Buffer
	for buf := make([]byte, 512); ; {
		n, err := p.read(buf)
		out.Write(buf[:n])
		if err == io.EOF {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// theirs is what net/http makes of the same bytes.
func theirs(text string, most int) (all []message, err error) {
	in := bufio.NewReader(strings.NewReader(text))
	for range most {
		r, err := http.ReadRequest(in)
		if err != nil {
			return all, err
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return all, err
		}
		if r.Header.Get("Pragma") == "no-cache" && r.Header["Cache-Control"] != nil {
			r.Header.Del("Cache-Control") // net/http adds one of its own
		}
		all = append(all, message{r.Method + " " + r.RequestURI, r.Host, r.Header, string(body), filled(r.Trailer), r.ContentLength, r.Close || r.ProtoMinor == 0})
	}
	return all, nil
}

// filled leaves out trailer fields that were announced and didn't come.
func filled(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if values != nil {
			out[name] = values
		}
	}
	return out
}

// seeds are well-formed and not, one after another on a connection.
func seeds() []string {
	head := "POST /orders?a=1 HTTP/1.1\r\nHost: a\r\n"
	return []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: b:80\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
		head + "Content-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n",
		head + "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
		head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
		head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", head + "Content-Length: 5, 5\r\n\r\nhello", head + "Content-Length: +5\r\n\r\nhello",
		head + "Content-Length: 0005\r\n\r\nhello", head + "Content-Length: 18446744073709551621\r\n\r\nhello",
		head + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n", head + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello\r\n0\r\n\r\n", head + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
		head + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", head + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
		head + " folded: yes\r\n\r\n", head + "X-A : 1\r\n\r\n", head + "X-A: 1\n\r\n\r\n", head + "X-A: a\rb\r\n\r\n", head + "X-A: \x00\r\n\r\n", head + ": 1\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a:80/x HTTP/1.1\r\nHost: A\r\n\r\n", "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "GET /\r\n", "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX-A: \xc3\xa9\r\nConnection: x, Close\r\nPragma: no-cache\r\n\r\n",
	}
}

// FuzzFraming: whatever we accept on a connection, net/http accepts, at the same
// boundaries and with the same meaning.
func FuzzFraming(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { agree(t, text) })
}

// FuzzHeaderBlock is FuzzFraming for what stands between a request line and a
// body that both could be there and not.
func FuzzHeaderBlock(f *testing.F) {
	for _, s := range []string{"Content-Length: 3", "Transfer-Encoding: chunked", "X-A: b\r\nX_a: c", "A:\t b \t", "Trailer: A, B\r\nTransfer-Encoding: chunked", "Expect: 100-continue", "Connection: close, X", "A:", "A: é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, block string) {
		agree(t, "POST /a HTTP/1.1\r\nHost: a\r\n"+block+"\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n")
	})
}

func agree(t *testing.T, text string) {
	got := ours(text)
	want, err := theirs(text, len(got))
	if err != nil {
		t.Fatalf("net/http refuses what we accept as %+v: %v", got, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("one reading is not the other (-net/http +ours):\n%s", diff)
	}
}

// FuzzAnswer: the same for what a backend answers.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n5\r\nhello\r\n0\r\nA: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 0200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200 \xe9\r\nX: \xe9\r\nContent-Length: 0\r\n\r\n",
	} {
		f.Add(s, false)
	}
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true)
	f.Fuzz(func(t *testing.T, text string, head bool) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		r := (&http.Request{Method: method}).WithContext(t.Context())
		in, client := scripted(text), NewClient(nil)
		resp, fr, err := readResponse(in, r, client)
		if err != nil || resp.StatusCode < 200 {
			return
		}
		trailer := http.Header{}
		p := payload{in: in, chunked: fr.chunked, left: fr.length, trailers: maxTrailers, opaque: true, done: fr.length == 0, trailer: func(h http.Header) { trailer = h }}
		if fr.chunked {
			p.left = 0
		}
		body, err := drain(&p)
		if err != nil {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), r)
		if err != nil {
			t.Fatalf("net/http refuses what we accept: %v", err)
		}
		other, err := io.ReadAll(theirs.Body)
		if err != nil {
			t.Fatalf("net/http refuses the body that we accept as %q: %v", body, err)
		}
		want := message{theirs.Proto + theirs.Status, "", theirs.Header, string(other), filled(theirs.Trailer), theirs.ContentLength, false}
		if theirs.Header.Get("Pragma") == "no-cache" && resp.Header["Cache-Control"] == nil {
			theirs.Header.Del("Cache-Control")
		}
		if diff := cmp.Diff(want, message{resp.Proto + resp.Status, "", resp.Header, body, trailer, resp.ContentLength, false}); diff != "" {
			t.Fatalf("one reading is not the other (-net/http +ours):\n%s", diff)
		}
	})
}
