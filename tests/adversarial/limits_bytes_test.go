package adversarial

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// exhausted waits until the limit is known to be used up: bytes are counted once
// the call has ended, a moment after its answer.
func (b *bench) exhausted(t *testing.T, want string, request func() string) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		got, a := b.status(t, request())
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %s %s after all that, want %s", got, a.body, want)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// breakOff sends part of a request and closes the connection a moment later.
func (b *bench) breakOff(t *testing.T, part string) {
	t.Helper()
	conn := b.Dial(t)
	_, _ = io.WriteString(conn, part)
	time.Sleep(50 * time.Millisecond)
	_ = conn.Close()
}

// F119: whoever breaks off pays for what was carried.
func TestWhoBreaksOffAnUploadPaysForIt(t *testing.T) {
	const head = "POST /metered/bytes/1 HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\nAuthorization: Bearer "
	body := strings.Repeat("x", 40<<10)
	for name, rest := range map[string]string{
		"a length that lies high":    "Content-Length: 60000\r\n\r\n" + body,
		"chunks without an end":      te + "\r\n\r\na000\r\n" + body + "\r\n",
		"half a chunk":               te + "\r\n\r\nf000\r\n" + body,
		"a chunk's end that lies":    te + "\r\n\r\na000\r\n" + body + "xx",
		"chunks over the cap, 413":   te + "\r\n\r\na000\r\n" + body + "\r\na000\r\n" + body + "\r\n0\r\n\r\n",
		"a whole body, nobody reads": "Content-Length: 40960\r\n\r\n" + body,
	} {
		t.Run(name, func(t *testing.T) {
			b := metered(t, nil)
			oid := somebody()
			for range 5 {
				b.breakOff(t, head+b.as(oid, nil)+"\r\n"+rest)
			}
			b.exhausted(t, "429 bandwidth_exceeded", func() string { return bearing("POST /metered/bytes/1", b.as(oid, nil)) })
			if got, _ := b.status(t, bearing("POST /metered/bytes/1", b.as(somebody(), nil))); got != "200" {
				t.Errorf("another user: got %s", got)
			}
		})
	}
}

func TestWhoBreaksOffADownloadPaysForIt(t *testing.T) {
	b := metered(t, nil)
	oid := somebody()
	for range 8 {
		conn := b.Dial(t)
		_, _ = io.WriteString(conn, bearing("GET /metered/load/1?bytes=3000000", b.as(oid, nil)))
		_, _ = io.ReadFull(conn, make([]byte, 20<<10))
		_ = conn.Close()
	}
	b.exhausted(t, "429 rate_exceeded", func() string { return bearing("GET /metered/load/1", b.as(oid, nil)) })
}

// A download that lasts longer than the window is charged to the one it ends in.
func TestADownloadIsNotFreeForBeingSlow(t *testing.T) {
	begun, hold := make(chan struct{}, 1<<12), make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-hold
		_, _ = io.WriteString(w, strings.Repeat("x", 300<<10))
	}))
	t.Cleanup(func() { release(); back.Close() })
	b := metered(t, edit{"${backend.metered}", back.URL})
	token := b.as(somebody(), nil)
	done := make(chan answer, 1)
	go func() { done <- b.send(t, bearing("GET /metered/load/1", token)) }()
	<-begun
	b.Pass(3 * time.Minute)
	release()
	if a := <-done; a.StatusCode != 200 || len(a.body) != 300<<10 {
		t.Fatalf("got %d and %d bytes, want all", a.StatusCode, len(a.body))
	}
	b.exhausted(t, "429 rate_exceeded", func() string { return bearing("GET /metered/load/1", token) })
	b.Pass(time.Minute)
	if got, a := b.status(t, bearing("GET /metered/load/1", token)); got != "200" {
		t.Errorf("got %s %s a window later, want it let through", got, a.body)
	}
}

// What the backend fails to answer is given back where the contract says so;
// what the caller broke is not: else each broken body is a call for nothing.
func TestWhatTheCallerBreaksIsCounted(t *testing.T) {
	const head = "POST /metered/free/1 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer "
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	dead := "http://" + l.Addr().String()
	_ = l.Close()
	down := metered(t, edit{"${backend.metered}", dead})
	token := down.as(somebody(), nil)
	for range 4 { // the breaker opens after some: that is a refusal, too
		if got, a := down.status(t, bearing("POST /metered/free/1", token)); got != "502 backend_unreachable" && got != "503 backend_open" {
			t.Errorf("got %s %s, want the backend's failure each time", got, a.body)
		}
	}
	for name, rest := range map[string]string{
		"a chunk's end that lies": te + "\r\n\r\n5\r\nhelloxx",
		"chunks over the cap":     te + "\r\n\r\n20000\r\n" + strings.Repeat("x", 0x20000) + "\r\n0\r\n\r\n",
		"a length over the cap":   "Content-Length: 1000000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := metered(t, nil)
			token := b.as(somebody(), nil)
			for i := range 3 {
				if got, a := b.status(t, head+token+"\r\n"+rest); !strings.HasPrefix(got, "400 body_broken") && !strings.HasPrefix(got, "413 ") {
					t.Errorf("%d: got %s %s, want it refused for its body", i, got, a.body)
				}
			}
			b.exhausted(t, "429 rate_exceeded", func() string { return bearing("POST /metered/free/1", token) })
		})
	}
}

// A WebSocket is one call, and its bytes are counted both ways, at its end.
func TestAWebSocketIsOneCallAndItsBytesCount(t *testing.T) {
	b := metered(t, nil)
	token := b.as(somebody(), nil)
	handshake := ask("GET /metered/socket/1", "Authorization: Bearer "+token)
	handshake = strings.Replace(handshake, "Connection: close", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 1)
	chat := func(bytes int) (status int, left string) {
		conn := b.Dial(t)
		defer conn.Close()
		_, _ = io.WriteString(conn, handshake)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 101 && bytes > 0 {
			frame := make([]byte, 8+bytes) // binary, masked with zeros
			frame[0], frame[1], frame[2], frame[3] = 0x82, 0x80|126, byte(bytes>>8), byte(bytes)
			_, _ = conn.Write(frame)
			if _, err := io.ReadFull(in, make([]byte, bytes)); err != nil {
				t.Error(err)
			}
		}
		return resp.StatusCode, resp.Header.Get("RateLimit")
	}
	if status, left := chat(2500); status != 101 || !strings.HasPrefix(left, `"sockets";r=2`) {
		t.Fatalf("got %d and %s, want 101 and two more", status, left)
	}
	deadline := time.Now().Add(5 * time.Second)
	for status := 0; status != 429; time.Sleep(20 * time.Millisecond) { // 2,500 bytes one way are not the 4 KiB; both ways are
		var left string
		if status, left = chat(0); status == 101 || time.Now().After(deadline) {
			if strings.HasPrefix(left, `"sockets";r=0`) || time.Now().After(deadline) {
				t.Fatalf("got %d and %s, want it refused for the bytes of both ways", status, left)
			}
		}
	}
}
