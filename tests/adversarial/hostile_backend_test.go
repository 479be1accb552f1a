package adversarial

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// speaking is the address of a backend that answers every request with text as it stands.
func speaking(t *testing.T, text string) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, text)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// E100: an answer that isn't one to what was asked is the backend's fault, and
// nothing of it reaches the caller.
func TestE100AnAnswerThatIsNoneIsABadGateway(t *testing.T) {
	for name, text := range map[string]string{
		"101 that nobody asked for":       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nevil",
		"101 to h2c":                      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nevil",
		"two lengths":                     "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nevil!",
		"a length that is none":           "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nevil",
		"a negative length":               "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nevil",
		"an unknown coding":               "HTTP/1.1 200 OK\r\nTransfer-Encoding: evil\r\n\r\nevil",
		"no HTTP":                         "evil\r\n\r\n",
		"nothing":                         "",
		"a status of two digits":          "HTTP/1.1 20 evil\r\n\r\n",
		"a status of four":                "HTTP/1.1 2000 evil\r\n\r\n",
		"a value with a NUL":              "HTTP/1.1 200 OK\r\nX: evil\x00\r\nContent-Length: 0\r\n\r\n",
		"headers without an end of 1 MB":  "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: evil\r\n", 100_000),
		"interim answers without an end":  strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: evil\r\n\r\n", 2000),
		"a header that breaks off":        "HTTP/1.1 200 OK\r\nX: evil",
		"a status line that is a request": "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := inProcess(t, edit{"${backend.public}", speaking(t, text)})
			a := b.send(t, ask("GET /public/x"))
			if a.StatusCode != http.StatusBadGateway || strings.Contains(string(a.body), "evil") {
				t.Fatalf("got %d %s, want 502 without the backend's text", a.StatusCode, a.body)
			}
			assertProblem(t, a, "backend_unreachable")
			for n, values := range a.Header {
				if strings.Contains(strings.Join(values, " "), "evil") {
					t.Errorf("got %s %q in the answer, want none of the backend's headers", n, values)
				}
			}
		})
	}
}

// E100: what a backend's answer ends with isn't the caller's next answer.
func TestE100ABackendAnswersNoOtherRequest(t *testing.T) {
	const second = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	for name, text := range map[string]string{
		"a second answer":                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" + second,
		"a second answer behind chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n" + second,
		"a length beside chunks":         "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n" + second,
		"a body of 304":                  "HTTP/1.1 304 Not Modified\r\n\r\n" + second,
		"a body of 204":                  "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\ngood" + second,
		"an answer of 2xx with trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Sub\r\n\r\n4\r\ngood\r\n0\r\nX-Auth-Sub: evil\r\n\r\n",
		"a name with a space":            "HTTP/1.1 200 OK\r\nX Y: evil\r\nContent-Length: 4\r\n\r\ngood",
		"a forged line in a value":       "HTTP/1.1 200 OK\r\nX: a\x0bX-Auth-Sub: evil\r\nContent-Length: 4\r\n\r\ngood",
	} {
		t.Run(name, func(t *testing.T) {
			b := inProcess(t, edit{"${backend.public}", speaking(t, text)})
			x := b.exchange(t, "GET /public/x HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false)
			if got := x.statuses(); len(got) != 2 || got[1] != 404 {
				t.Fatalf("got the answers %v, want the backend's and 404", got)
			}
			if body := string(x.answers[0].body); strings.Contains(body, "evil") || len(x.answers[0].Header.Values("X-Auth-Sub"))+len(x.answers[0].Header["X Y"]) > 0 || len(x.answers[0].Trailer) > 0 {
				t.Errorf("got %q with %v and %v, want nothing of what isn't the answer", body, x.answers[0].Header, x.answers[0].Trailer)
			}
		})
	}
}

// E94: trailers that would change how a request was framed or routed are refused
// or dropped; never heard.
func TestE94ATrailerChangesNothing(t *testing.T) {
	b := direct(t)
	for _, line := range []string{"Content-Length: 50", "Transfer-Encoding: chunked", "Host: evil.example", "Content-Type: text/evil", "Content-Encoding: gzip", "Authorization: Bearer x", "Connection: X-Auth-Sub", "Expect: 100-continue", "Trailer: X", "X-HTTP-Method-Override: DELETE", "X-Auth-Sub: admin", "Cookie: a=evil", "Max-Forwards: 0", "Range: bytes=0-0"} {
		for _, announced := range []string{"", "Trailer: " + line[:strings.IndexByte(line, ':')] + "\r\n"} {
			t.Run(announced+line, func(t *testing.T) {
				b.Backend.Reset()
				x := b.exchange(t, "POST /public/x HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n"+te+"\r\n"+announced+"\r\n5\r\nhello\r\n0\r\n"+line+"\r\n\r\n", false)
				if got := x.statuses(); len(got) != 1 || got[0] != 200 && got[0] != 400 {
					t.Fatalf("got the answers %v, want one of 200 or 400", got)
				}
				for _, seen := range b.Backend.Requests() {
					if len(seen.Trailer) > 0 || seen.Header.Get("Trailer") != "" || seen.Method != "POST" || seen.Host == "evil.example" || seen.Header.Get(line[:strings.IndexByte(line, ':')]) != "" && !strings.HasPrefix(line, "Transfer-Encoding") {
						t.Errorf("got %+v at the backend, want the trailer unheard", seen)
					}
				}
			})
		}
	}
}

// F121: a condition on what the gateway says itself.
func TestF121TheMetadataIsToldWhole(t *testing.T) {
	b := direct(t)
	for _, line := range []string{"Range: bytes=0-0", "If-None-Match: *", "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT"} {
		a := b.send(t, ask("GET /.well-known/oauth-protected-resource/orders", line))
		if a.StatusCode != http.StatusOK || !strings.Contains(string(a.body), `"resource"`) {
			t.Errorf("%s: got %d %s, want the whole document", line, a.StatusCode, a.body)
		}
	}
}
