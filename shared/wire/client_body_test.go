package wire_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// upgrading echoes on the connection, after a first word in the same piece as the answer.
func upgrading(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Connection") != "Upgrade" {
			t.Errorf("got Connection %q, want Upgrade (RFC 9110 §7.8)", r.Header.Get("Connection"))
		}
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst")
		_ = rw.Flush()
		_, _ = io.Copy(nc, rw)
	}
}

// odd hides what a body is, so that nobody knows its length.
type odd struct{ io.Reader }

func TestABodyArrivesAsItWasSent(t *testing.T) {
	big := strings.Repeat("tollgate", 40_000)
	for name, body := range map[string]io.Reader{
		"a length": strings.NewReader(big), "no length": odd{strings.NewReader(big)}, "no length, and empty": odd{strings.NewReader("")},
		"no length, and like a request": odd{strings.NewReader("0\r\n\r\n" + smuggled)},
	} {
		var want string
		switch name {
		case "a length", "no length":
			want = big
		case "no length, and like a request":
			want = "0\r\n\r\n" + smuggled
		}
		b := listen(t, func(p *peer, _ int) {
			_, got, err := p.request()
			if got != want || err != nil {
				t.Errorf("%s: got %d bytes (%v), want the %d sent", name, len(got), err, len(want))
			}
			_, _ = io.WriteString(p, ok)
			if r, _, err := p.request(); err == nil {
				t.Errorf("%s: got %s, want no other request", name, r.URL)
			}
		})
		c := newClient(t)
		mustAsk(t, c, outgoing(t, "POST", b.url, body))
		c.CloseIdleConnections()
	}
}

// broken is a body that ends in an error of its own.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.err
	}
	return n, err
}

func TestABodyThatBreaksOffNeverLooksWholeAtTheBackend(t *testing.T) {
	own := errors.New("the body's own error")
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		want   error
	}{
		"a length":            {broken{strings.NewReader("hello"), own}, 9, own},
		"chunked":             {broken{strings.NewReader("hello"), own}, -1, own},
		"unknown":             {broken{strings.NewReader("hello"), own}, 0, own},
		"short":               {strings.NewReader("hello"), 9, io.ErrUnexpectedEOF},
		"longer than it said": {strings.NewReader("hello"), 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			b := listen(t, func(p *peer, _ int) {
				_, _, err := p.request()
				ended <- err
				_, _ = io.WriteString(p, ok)
			})
			r := outgoing(t, "POST", b.url, odd{c.body})
			r.ContentLength = c.length
			if _, err := ask(newClient(t), r); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err := <-ended; err == nil {
				t.Error("got a whole body at the backend, want one that breaks off")
			}
		})
	}
}

func TestAnAnswerMayComeBeforeTheBodyIsSent(t *testing.T) {
	b := listen(t, func(p *peer, nth int) {
		if nth == 2 {
			answering(ok)(p, nth)
			return
		}
		_, _ = http.ReadRequest(p.in)
		_, _ = io.WriteString(p, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		_, _ = io.Copy(io.Discard, p.in)
	})
	c := newClient(t)
	body, more := io.Pipe()
	defer more.Close()
	got := mustAsk(t, c, outgoing(t, "POST", b.url, body))
	if got.StatusCode != 413 || got.Body != "no" {
		t.Errorf("got %s and %q, want what the backend said early", got.Status, got.Body)
	}
	if got := mustAsk(t, c, outgoing(t, "GET", b.url, nil)); got.Body != "ok" || b.conns.Load() != 2 {
		t.Errorf("got %q over %d connections, want a new one while a body is on its way", got.Body, b.conns.Load())
	}
}

func TestABodyAndItsAnswerTakeTurns(t *testing.T) {
	b := listen(t, func(p *peer, _ int) {
		r, err := http.ReadRequest(p.in)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for buf := make([]byte, 64); ; {
			n, err := r.Body.Read(buf)
			fmt.Fprintf(p, "%x\r\n%s\r\n", n, buf[:n]) // an empty one is the end
			if err != nil {
				_, _ = io.WriteString(p, "\r\n")
				return
			}
		}
	})
	body, more := io.Pipe()
	resp, err := newClient(t).RoundTrip(outgoing(t, "POST", b.url, body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, want := range []string{"one", "two"} {
		_, _ = io.WriteString(more, want)
		got := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
	}
	_ = more.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("got %v, want a proper end", err)
	}
}

// Without a body whose owner closes it, nobody would end what reads it.
type closing struct {
	io.Reader
	closed chan bool
}

func (c closing) Close() error {
	select {
	case c.closed <- true:
	default:
	}
	return nil
}

func TestABodyIsClosedWhateverHappens(t *testing.T) {
	refusing := listen(t, func(*peer, int) {})
	good := listen(t, answering(ok))
	for _, url := range []string{refusing.url, good.url, "http://127.0.0.1:1/", "ftp://127.0.0.1/", "http://127.0.0.1:1/a b"} {
		body := closing{strings.NewReader("hello"), make(chan bool, 1)}
		r := outgoing(t, "POST", "http://a/", nil)
		r.URL.Host = strings.TrimSuffix(url[strings.Index(url, "//")+2:], "/")
		r.URL.Scheme, r.Body, r.ContentLength = url[:strings.Index(url, ":")], body, 5
		_, _ = ask(newClient(t), r)
		select {
		case <-body.closed:
		case <-time.After(patience):
			t.Errorf("%s: got a body that nobody closed", url)
		}
	}
}

func TestWhatCouldBeReadAnotherWayIsNotSent(t *testing.T) {
	b, c := listen(t, answering(ok)), newClient(t)
	for name, change := range map[string]func(*http.Request){
		"a method of two words":    func(r *http.Request) { r.Method = "GET /smuggled" },
		"a space in the query":     func(r *http.Request) { r.URL.RawQuery = "a b" },
		"a line end in the query":  func(r *http.Request) { r.URL.RawQuery = "a\r\nX: y" },
		"a line end in the Host":   func(r *http.Request) { r.Host = "a\r\nX: y" },
		"a line end in a value":    func(r *http.Request) { r.Header["X-A"] = []string{"b\r\nX: y"} },
		"a line end in a name":     func(r *http.Request) { r.Header["X-A: b\r\nX"] = []string{"y"} },
		"a name with a space":      func(r *http.Request) { r.Header["Content-Length "] = []string{"5"} },
		"a value that isn't UTF-8": func(r *http.Request) { r.Header["X-A"] = []string{"\xff"} },
	} {
		r := outgoing(t, "GET", b.url, nil)
		change(r)
		if _, err := ask(c, r); err == nil {
			t.Errorf("%s: got it sent, want an error", name)
		}
	}
}

func TestNoHeaderOfTheCallerFramesItsRequest(t *testing.T) {
	b := listen(t, func(p *peer, _ int) {
		r, body, err := p.request()
		if err != nil || body != "hello" || r.ContentLength != 5 || len(r.TransferEncoding) > 0 || r.Close {
			t.Errorf("got %+v with %q (%v), want the body's own framing", r, body, err)
		}
		_, _ = io.WriteString(p, ok)
	})
	for _, name := range []string{"Content-Length", "content-length", "CONTENT-LENGTH", "Transfer-Encoding", "transfer-encoding", "connection", "host", "trailer"} {
		r := outgoing(t, "POST", b.url, strings.NewReader("hello"))
		r.Header[name] = []string{map[bool]string{true: "close", false: "chunked"}[name == "connection"]}
		mustAsk(t, newClient(t), r)
	}
}
