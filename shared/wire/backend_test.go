package wire_test

import (
	"errors"
	"io"
	"net"
	"net/http"
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
	return listenOn(t, "http", l, serve)
}

func listenOn(t testing.TB, scheme string, l net.Listener, serve func(p *peer, nth int)) *backend {
	b, busy := &backend{url: scheme + "://" + l.Addr().String() + "/"}, &sync.WaitGroup{}
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
