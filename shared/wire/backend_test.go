package wire_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/wire"
)

// backend is the other side of a Client, connection by connection.
type backend struct {
	url   string
	conns atomic.Int32 // taken so far
}

// listen has serve speak on each connection, which ends with it; nth counts from 1.
func listen(t testing.TB, serve func(p *peer, nth int)) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, busy := &backend{url: "http://" + l.Addr().String() + "/"}, &sync.WaitGroup{}
	busy.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_ = nc.SetDeadline(time.Now().Add(patience))
			nth := int(b.conns.Add(1))
			busy.Go(func() {
				defer nc.Close()
				serve(newPeer(t, nc, nil), nth)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		busy.Wait()
	})
	return b
}

// request reads one request to its end, as net/http reads it.
func (p *peer) request() (*http.Request, string, error) {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(r.Body)
	return r, string(body), err
}

// answering takes requests, and answers the nth of each connection with the nth
// text, the last one again and again; an empty one hangs up.
func answering(texts ...string) func(*peer, int) {
	return func(p *peer, _ int) {
		for i := 0; ; i++ {
			text := texts[min(i, len(texts)-1)]
			if _, _, err := p.request(); err != nil || text == "" {
				return
			}
			if _, err := io.WriteString(p, text); err != nil {
				return
			}
		}
	}
}

func newClient(t testing.TB) *wire.Client {
	c := wire.NewClient(time.Now)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func outgoing(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ask sends a request and reads its answer to the end.
func ask(c *wire.Client, r *http.Request) (reply, error) {
	resp, err := c.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp, string(body), err}, nil
}

// mustAsk fails the test unless a whole answer came.
func mustAsk(t testing.TB, c *wire.Client, r *http.Request) reply {
	t.Helper()
	got, err := ask(c, r)
	if err = errors.Join(err, got.Err); err != nil {
		t.Fatalf("got %v, want an answer", err)
	}
	return got
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestAConnectionIsUsedAgain(t *testing.T) {
	answers := []string{
		ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok,
	}
	b, c := listen(t, answering(answers...)), newClient(t)
	for range answers {
		mustAsk(t, c, outgoing(t, "POST", b.url, strings.NewReader("hello")))
	}
	if got := b.conns.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestAConnectionIsNotUsedAgain(t *testing.T) {
	for name, text := range map[string]string{
		"that the backend ends":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"of HTTP/1.0":              "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
		"with more than an answer": ok + "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
		"with a body after a 204":  "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nbad",
		"with a broken trailer":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A : b\r\n\r\n",
	} {
		b, c := listen(t, answering(text)), newClient(t)
		for range 3 {
			if got, err := ask(c, outgoing(t, "GET", b.url, nil)); err != nil || got.Body == "bad" {
				t.Errorf("%s: got %q (%v), want the first answer", name, got.Body, err)
			}
		}
		if got := b.conns.Load(); got != 3 {
			t.Errorf("%s: got %d connections for 3 requests, want 3", name, got)
		}
	}
}

func TestAnUnreadAnswerEndsItsConnection(t *testing.T) {
	ended := make(chan error, 1)
	b := listen(t, func(p *peer, _ int) {
		_, _, _ = p.request()
		_, _ = io.WriteString(p, ok)
		_, err := p.in.ReadByte()
		ended <- err
	})
	resp, err := newClient(t).RoundTrip(outgoing(t, "GET", b.url, nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if _, err := resp.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v from a closed body, want an error", err)
	}
	if err := <-ended; err == nil {
		t.Error("got the connection used again")
	}
}

func TestWhatABackendSaysUnaskedIsNobodysAnswer(t *testing.T) {
	said := make(chan bool)
	b := listen(t, func(p *peer, nth int) {
		_, _, _ = p.request()
		_, _ = io.WriteString(p, ok)
		if nth == 1 {
			said <- true
			_, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
			said <- true
		}
		_, _, _ = p.request()
	})
	c := newClient(t)
	mustAsk(t, c, outgoing(t, "GET", b.url, nil))
	<-said
	<-said
	if got := mustAsk(t, c, outgoing(t, "POST", b.url, nil)); got.Body != "ok" {
		t.Errorf("got %q, want the answer to what was asked", got.Body)
	}
}

func TestABackendThatHungUpIsNotAskedOverTheSameConnection(t *testing.T) {
	closed := make(chan bool, 9)
	b := listen(t, func(p *peer, _ int) {
		_, _, _ = p.request()
		_, _ = io.WriteString(p, ok)
		_ = p.Close()
		closed <- true
	})
	c := newClient(t)
	for range 5 {
		mustAsk(t, c, outgoing(t, "POST", b.url, strings.NewReader("hello"))) // could not be repeated
		<-closed
	}
}

// RFC 9110 §9.2.2: only what is safe to repeat, and only where nothing of an answer came.
func TestOnlyASafeRequestIsRepeatedAndOnlyOnce(t *testing.T) {
	for name, c := range map[string]struct {
		method, body, second string
		want                 int32 // requests that came on a connection already used, or new for a repetition
	}{
		"GET":               {"GET", "", "", 2},
		"HEAD":              {"HEAD", "", "", 2},
		"POST":              {"POST", "", "", 1},
		"DELETE":            {"DELETE", "", "", 1},
		"GET with a body":   {"GET", "x", "", 1},
		"half an answer":    {"GET", "", "HTTP/1.1 200", 1},
		"hints and no more": {"GET", "", "HTTP/1.1 103 Early Hints\r\n\r\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			arrived, warm := make(chan bool), make(chan bool)
			b := listen(t, func(p *peer, nth int) {
				if nth <= 3 { // the first three are to be kept
					_, _, _ = p.request()
					arrived <- true
					<-warm
					_, _ = io.WriteString(p, ok)
				}
				if _, err := http.ReadRequest(p.in); err == nil {
					asked.Add(1)
					_, _ = io.WriteString(p, c.second)
				}
			})
			client := newClient(t)
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { _, _ = ask(client, outgoing(t, "GET", b.url, nil)) })
			}
			for range 3 { // none may find another's connection kept yet
				<-arrived
			}
			for range 3 {
				warm <- true
			}
			all.Wait()
			var body io.Reader
			if c.body != "" {
				body = strings.NewReader(c.body)
			}
			if _, err := ask(client, outgoing(t, c.method, b.url, body)); err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want that no answer came", err)
			}
			if got := asked.Load(); got != c.want {
				t.Errorf("got it sent %d times, want %d", got, c.want)
			}
		})
	}
}
