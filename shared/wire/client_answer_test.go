package wire_test

import (
	"io"
	"strings"
	"testing"

	"tollgate/shared/wire/wiretest"
)

func TestAnAnswerWithoutOneReadingIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"a length and a coding":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a length and a coding, 204":    "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"two lengths":                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello",
		"two equal lengths":             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"a length with a sign":          "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"two codings":                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"a coding with HTTP/1.0":        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a folded line":                 "HTTP/1.1 200 OK\r\nX-A: b\r\n Content-Length: 2\r\n\r\nok",
		"a space before the colon":      "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
		"a bare LF":                     "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok",
		"a bare CR":                     "HTTP/1.1 200 OK\r\nX-A: b\rContent-Length: 2\r\n\r\nok",
		"a NUL":                         "HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 2\r\n\r\nok",
		"a status of two digits":        "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
		"a status of four digits":       "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
		"a status below 100":            "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
		"another version":               "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"no version":                    "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"a line before it":              "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"a huge head":                   "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 300<<10) + "\r\n\r\n",
		"too many headers":              "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: b\r\n", 1100) + "\r\n",
		"hints without an end":          strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20) + ok,
		"a protocol nobody asked for":   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"a trailer that frames":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n",
		"half a head":                   "HTTP/1.1 200 OK\r\nContent-Le",
		"nothing but an interim answer": "HTTP/1.1 100 Continue\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			b, c := listen(t, func(p *peer, _ int) {
				_, _, _ = p.request()
				_, _ = io.WriteString(p, text)
				_ = p.Conn.(interface{ CloseWrite() error }).CloseWrite()
				if r, _, err := p.request(); err == nil {
					t.Errorf("got %s on a connection that is out of step", r.URL)
				}
			}), newClient(t)
			for range 2 {
				if got, err := ask(c, outgoing(t, "POST", b.url, nil)); err == nil {
					t.Errorf("got %s and %q, want an error", got.Status, got.Body)
				}
			}
		})
	}
}

func TestAnAnswerIsWhatTheBackendSaid(t *testing.T) {
	for name, c := range map[string]struct {
		method, text, body string
		length             int64
	}{
		"a length":               {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 5},
		"chunks":                 {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", -1},
		"until the end":          {"GET", "HTTP/1.1 200 OK\r\n\r\nhello", "hello", -1},
		"until the end, 1.0":     {"GET", "HTTP/1.0 200 OK\r\n\r\nhello", "hello", -1},
		"no text after a status": {"GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 0},
		"bytes of any set":       {"GET", "HTTP/1.1 200 \xe9\r\nX-A: \xe9\r\nContent-Length: 0\r\n\r\n", "", 0},
		"HEAD":                   {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", 5},
		"HEAD, chunked":          {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", -1},
		"204":                    {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 0},
		"304 with a length":      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", 0},
		"after two hints":        {"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok, "ok", 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := listen(t, func(p *peer, _ int) {
				_, _, _ = p.request()
				_, _ = io.WriteString(p, c.text)
			})
			got := mustAsk(t, newClient(t), outgoing(t, c.method, b.url, nil))
			if got.Body != c.body || got.ContentLength != c.length || got.Header.Get("Link") != "" {
				t.Errorf("got %q with the length %d and %v, want %q with %d", got.Body, got.ContentLength, got.Header, c.body, c.length)
			}
		})
	}
}

func TestAnAnswerThatBreaksOffIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"short of its length": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
		"inside a chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
		"after a chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"before the trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
		"a broken chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
		"a broken trailer":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
	} {
		b := listen(t, func(p *peer, _ int) {
			_, _, _ = p.request()
			_, _ = io.WriteString(p, text)
		})
		got, err := ask(newClient(t), outgoing(t, "GET", b.url, nil))
		if err != nil || got.Err == nil {
			t.Errorf("%s: got %q (%v, %v), want a body that breaks off", name, got.Body, err, got.Err)
		}
	}
}

func TestTrailersOfAnAnswerAreThereAtItsEnd(t *testing.T) {
	b := listen(t, answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"))
	resp, err := newClient(t).RoundTrip(outgoing(t, "GET", b.url, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, announced := resp.Trailer["X-Sum"]; !announced || resp.Trailer.Get("X-Sum") != "" {
		t.Errorf("got the trailers %v before the end, want their names", resp.Trailer)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.Trailer.Get("X-Sum") != "1" || resp.Trailer.Get("X-More") != "2" {
		t.Errorf("got the trailers %v, want both", resp.Trailer)
	}
}

// Both of our own sides, and a protocol that isn't HTTP between them.
func TestAnUpgradedConnectionSpeaksBothWays(t *testing.T) {
	s := wiretest.Start(t, handler(upgrading(t)), nil)
	r := outgoing(t, "GET", s.URL, nil)
	r.Header.Set("Upgrade", "echo")
	resp, err := newClient(t).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stream, isStream := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != 101 || !isStream {
		t.Fatalf("got %s, want a connection that can be written to", resp.Status)
	}
	for _, want := range []string{"first", "one", "two"} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(stream, got); err != nil || string(got) != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
		next := map[string]string{"first": "one", "one": "two"}[want]
		if _, err := io.WriteString(stream, next); err != nil {
			t.Errorf("got %v while writing", err)
		}
	}
}
