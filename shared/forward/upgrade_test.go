package forward_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

// handshake is that of RFC 6455 §1.3, with lines added or replaced.
func handshake(more ...string) string {
	return "GET /orders HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n" + strings.Join(append(more, ""), "\r\n") + "\r\n"
}

const asks = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket"

func withUpgrade(a *contract.PlannedAPI) {
	a.Operations = []contract.PlannedOperation{{WebSocket: true}}
}

// switching answers 101 and repeats each byte until the other side ends; ended hears of the end.
func switching(t testing.TB, ended chan<- error, answer ...string) http.Handler {
	if len(answer) == 0 {
		answer = []string{"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nServer: secret\r\nX-User-Id: forged\r\nContent-Length: 3\r\n\r\n"}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, strings.ReplaceAll(answer[0], "{heard}", r.Header.Get("Connection")+"|"+r.Header.Get("Upgrade")+"|"+r.Header.Get("Sec-Websocket-Key")+"|"+r.Header.Get("Sec-Websocket-Protocol")))
		_, err = io.Copy(conn, rw)
		ended <- err
	})
}

func TestAWebSocketIsJoinedAndItsHeadersAreFiltered(t *testing.T) {
	ended := make(chan error, 1)
	s := newStand(t, switching(t, ended, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: x\r\nX-Heard: {heard}\r\nServer: secret\r\nX-User-Id: forged\r\n\r\nearly"), withUpgrade)
	c := s.dial(t, handshake(asks)+"at once")
	resp := c.response(t, "GET")
	if resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Connection") != "Upgrade" || resp.Header.Get("Sec-Websocket-Accept") != "x" || resp.Header.Get("X-Correlation-Id") != correlation {
		t.Errorf("got %s with %v, want 101 and the handshake's headers", resp.Status, resp.Header)
	}
	if got, want := resp.Header.Get("X-Heard"), "Upgrade|websocket|dGhlIHNhbXBsZSBub25jZQ==|chat"; got != want {
		t.Errorf("got %q at the backend, want %q", got, want)
	}
	if resp.Header.Get("Server") != "" || resp.Header.Get("X-User-Id") != "" || resp.Header.Get("Content-Length") != "" {
		t.Errorf("got %v, want nothing that only the gateway says", resp.Header)
	}
	exchange(t, c.in, "early"+"at once")
	c.send(t, "later")
	exchange(t, c.in, "later")
	began := time.Now()
	_ = c.Close()
	<-ended
	if took := time.Since(began); took > time.Second {
		t.Errorf("got the backend's end after %s, want it within a second of the caller's", took)
	}
	got := s.result(t)
	if n := s.passed.Load(); n < 4 {
		t.Errorf("got told %d times that bytes passed, want it for each piece both ways", n)
	}
	if o := got.outcome; o.Backend == "" || o.BackendStatus != 101 || o.Waited <= 0 || o.Delivering < o.Waited {
		t.Errorf("got %+v, want the backend, what it answered, and how long it took", o)
	}
	if got.outcome.Status != 101 || got.outcome.Bytes != int64(len("earlyat oncelater")) || got.outcome.Received != int64(len("at oncelater")) || got.outcome.Broken != "" {
		t.Errorf("got %+v, want 101 and each byte counted", got.outcome)
	}
}

func exchange(t *testing.T, in *bufio.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(in, got); err != nil || string(got) != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestTheBackendsEndEndsTheCaller(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbye")
		_ = conn.Close()
	}), withUpgrade)
	c := s.dial(t, handshake(asks))
	c.response(t, "GET")
	if rest, err := io.ReadAll(c.in); string(rest) != "bye" || err != nil {
		t.Errorf("got %q (%v), want bye and the end", rest, err)
	}
	s.result(t)
}

// What isn't just the handshake of RFC 6455 §4.1 goes on without Upgrade, as everywhere else.
func TestUpgradeIsRemovedUnlessItIsAWebSockets(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		allowed bool
	}{
		"an operation without the word": {handshake(asks), false},
		"another protocol":              {handshake("Connection: Upgrade", "Upgrade: h2c"), true},
		"a list":                        {handshake("Connection: Upgrade", "Upgrade: websocket, h2c"), true},
		"a second line":                 {handshake(asks, "Upgrade: h2c"), true},
		"a version":                     {handshake("Connection: Upgrade", "Upgrade: websocket/13"), true},
		"without Connection":            {handshake("Upgrade: websocket"), true},
		"Connection names another":      {handshake("Connection: keep-alive", "Upgrade: websocket"), true},
		"POST":                          {strings.Replace(handshake(asks), "GET", "POST", 1), true},
		"a body":                        {handshake(asks, "Content-Length: 1") + "x", true},
		"HTTP/1.0":                      {strings.Replace(handshake(asks), "HTTP/1.1", "HTTP/1.0", 1), true},
		"HEAD":                          {strings.Replace(handshake(asks), "GET", "HEAD", 1), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Heard", r.Header.Get("Connection")+"|"+r.Header.Get("Upgrade"))
			}), func(a *contract.PlannedAPI) {
				if c.allowed {
					withUpgrade(a)
				}
			})
			resp := s.dial(t, c.text).response(t, strings.Fields(c.text)[0])
			if got := resp.Header.Get("X-Heard"); resp.StatusCode != 200 || got != "|" {
				t.Errorf("got %s and %q at the backend, want 200 and neither header", resp.Status, got)
			}
		})
	}
}

func TestA101ThatDoesntFitIsABadGateway(t *testing.T) {
	for name, c := range map[string]struct{ request, answer string }{
		"nobody asked":          {handshake(), "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		"another protocol":      {handshake(asks), "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
		"two protocols":         {handshake(asks), "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n"},
		"no protocol":           {handshake(asks), "HTTP/1.1 101 x\r\n\r\n"},
		"a list that begins so": {handshake(asks), "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			s := newStand(t, switching(t, ended, c.answer), withUpgrade)
			resp := s.dial(t, c.request).response(t, "GET")
			if resp.StatusCode != 502 || s.result(t).code() != "backend_unreachable" {
				t.Errorf("got %s, want 502 backend_unreachable", resp.Status)
			}
			<-ended // the connection to the backend is closed
		})
	}
}

func TestABackendMayDecline(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUpgradeRequired) }), withUpgrade)
	if resp := s.dial(t, handshake(asks)).response(t, "GET"); resp.StatusCode != 426 {
		t.Errorf("got %s, want the backend's 426", resp.Status)
	}
}

// functions-host.md §2c: the host ends what is quiet for 240 s.
func TestASilentWebSocketEndsAndABusyOneDoesnt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		f := bubble(t, switching(t, ended), withUpgrade)
		network := wiretest.NewMemory()
		server := wire.NewServer(f, nil, time.Now)
		go func() { _ = server.Serve(t.Context(), network) }()
		nc, err := network.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(nc, handshake(asks)) }()
		in := bufio.NewReader(nc)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != 101 {
			t.Fatalf("got %v (%v), want 101", resp, err)
		}
		for range 5 {
			<-time.After(200 * time.Second)
			if _, err := io.WriteString(nc, "x"); err != nil {
				t.Fatal(err)
			}
			exchange(t, in, "x")
		}
		began := time.Now()
		if _, err := in.ReadByte(); err == nil {
			t.Error("got a byte, want the end")
		}
		if took := time.Since(began); took != 240*time.Second {
			t.Errorf("got the end after %s of silence, want 240 s", took)
		}
		<-ended
		server.Close()
		_ = nc.Close()
	})
}

// bound is a connection that doesn't let go.
type bound struct{ *httptest.ResponseRecorder }

func (bound) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("it is bound")
}

func TestACallersConnectionThatCantBeTakenOverIsOurFault(t *testing.T) {
	ended := make(chan error, 1)
	behind := quiet(t, switching(t, ended))
	a := api(t, behind.URL)
	withUpgrade(&a)
	transport := wire.NewClient(time.Now)
	transport.Dial = (&net.Dialer{}).DialContext
	f := newFront(a, transport)
	w := httptest.NewRecorder()
	f.ServeHTTP(bound{w}, request(t, handshake(asks)))
	if w.Code != 500 || f.result(t).code() != "upgrade_failed" {
		t.Errorf("got %d, want 500 upgrade_failed", w.Code)
	}
	<-ended
}

// A front end that hands over whole requests, as AWS Lambda does, has no connection at all.
func TestWithoutAConnectionTheBackendIsNotAskedForAWebSocket(t *testing.T) {
	behind := quiet(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("got a call, want none") }))
	a := api(t, behind.URL)
	withUpgrade(&a)
	transport := wire.NewClient(time.Now)
	transport.Dial = (&net.Dialer{}).DialContext
	f, w := newFront(a, transport), httptest.NewRecorder()
	f.ServeHTTP(w, request(t, handshake(asks)))
	if w.Code != 501 || f.result(t).code() != "websocket_unsupported" {
		t.Errorf("got %d, want 501 websocket_unsupported", w.Code)
	}
}

// left hands over a connection whose other end is closed.
type left struct{ *httptest.ResponseRecorder }

func (left) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	ours, theirs := net.Pipe()
	return ours, bufio.NewReadWriter(bufio.NewReader(ours), bufio.NewWriter(ours)), theirs.Close()
}

func TestACallerWhoLeavesBeforeThe101IsToldAsGone(t *testing.T) {
	ended := make(chan error, 1)
	behind := quiet(t, switching(t, ended))
	a := api(t, behind.URL)
	withUpgrade(&a)
	transport := wire.NewClient(time.Now)
	transport.Dial = (&net.Dialer{}).DialContext
	f := newFront(a, transport)
	f.ServeHTTP(left{httptest.NewRecorder()}, request(t, handshake(asks)))
	got := f.result(t)
	if o := got.outcome; got.refused != nil || !o.ClientGone || o.Status != 0 || o.BackendStatus != 101 {
		t.Errorf("got %+v, want that the caller has left and heard of no status", got)
	}
	<-ended // the connection to the backend is closed
}
