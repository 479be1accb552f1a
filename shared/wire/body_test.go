package wire_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/wire/wiretest"
)

const expecting = post + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"

// RFC 9110 §10.1.1.
func TestAClientIsToldToGoOnOnceTheHandlerReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(time.Hour)
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v", body, err)
		})).dial(t, expecting)
		began := time.Now()
		if got := p.reply(t, "POST"); got.StatusCode != 100 || time.Since(began) != time.Hour {
			t.Errorf("got %s after %s, want 100 when the handler reads", got.Status, time.Since(began))
		}
		go p.send(t, "hello"+get)
		for _, want := range []string{"hello <nil>", " <nil>"} {
			if got := p.reply(t, "POST"); got.Body != want || got.Close {
				t.Errorf("got %q (close: %t), want %q", got.Body, got.Close, want)
			}
		}
	})
}

func TestAClientThatWaitsIsNotToldToGoOnWithWhatIsRefused(t *testing.T) {
	p := serve(t, status(413)).dial(t, expecting)
	if got := p.reply(t, "POST"); got.StatusCode != 413 || !got.Close {
		t.Errorf("got %s (close: %t), want 413 alone, and the close", got.Status, got.Close)
	}
	if more := p.rest(); more != "" {
		t.Errorf("got %q, want no more", more)
	}
	p = serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
		flushed(w, "no")
		if _, err := r.Body.Read(make([]byte, 1)); err == nil {
			t.Error("got a body that was not asked for")
		}
	})).dial(t, expecting)
	if got := p.reply(t, "POST"); got.StatusCode != 200 || got.Body != "no" {
		t.Errorf("got %s and %q, want the answer alone", got.Status, got.Body)
	}
}

func TestAnHTTP10ClientIsNeverToldToGoOn(t *testing.T) {
	p := serve(t, &notes{}).dial(t, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
	if got := p.reply(t, "POST"); got.StatusCode != 200 {
		t.Errorf("got %s, want 200", got.Status)
	}
}

// RFC 9112 §9.6: a reset while the client still sends would take the answer with it.
func TestAnEarlyAnswerArrivesWhileTheClientStillSends(t *testing.T) {
	answer := strings.Repeat("too large ", 30_000)
	s := wiretest.Start(t, handler(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(413)
		_, _ = io.WriteString(w, answer)
	}), nil)
	for range 20 {
		p := dial(t, s.Listener, post+"Content-Length: 8000000\r\n\r\n")
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(p, strings.Repeat("x", 4_000_000))
			sent <- err
		}()
		if got := p.reply(t, "POST"); got.StatusCode != 413 || got.Body != answer || got.Err != nil || !got.Close {
			t.Fatalf("got %s, %d bytes (%v), want 413 with all %d, and the close", got.Status, len(got.Body), got.Err, len(answer))
		}
		<-sent
		_ = p.Close()
	}
}

// F112, and the same where it is the handler that ends the connection.
func TestWhatFollowsTheLastAnswerDoesNotTakeItAway(t *testing.T) {
	answered := make(chan bool, 1)
	s := wiretest.Start(t, handler(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/" {
			t.Errorf("got %s called, want the connection ended before it", r.RequestURI)
		}
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, strings.Repeat("x", 200_000))
		answered <- true
	}), nil)
	for range 5 {
		p := dial(t, s.Listener, "")
		_ = p.Conn.(*net.TCPConn).SetReadBuffer(32 << 10) // so that most of the answer is still with the server
		p.send(t, get+strings.Repeat(smuggled, 2000))
		<-answered
		if got := p.reply(t, "GET"); len(got.Body) != 200_000 || got.Err != nil {
			t.Fatalf("got %d bytes (%v), want all 200000", len(got.Body), got.Err)
		}
		_ = p.Close()
	}
}

func TestReadingAndWritingTakeTurns(t *testing.T) {
	s := serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		for buf := make([]byte, 64); ; {
			n, err := r.Body.Read(buf)
			if n > 0 {
				flushed(w, strings.ToUpper(string(buf[:n])))
			}
			if err != nil {
				return
			}
		}
	}))
	p := s.dial(t, chunked+"\r\n3\r\none\r\n")
	resp, err := http.ReadResponse(p.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []string{"two", "six", ""} {
		got := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != strings.ToUpper(string(got)) {
			t.Errorf("got %q (%v), want what was sent in upper case", got, err)
		}
		p.send(t, fmt.Sprintf("%x\r\n%s\r\n", len(next), next))
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("got %v, want a proper end", err)
	}
}

// What reads on after its exchange must not eat what belongs to another.
func TestAReaderThatOutlivesItsExchangeIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := make(chan error, 2)
		read := func(body io.Reader) {
			_, err := io.ReadAll(body)
			results <- err
		}
		p := serve(t, handler(func(_ http.ResponseWriter, r *http.Request) {
			go read(r.Body)
			synctest.Wait() // it waits for the client now
		})).dial(t, post+"Content-Length: 100\r\n\r\nhello")
		if got := p.reply(t, "POST"); got.StatusCode != 200 || !got.Close {
			t.Errorf("got %s (close: %t), want the answer, and the close", got.Status, got.Close)
		}
		if err := <-results; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("got %v, want an error in the reader", err)
		}
	})
}

func TestABodyReadLaterDoesNotTouchTheNextRequest(t *testing.T) {
	bodies := make(chan io.Reader, 2)
	s := serve(t, handler(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		bodies <- r.Body
	}))
	p := s.dial(t, chunked+"\r\n2\r\nhi\r\n0\r\n\r\n")
	p.reply(t, "POST")
	p.send(t, "GET / HTTP/1.1\r\n") // the next request has begun
	if n, err := (<-bodies).Read(make([]byte, 9)); n != 0 || err == nil {
		t.Errorf("got %d bytes (%v), want none", n, err)
	}
	p.send(t, "Host: a\r\n\r\n")
	if got := p.reply(t, "GET"); got.StatusCode != 200 {
		t.Errorf("got %s, want 200", got.Status)
	}
}

func TestAClosedBodyGivesNoMoreAndTheConnectionEnds(t *testing.T) {
	p := serve(t, handler(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.Body.Close()
		if n, err := r.Body.Read(make([]byte, 9)); n != 0 || err == nil {
			t.Errorf("got %d bytes (%v) of a closed body, want an error", n, err)
		}
	})).dial(t, post+"Content-Length: 5\r\n\r\n")
	if got := p.reply(t, "POST"); !got.Close {
		t.Errorf("got %s without a close, want it announced", got.Status)
	}
	var nc net.Conn = p
	_ = nc.Close()
}
