package adversarial

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// sweep replaces each byte of a valid token by four others and cuts the token
// after each: none may pass, and none may break the gateway.
func sweep(t *testing.T, b *bench) {
	valid := b.user(nil)
	a := b.send(t, read(valid))
	if a.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s for the token itself, want 200", a.StatusCode, a.body)
	}
	b.Event(t, a.Header.Get("X-Correlation-Id")) // so that it isn't counted below
	b.Backend.Reset()
	before := len(b.Events())
	var tokens []string
	for i := range len(valid) {
		tokens = append(tokens, valid[:i])
		for _, c := range others(valid[i]) {
			tokens = append(tokens, valid[:i]+string([]byte{c})+valid[i+1:])
		}
	}
	statuses := b.volley(t, len(tokens), func(i int) string { return standing("Bearer " + tokens[i]) })
	for status, n := range statuses {
		// 400: a byte beyond ASCII by itself isn't UTF-8, so the header isn't read;
		// one for each byte. 403: the altered iss is that of a tenant that isn't allowed.
		if status == http.StatusBadRequest && n == len(valid) {
			continue
		}
		if status != http.StatusUnauthorized && status != http.StatusForbidden {
			t.Errorf("got %d for %d of the altered tokens, want 401 or 403, and 400 for %d", status, n, len(valid))
		}
	}
	if n := b.Backend.Count(); n != 0 {
		t.Errorf("the backend was called %d times, want none", n)
	}
	b.awaitCount(t, before+len(tokens))
	t.Logf("a token of %d bytes: %d variants, answers %v", len(valid), len(tokens), statuses)
}

// others are a neighbour in the alphabet (which changes one bit), a character far
// from it, one that a token can't hold at this place, and a byte beyond ASCII.
func others(c byte) []byte {
	at := strings.IndexByte(alphabet, c)
	if at < 0 { // a dot
		return []byte{'A', '_', ' ', c ^ 0x80}
	}
	return []byte{alphabet[at^1], alphabet[(at+31)%64], '.', c ^ 0x80}
}

// standing is a request on a connection that stays open.
func standing(authorization string) string {
	return "GET /orders/1 HTTP/1.1\r\nHost: api.example\r\nAuthorization: " + authorization + "\r\n\r\n"
}

// volley sends n requests over a few connections and counts the answers.
func (b *bench) volley(t *testing.T, n int, request func(i int) string) map[int]int {
	t.Helper()
	statuses := map[int]int{}
	next := make(chan int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			line := &line{b: b}
			defer line.close()
			for i := range next {
				status, err := line.send(request(i))
				mu.Lock()
				statuses[status]++
				mu.Unlock()
				if err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return statuses
}

// line is one connection, opened again when the other side has closed it.
type line struct {
	b    *bench
	conn net.Conn
	read *bufio.Reader
}

func (l *line) send(request string) (status int, err error) {
	if l.conn == nil {
		if l.conn, err = net.Dial("tcp", strings.TrimPrefix(l.b.URL, "http://")); err != nil {
			return 0, err
		}
		l.read = bufio.NewReader(l.conn)
	}
	if err = l.conn.SetDeadline(time.Now().Add(30 * time.Second)); err == nil {
		_, err = io.WriteString(l.conn, request)
	}
	if err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(l.read, &http.Request{Method: http.MethodGet})
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	if resp.Close {
		l.close()
	}
	return resp.StatusCode, nil
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// awaitCount waits for the last of n events, and wants no more.
func (b *bench) awaitCount(t *testing.T, n int) {
	t.Helper()
	tick, deadline := time.NewTicker(20*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for got := len(b.Events()); got != n; got = len(b.Events()) {
		select {
		case <-deadline:
			t.Errorf("got %d events, want %d", got, n)
			return
		case <-tick.C:
		}
	}
}
