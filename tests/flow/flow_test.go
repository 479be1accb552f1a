package flow

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestEventsArriveOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		ctx, leave := context.WithCancel(t.Context())
		resp := s.do(t, ctx, "GET", "/flow/events", nil)
		in := bufio.NewReader(resp.Body)
		for n := 1; n <= 3; n++ { // the backend waits for our word after each, so none can be held back
			line, err := in.ReadString('\n')
			if _, _ = in.ReadString('\n'); line != fmt.Sprintf("data: %d\n", n) || err != nil {
				t.Fatalf("got %q (%v), want event %d", line, err, n)
			}
			if n < 3 {
				s.release <- true
			}
		}
		began := time.Now()
		leave()
		s.gone(t, began)
	}, inProcess, throughHost, overHTTP2)
}

func TestAnUploadStreamsAndACallerThatLeavesEndsIt(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		const size = 3 << 20
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/flow/upload", io.LimitReader(filler{}, size))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.client.Do(r)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v (%v), want 200", resp, err)
		}
		_ = resp.Body.Close()
		if got := <-s.whole; !strings.HasPrefix(got, fmt.Sprint(size, " ")) {
			t.Errorf("got %s at the backend, want %d bytes", got, size)
		}
		ctx, leave := context.WithCancel(t.Context())
		out, in := io.Pipe()
		r, err = http.NewRequestWithContext(ctx, "POST", s.URL+"/flow/upload", out)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan bool)
		go func() {
			if resp, err := s.client.Do(r); err == nil {
				_ = resp.Body.Close()
			}
			close(ended)
		}()
		_, _ = in.Write(make([]byte, 64<<10)) // it is on its way
		began := time.Now()
		leave()
		s.gone(t, began)
		_ = in.Close()
		<-ended
	}, inProcess, throughHost, overHTTP2)
}

func TestTrailersPass(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		resp := s.do(t, t.Context(), "GET", "/flow/filler?bytes=100000", nil)
		sum := sha256.New()
		if n, err := io.Copy(sum, resp.Body); n != 100000 || err != nil {
			t.Errorf("got %d bytes (%v), want all", n, err)
		}
		if got, want := resp.Trailer.Get("X-Digest"), hex.EncodeToString(sum.Sum(nil)); got != want {
			t.Errorf("got the trailer %q, want the digest %q", got, want)
		}
	}, inProcess, throughHost, overHTTP2)
}

func TestAWebSocketEchoes(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		at := "ws" + strings.TrimPrefix(s.URL, "http") + "/flow/socket"
		c, resp, err := websocket.Dial(t.Context(), at, &websocket.DialOptions{HTTPClient: s.client, Subprotocols: []string{"chat"}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		id := resp.Header.Get("X-Correlation-Id")
		c.SetReadLimit(1 << 20)
		for _, text := range []string{"a", strings.Repeat("é", 100_000), ""} {
			if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); string(got) != text || err != nil {
				t.Fatalf("got %d bytes (%v), want the %d sent", len(got), err, len(text))
			}
		}
		began := time.Now()
		if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
			t.Errorf("got %v, want the closing handshake to pass", err)
		}
		s.gone(t, began)
		if e := s.Event(t, id); e.Status != 101 || e.Verdict != "granted" || e.Operation != "socket" {
			t.Errorf("got %+v, want a grant of 101", e)
		}
	}, inProcess, throughHost)
}

func TestACallerThatLeavesAWebSocketEndsIt(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		c, _, err := websocket.Dial(t.Context(), s.URL+"/flow/socket", &websocket.DialOptions{HTTPClient: s.client})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_ = c.CloseNow()
		s.gone(t, began)
	}, inProcess, throughHost)
}

func TestElsewhereNoWebSocketOpens(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		u, err := url.Parse(s.URL + "/flow/filler?bytes=1")
		if err != nil {
			t.Fatal(err)
		}
		if _, resp, err := websocket.Dial(t.Context(), u.String(), &websocket.DialOptions{HTTPClient: s.client}); err == nil || resp.StatusCode != 200 {
			t.Errorf("got %v (%v), want a plain answer", resp, err)
		}
	}, inProcess, throughHost)
}
