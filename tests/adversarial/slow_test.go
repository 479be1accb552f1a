package adversarial

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/shared/adapter/azure"
	"tollgate/shared/boot"
	"tollgate/shared/gateway"
	"tollgate/shared/wire"
)

// hasty is direct with less patience: the server's own limits, made short.
func hasty(t *testing.T, e edit, shorten func(*wire.Limits)) *bench {
	t.Helper()
	b := inProcess(t, e)
	l, err := azure.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	gw := gateway.Compile(b.Local.Plan, boot.Parts(io.Discard, io.Discard))
	server := wire.NewServer(azure.Handler(gw, nil), gw.Unreadable, time.Now)
	shorten(&server.Limits)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(t.Context(), l) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	b.URL = "http://" + l.Addr().String()
	return b
}

// drip sends part, and then one more byte at a time for as long as it is let.
func drip(conn net.Conn, part, more string) {
	_, _ = io.WriteString(conn, part)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(conn, more); err != nil {
			return
		}
	}
}

// F118: whoever sends slowly is cut off, however steadily.
func TestF118ASlowRequestIsCutOff(t *testing.T) {
	b := hasty(t, nil, func(l *wire.Limits) {
		l.Header, l.Body, l.BodyRate, l.Idle = 300*time.Millisecond, 300*time.Millisecond, 1<<20, 300*time.Millisecond
	})
	for name, c := range map[string]struct {
		part, more string
		want       []int // one of them; 0: no answer
	}{
		"a request line without an end": {"GET /public/", "x", []int{408}},
		"headers without an end":        {"GET /public/x HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", []int{408}},
		"one header without an end":     {"GET /public/x HTTP/1.1\r\nHost: a\r\nX: ", "y", []int{408}},
		"nothing after the connection":  {"", "", []int{0}},
		"a body without an end":         {"POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n", "x", []int{400, 408}},
		"chunks without an end":         {"POST /public/x HTTP/1.1\r\nHost: a\r\n" + te + "\r\n\r\n", "1\r\nx\r\n", []int{400, 408}},
		"a trailer without an end":      {"POST /public/x HTTP/1.1\r\nHost: a\r\n" + te + "\r\n\r\n0\r\n", "X: y\r\n", []int{400, 408}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := b.Dial(t)
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			dripped := make(chan struct{})
			go func() { defer close(dripped); drip(conn, c.part, c.more) }()
			x := receive(bufio.NewReader(conn), "GET")
			_ = conn.Close()
			<-dripped
			got := append(x.statuses(), 0)
			if len(got) > 2 || !slices.Contains(c.want, got[0]) || !x.closed {
				t.Errorf("got the answers %v (closed: %v), want one of %v and the end", x.statuses(), x.closed, c.want)
			}
		})
	}
}

// F118: a client that never reads its answer doesn't hold it for ever, nor the backend.
func TestF118AnAnswerThatNobodyReadsIsGivenUp(t *testing.T) {
	left := make(chan struct{})
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		for piece := make([]byte, 32<<10); r.Context().Err() == nil; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	b := hasty(t, edit{"${backend.public}", endless.URL}, func(l *wire.Limits) { l.Write = 300 * time.Millisecond })
	conn := b.Dial(t)
	_, _ = io.WriteString(conn, "GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n")
	select {
	case <-left:
	case <-time.After(4 * patience):
		t.Error("got the backend still asked, want the answer given up")
	}
}

// F118: a connection that waits costs no request its own time.
func TestF118SlowConnectionsKeepNobodyOut(t *testing.T) {
	b := direct(t)
	for range 200 {
		_, _ = io.WriteString(b.Dial(t), "GET /public/x HTTP/1.1\r\nHost: a\r\nX: ")
	}
	if a := b.send(t, ask("GET /public/x")); a.StatusCode != http.StatusOK || !strings.Contains(string(a.body), "/public/x") {
		t.Errorf("got %d, want 200 beside 200 connections that never finish", a.StatusCode)
	}
}
