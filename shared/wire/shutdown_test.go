package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/wire/wiretest"
)

func TestAStopEndsWhatIsIdleAndLetsCallsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(time.Minute)
			_, _ = io.WriteString(w, "whole")
		}))
		unused, used, running := s.dial(t, ""), s.dial(t, get), s.dial(t, "")
		used.reply(t, "GET")
		go running.send(t, get+smuggled)
		synctest.Wait()
		stopped, began := make(chan error, 1), time.Now()
		go func() { stopped <- s.server.Shutdown(context.Background()) }()
		if more := unused.rest() + used.rest(); more != "" || time.Since(began) != 0 {
			t.Errorf("got %q after %s on idle connections, want the end at once", more, time.Since(began))
		}
		if got := running.reply(t, "GET"); got.Body != "whole" || got.Err != nil || !got.Close {
			t.Errorf("got %q (%v, close: %t) of a running call, want all of it, and the close", got.Body, got.Err, got.Close)
		}
		if more := running.rest(); more != "" {
			t.Errorf("got %q after the last answer, want the end", more)
		}
		if err := <-stopped; err != nil {
			t.Errorf("got %v, want the stop to come to its end", err)
		}
		if _, err := s.network.Dial(t.Context(), "", ""); err == nil {
			t.Error("got a connection after the stop, want none")
		}
	})
}

func TestAStopGivesUpWithItsContextAndCloseCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, handler(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		p := s.dial(t, get)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := s.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("got %v after %s, want the context's end after a minute", err, time.Since(began))
		}
		s.server.Close()
		if err := s.server.Shutdown(context.Background()); err != nil { // the handler ends, for its client is gone
			t.Errorf("got %v, want nothing left", err)
		}
		if got := p.rest(); got != "" || time.Since(began) > time.Minute+time.Second {
			t.Errorf("got %q after %s, want the call cut", got, time.Since(began))
		}
	})
}

// No request is half answered, whenever the stop comes.
func TestAStopBetweenTwoRequestsLosesNone(t *testing.T) {
	for range 200 {
		n := &notes{}
		s := serve(t, n)
		p := s.dial(t, "")
		answered := make(chan int)
		go func() {
			count := 0
			for {
				if _, err := io.WriteString(p, get); err != nil {
					break
				}
				if resp, err := http.ReadResponse(p.in, nil); err != nil {
					break
				} else if _, err := io.Copy(io.Discard, resp.Body); err == nil {
					count++
				}
			}
			_ = p.Close()
			answered <- count
		}()
		if err := s.server.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := <-answered, len(n.calls()); got != want {
			t.Fatalf("got %d answers to the %d calls that reached the handler, want as many", got, want)
		}
	}
}

func TestAServerThatWasStoppedFirstServesNobody(t *testing.T) {
	s := serve(t, write())
	s.server.Close()
	l := wiretest.NewMemory()
	if err := s.server.Serve(t.Context(), l); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("got %v, want http.ErrServerClosed", err)
	}
}

func TestAHijackerGetsWhatCameAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(time.Minute) // the server looks whether the client is there, and reads what it says
			nc, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Errorf("got %v", err)
				return
			}
			defer nc.Close()
			buf := make([]byte, 64)
			n, _ := io.ReadAtLeast(rw, buf, len("early, late"))
			<-time.After(time.Hour) // no deadline is left on it
			_, _ = rw.WriteString("got " + string(buf[:n]))
			_ = rw.Flush()
			if _, err := w.Write([]byte("more")); !errors.Is(err, http.ErrHijacked) {
				t.Errorf("got %v, want http.ErrHijacked", err)
			}
		}))
		p := s.dial(t, get+"ear")
		go p.send(t, "ly, late")
		if got := p.rest(); got != "got early, late" {
			t.Errorf("got %q, want what was said, all of it and in order", got)
		}
	})
}

func TestABodyOnItsWayCanNotBeHijacked(t *testing.T) {
	p := serve(t, handler(func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("got the connection before the body was read, want an error")
		}
		w.WriteHeader(200)
		if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("got the connection after the answer had begun, want an error")
		}
	})).dial(t, post+"Content-Length: 5\r\n\r\n")
	p.reply(t, "POST")
	_ = p.Close()
}
