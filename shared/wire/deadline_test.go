package wire_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/wire"
)

// Time in these tests is not real; the limits are those of the gateway.

// drip says text again and again, until nobody takes it.
func (p *peer) drip(text string, every time.Duration) (stopped chan struct{}) {
	stopped = make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			<-time.After(every)
			if _, err := io.WriteString(p, text); err != nil {
				return
			}
		}
	}()
	return stopped
}

func TestAHeadThatDripsIsEndedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := serve(t, write()).dial(t, "GET / HTTP/1.1\r\nX-A: "), time.Now()
		stopped := p.drip("b", time.Second)
		if got := p.reply(t, "GET"); got.StatusCode != 408 || !got.Close || time.Since(began) != wire.DefaultLimits().Header {
			t.Errorf("got %s (close: %t) after %s, want 408 after %s", got.Status, got.Close, time.Since(began), wire.DefaultLimits().Header)
		}
		p.rest()
		<-stopped
	})
}

func TestAnIdleConnectionEndsInSilence(t *testing.T) {
	for _, first := range []string{"", get} {
		synctest.Test(t, func(t *testing.T) {
			p := serve(t, write()).dial(t, first)
			if first != "" {
				p.reply(t, "GET")
			}
			began := time.Now()
			if got := p.rest(); got != "" || time.Since(began) != wire.DefaultLimits().Idle {
				t.Errorf("got %q after %s, want nothing, and the end after %s", got, time.Since(began), wire.DefaultLimits().Idle)
			}
		})
	}
}

// A connection between two requests has the time for idle ones, not what is left of another.
func TestNoDeadlineIsLeftFromTheLastRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serve(t, &notes{}).dial(t, "")
		for range 3 {
			p.send(t, post+"Content-Length: 5\r\n\r\nhe")
			<-time.After(50 * time.Second)
			p.send(t, "llo")
			if got := p.reply(t, "POST"); got.StatusCode != 200 {
				t.Errorf("got %s, want 200", got.Status)
			}
			<-time.After(4 * time.Minute)
		}
	})
}

// slowReader tells how reading the body ended, and when.
func slowReader(ended chan<- error, took chan<- time.Duration) handler {
	return func(_ http.ResponseWriter, r *http.Request) {
		began := time.Now()
		_, err := io.Copy(io.Discard, r.Body)
		took <- time.Since(began)
		ended <- err
	}
}

func TestABodyThatDripsIsEndedInTime(t *testing.T) {
	for name, c := range map[string]struct {
		head, drip string
		every      time.Duration
		slow       bool
	}{
		"nothing at all":             {post + "Content-Length: 100000\r\n\r\n", "", time.Hour, true},
		"a byte every five seconds":  {post + "Content-Length: 100000\r\n\r\n", "x", 5 * time.Second, true},
		"a chunk every five seconds": {chunked + "\r\n", "1\r\nx\r\n", 5 * time.Second, true},
		"zeros before a size":        {chunked + "\r\n", "0", 5 * time.Second, true},
		"as fast as asked":           {post + "Content-Length: 480000\r\n\r\n", strings.Repeat("x", 2400), 10 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended, took := make(chan error, 1), make(chan time.Duration, 1)
				p := serve(t, slowReader(ended, took)).dial(t, c.head)
				stopped := p.drip(c.drip, c.every)
				got := p.reply(t, "POST")
				after, err := <-took, <-ended
				if !c.slow && (err != nil || after < 30*time.Minute) {
					t.Errorf("got %v after %s, want a slow body taken to its end", err, after)
				}
				if c.slow && (!errors.Is(err, wire.ErrSlowBody) || after > 70*time.Second || !got.Close) {
					t.Errorf("got %v after %s (close: %t), want ErrSlowBody after a minute, and the close", err, after, got.Close)
				}
				_ = p.Close()
				<-stopped
			})
		})
	}
}

// What the handler takes to come back for more isn't the client's.
func TestASlowHandlerIsNotASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serve(t, handler(func(_ http.ResponseWriter, r *http.Request) {
			for buf := make([]byte, 1); ; <-time.After(time.Hour) {
				if _, err := r.Body.Read(buf); errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					t.Errorf("got %v, want the body", err)
					return
				}
			}
		})).dial(t, chunked+"\r\n")
		p.send(t, "5\r\nhello\r\n0\r\n\r\n")
		if got := p.reply(t, "POST"); got.StatusCode != 200 || got.Close {
			t.Errorf("got %s (close: %t), want 200", got.Status, got.Close)
		}
	})
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took, began := make(chan time.Duration, 1), time.Now()
		s := serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					break
				}
			}
			<-r.Context().Done() // who can't be written to has left
			took <- time.Since(began)
		}))
		p := s.dial(t, get)
		if got := <-took; got != wire.DefaultLimits().Write {
			t.Errorf("got the write ended after %s, want %s", got, wire.DefaultLimits().Write)
		}
		p.rest()
	})
}

// Closing at once would reset; waiting for ever would be an attack.
func TestALastAnswerDoesNotKeepItsConnectionForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serve(t, status(413)).dial(t, post+"Content-Length: 100000\r\n\r\n")
		p.reply(t, "POST")
		began := time.Now()
		for _, err := io.WriteString(p, "x"); err == nil; _, err = io.WriteString(p, "x") {
			<-time.After(time.Millisecond)
		}
		if took := time.Since(began); took > 2*wire.DefaultLimits().Linger {
			t.Errorf("got a client listened to for %s after its last answer, want %s", took, wire.DefaultLimits().Linger)
		}
	})
}
