package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
)

// quick is an API whose backend has little time; 10 s is nobody's scheduling delay.
var quick = apiText("quick", `  - { id: read, match: "GET /{x}", public: true }
  - { id: write, match: "POST /{x}", public: true }`, "maxBody: 1KiB")

// gone is a backend that tells when its request was cancelled.
func gone(begin func(w http.ResponseWriter)) (http.Handler, <-chan error) {
	cancelled := make(chan error, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		select {
		case <-r.Context().Done():
			cancelled <- nil
		case <-time.After(patience):
			cancelled <- errors.New("the backend's request goes on")
		}
	}), cancelled
}

func start(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: 1\n\n")
	_ = http.NewResponseController(w).Flush()
}

// F119: the backend is let go when the client leaves, and the one event says so.
func TestF119AClientThatLeavesFreesTheBackend(t *testing.T) {
	for name, c := range map[string]struct {
		begin  func(http.ResponseWriter)
		status int // of the event: 0 if nothing was answered
	}{
		"before the answer":      {func(http.ResponseWriter) {}, 0},
		"in the midst of events": {start, 200},
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{})
			handler, cancelled := gone(func(w http.ResponseWriter) { close(arrived); c.begin(w) })
			s := newStand(t, handler)
			conn := dial(t, s.serve(t), "GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n")
			<-arrived
			if c.status != 0 {
				_, _ = bufio.NewReader(conn.response(t, "GET").Body).ReadString('\n')
			}
			left := time.Now()
			_ = conn.Close()
			if err := <-cancelled; err != nil {
				t.Fatal(err)
			}
			if took := time.Since(left); took > time.Second {
				t.Errorf("got the backend freed after %s, want within a second", took)
			}
			event, _ := s.events.next(t)
			if event.Code != "client_gone" || event.Status != c.status || event.Verdict != audit.Granted {
				t.Errorf("got event %+v, want client_gone with status %d", event, c.status)
			}
			s.events.none(t)
		})
	}
}

// A client may close its sending side and go on reading (nc -N does). net/http
// takes that for leaving. Such a client must not be told a success that never was.
func TestAClientThatOnlyStoppedSendingIsNotToldASuccess(t *testing.T) {
	t.Run("before the answer", func(t *testing.T) {
		arrived := make(chan struct{})
		handler, cancelled := gone(func(http.ResponseWriter) { close(arrived) })
		s := newStand(t, handler)
		conn := dial(t, s.serve(t), "GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n")
		<-arrived
		_ = conn.CloseWrite()
		if err := <-cancelled; err != nil {
			t.Fatal(err)
		}
		if resp, err := http.ReadResponse(conn.in, nil); err == nil && resp.StatusCode < 400 {
			t.Errorf("got %s, though no backend answered; want an error or a closed connection", resp.Status)
		}
	})
	t.Run("in the midst of an answer", func(t *testing.T) {
		handler, cancelled := gone(start)
		s := newStand(t, handler)
		conn := dial(t, s.serve(t), "GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n")
		resp := conn.response(t, "GET")
		body := bufio.NewReader(resp.Body)
		_, _ = body.ReadString('\n')
		_ = conn.CloseWrite()
		if err := <-cancelled; err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, body); err == nil {
			t.Error("got a complete answer, though the backend's was cut short; want a broken connection")
		}
	})
}

func TestAnAnswerThatBreaksOffIsBrokenForTheClientToo(t *testing.T) {
	s := newStand(t, echo())
	server := s.serve(t)
	for name, target := range map[string]string{
		"with a length": "/open/x?abort=1",
		"without one":   "/open/x?abort=1&bytes=100000",
		"events":        "/open/x?abort=1&events=4&every=1ms",
		"nothing of it": "/open/x?abort=1&events=1",
	} {
		t.Run(name, func(t *testing.T) {
			resp := dial(t, server, "GET "+target+" HTTP/1.1\r\nHost: a\r\n\r\n").response(t, "GET")
			if _, err := io.Copy(io.Discard, resp.Body); resp.StatusCode != 200 || err == nil {
				t.Errorf("got status %d and a complete body (%v), want 200 and a broken connection", resp.StatusCode, err)
			}
			event, _ := s.events.next(t)
			if event.Code != "backend_broke_off" || event.Verdict != audit.Granted || event.Status != 200 || event.Cause == "" {
				t.Errorf("got event %+v, want backend_broke_off with its cause", event)
			}
			s.events.none(t)
		})
	}
}

// scripted is a backend that sends text whatever it was asked, and hangs up.
func scripted(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(conn, text)
			}
			_ = conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// to is a stand whose backend is at another address.
func to(t *testing.T, address string) *stand {
	s := newStand(t, echo())
	s.address = strings.TrimPrefix(address, "http://")
	s.Gateway = Compile(plan(t, address, "quick.yaml", strings.Replace(quick, "\" }", "\", timeout: 10s }", 1)), s.parts)
	return s
}

func TestABackendThatTalksNonsenseIsABadGateway(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, text := range map[string]string{
		"nothing":                  "",
		"not HTTP":                 "SSH-2.0-OpenSSH_9.6\r\n",
		"a header without a colon": ok + "X-Secret-Line 4711\r\n\r\n",
		"headers of 300 KB":        ok + "X: " + strings.Repeat("x", 300<<10) + "\r\n\r\n",
		"two lengths":              ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"a negative length":        ok + "Content-Length: -1\r\n\r\n",
		"101 unasked":              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"endless 1xx":              strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: "+strings.Repeat("x", 1000)+"\r\n\r\n", 2000),
		"a status under 100":       "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
		"status 000":               "HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n",
		"status +12":               "HTTP/1.1 +12 Odd\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := to(t, scripted(t, text))
			resp := dial(t, s.serve(t), "GET /quick/x HTTP/1.1\r\nHost: a\r\n\r\n")
			answer, err := http.ReadResponse(resp.in, nil)
			if err != nil {
				t.Fatalf("got no answer (%v), want 502", err)
			}
			body, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != 502 || len(body) >= 1<<10 {
				t.Fatalf("got %s and %d bytes, want 502 and less than 1 KiB", answer.Status, len(body))
			}
			if word, found := holds(fmt.Sprint(answer.Header, string(body)), s.address, "127.0.0.1", "4711"); found {
				t.Errorf("got %q in the answer, want nothing of the backend's", word)
			}
			if event, line := s.events.next(t); event.Code != "backend_unreachable" || event.Cause == "" || len(line) > 8<<10 {
				t.Errorf("got event %.300s, want backend_unreachable with a cause, and bounded", line)
			}
			s.events.none(t)
		})
	}
}

func TestABackendThatCantBeReached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	s := to(t, "http://"+address)
	for _, method := range []string{"GET", "POST"} {
		r := request(t, method, "/quick/x")
		if method == "POST" {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hello")), 5
		}
		w, _ := s.answer(r)
		event, line := s.events.next(t)
		if w.Code != 502 || event.Code != "backend_unreachable" || event.Status != 502 || event.Verdict != audit.Refused {
			t.Errorf("%s: got status %d and %s, want 502 and its event", method, w.Code, line)
		}
		if word, found := holds(everything(w), address, "127.0.0.1", "refused"); found {
			t.Errorf("%s: got %q in the answer, want nothing of the backend's", method, word)
		}
	}
}
