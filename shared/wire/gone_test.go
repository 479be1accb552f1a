package wire_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/wire/wiretest"
)

// waiting is a handler that says how long after its start its client was known to have left.
func waiting(left chan<- time.Duration, first func(http.ResponseWriter, *http.Request)) handler {
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		first(w, r)
		<-r.Context().Done()
		left <- time.Since(began)
	}
}

// F119: within a second.
func TestACallEndsWhenItsClientLeaves(t *testing.T) {
	readAll := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	for name, c := range map[string]struct {
		text  string
		first func(http.ResponseWriter, *http.Request)
	}{
		"without a body":          {get, readAll},
		"with a body":             {post + "Content-Length: 5\r\n\r\nhello", readAll},
		"with chunks":             {chunked + "\r\n5\r\nhello\r\n0\r\n\r\n", readAll},
		"in the middle of one":    {post + "Content-Length: 50\r\n\r\nhello", readAll},
		"in the middle of a size": {chunked + "\r\n5\r\nhello\r\n0", readAll},
		"with another after it":   {get, readAll},
		"while it streams":        {get, func(w http.ResponseWriter, _ *http.Request) { flushed(w, "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left := make(chan time.Duration, 1)
				p := serve(t, waiting(left, c.first)).dial(t, c.text)
				if name == "while it streams" {
					if resp, err := http.ReadResponse(p.in, nil); err != nil || resp.StatusCode != 200 {
						t.Fatalf("got %v, want an answer", err)
					}
				}
				<-time.After(9 * time.Second)
				if name == "with another after it" {
					go func() { _, _ = io.WriteString(p, smuggled+smuggled[:9]) }()
				}
				<-time.After(time.Second)
				_ = p.Close()
				if took := <-left - 10*time.Second; took > time.Second {
					t.Errorf("got the call ended %s after its client left, want a second", took)
				}
			})
		})
	}
}

func TestACallOverTCPEndsWhenItsClientLeaves(t *testing.T) {
	left := make(chan time.Duration, 1)
	s := wiretest.Start(t, waiting(left, func(w http.ResponseWriter, _ *http.Request) { flushed(w, "x") }), nil)
	p := dial(t, s.Listener, get)
	_, _ = p.in.ReadByte()
	_ = p.Close()
	if took := <-left; took > time.Second {
		t.Errorf("got the call ended after %s, want a second", took)
	}
}

func TestACallThatIsAnsweredInTimeIsNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(time.Hour):
			case <-r.Context().Done():
				t.Error("got the call ended while its client waits")
			}
		})).dial(t, get)
		for range 3 {
			if got := p.reply(t, "GET"); got.StatusCode != 200 {
				t.Errorf("got %s, want 200", got.Status)
			}
			p.send(t, get)
		}
		p.reply(t, "GET")
	})
}

// To see whether the client has left, the server reads on; what it reads then is the next request.
func TestARequestSentWhileAnotherIsAnsweredIsWhole(t *testing.T) {
	for cut := range len(smuggled) {
		synctest.Test(t, func(t *testing.T) {
			n := &notes{}
			s := serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
				if len(n.calls()) == 0 {
					<-time.After(time.Minute)
				}
				n.ServeHTTP(w, r)
			}))
			p := s.dial(t, get+smuggled[:cut])
			<-time.After(10 * time.Second) // the server looks
			go p.send(t, smuggled[cut:])
			for _, want := range []string{"GET /", "GET /smuggled"} {
				if got := p.reply(t, "GET"); got.Body != want {
					t.Errorf("cut at %d: got %q, want %q", cut, got.Body, want)
				}
			}
		})
	}
}

func TestEveryContextEndsWithItsCall(t *testing.T) {
	var last atomic.Value
	s := serve(t, handler(func(_ http.ResponseWriter, r *http.Request) { last.Store(r.Context()) }))
	p := s.dial(t, get)
	p.reply(t, "GET")
	select {
	case <-last.Load().(context.Context).Done():
	case <-time.After(patience):
		t.Error("got a context that lives on, want it ended")
	}
}
