package adversarial

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// overlong: case 116. The cap is 64 KiB.
func overlong() []frame {
	const limit = 64 << 10
	large := strings.Repeat("x", limit+1)
	piece := fmt.Sprintf("%x\r\n%s\r\n", 8<<10, strings.Repeat("x", 8<<10))
	return []frame{
		{id: "F116", name: "a length over the cap", request: post(large, fmt.Sprintf("Content-Length: %d", len(large))), want: "413"},
		{id: "F116", name: "a length over the cap, nothing sent", request: post("", "Content-Length: 65537"), want: "413", alone: true},
		{id: "F116", name: "the largest length that there is", request: post("", "Content-Length: 9223372036854775807"), want: "413"},
		{id: "F116", name: "chunks over the cap", request: post(strings.Repeat(piece, 9)+"0\r\n\r\n", te), want: "413", started: true},
		{id: "F116", name: "chunks over the cap without an end", request: post(strings.Repeat(piece, 9), te), want: "413", started: true},
		{id: "F116", name: "one chunk over the cap", request: post(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(large), large), te), want: "413", started: true},
		{id: "F116", name: "66,000 chunks of one byte", request: post(strings.Repeat("1\r\nx\r\n", 66_000)+"0\r\n\r\n", te), want: "413", started: true},
	}
}

// F116: what comes after the length that was announced is no part of the body,
// and no request either.
func TestF116ALengthThatLiesLowEndsTheBody(t *testing.T) {
	b := direct(t)
	x := b.exchange(t, post("hello, and more\r\n\r\n"+smuggled, "Content-Length: 5"), false)
	if got := x.statuses(); !slices.Equal(got, []int{200, 400}) || !x.closed {
		t.Errorf("got the answers %v (closed: %v), want 200, 400 and the end", got, x.closed)
	}
	if seen := b.Backend.Requests(); len(seen) != 1 || string(seen[0].Body) != "hello" {
		t.Errorf("got %v at the backend, want one call with hello", seen)
	}
}

// F116: a body that ends early is never a whole one to the backend.
func TestF116ABodyThatBreaksOffIsNeverWhole(t *testing.T) {
	b := direct(t)
	for name, request := range map[string]string{
		"a length that lies high":            post("hello", "Content-Length: 50"),
		"a length that lies high, none sent": post("", "Content-Length: 5"),
		"chunks without the last":            post("5\r\nhello\r\n", te),
		"chunks without the last CRLF":       post("5\r\nhello\r\n0\r\n", te),
		"half a chunk":                       post("5\r\nhel", te),
		"half a chunk's size":                post("5", te),
		"a trailer without an end":           post("5\r\nhello\r\n0\r\nX: y\r\n", te),
	} {
		t.Run(name, func(t *testing.T) {
			b.Backend.Reset()
			x := b.exchange(t, request, true)
			if got := x.statuses(); len(got) > 1 || len(got) == 1 && got[0] != 400 || !x.closed {
				t.Errorf("got the answers %v (closed: %v), want 400 or none, and the end", got, x.closed)
			}
			for _, seen := range b.Backend.Requests() {
				if seen.Whole {
					t.Errorf("got the whole body %q at the backend, want it to break off", seen.Body)
				}
			}
		})
	}
}

// F118: clients that go away in the middle of a request leave nothing running.
func TestF118ClientsThatGoAwayLeaveNothingRunning(t *testing.T) {
	b := direct(t)
	b.send(t, ask("GET /public/x"))
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	for range 20 {
		for _, part := range []string{"", "GET", "GET /public/x HTTP/1.1\r\nHost: a\r\nX: ", post("hel", "Content-Length: 50"), post("5\r\nhel", te), "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhel"} {
			conn := b.Dial(t)
			_, _ = io.WriteString(conn, part)
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			_ = conn.Close()
		}
	}
	tick, deadline := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		select {
		case <-deadline:
			t.Fatalf("got %d goroutines, want %d as before", runtime.NumGoroutine(), before)
		case <-tick.C:
			if runtime.NumGoroutine() <= before+20 { // the backend's kept connections
				return
			}
		}
	}
}

// F119: the backend hears within a second that nobody listens any more, and
// the event says so.
func TestF119TheBackendHearsThatTheClientLeft(t *testing.T) {
	left := make(chan struct{})
	stream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}))
	defer stream.Close()
	b := inProcess(t, edit{"${backend.public}", stream.URL})
	conn := b.Dial(t)
	_, _ = io.WriteString(conn, "GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 9)); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	select {
	case <-left:
	case <-time.After(time.Second):
		t.Fatal("got nothing at the backend after 1 s, want the end of its request")
	}
	if e := b.Event(t, resp.Header.Get("X-Correlation-Id")); e.Code != "client_gone" {
		t.Errorf("got the event %s, want client_gone", e.Code)
	}
}
