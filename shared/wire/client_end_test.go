package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

var errWhy = errors.New("the call has a reason to end")

// A call that ends, ends whatever waits for it, and says why.
func TestACallThatIsCancelledEndsAtOnce(t *testing.T) {
	for name, backend := range map[string]handler{
		"while dialing":               nil,
		"while waiting for a head":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"while reading a body":        func(w http.ResponseWriter, r *http.Request) { flushed(w, "x"); <-r.Context().Done() },
		"while reading between hints": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := wire.NewClient(time.Now)
				network := wiretest.NewMemory()
				if backend != nil {
					network = serve(t, backend).network
				}
				c.Dial = network.Dial
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Minute, func() { cancel(errWhy) })
				began := time.Now()
				got, err := ask(c, outgoing(t, "GET", "http://backend/", nil).WithContext(ctx))
				if err = errors.Join(err, got.Err); time.Since(began) != time.Minute || !errors.Is(err, errWhy) && !errors.Is(err, context.Canceled) {
					t.Errorf("got %v after %s, want the call's own reason after a minute", err, time.Since(began))
				}
			})
		})
	}
}

func TestACallThatIsCancelledWhileItSendsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, network := wire.NewClient(time.Now), wiretest.NewMemory()
		c.Dial = network.Dial
		go func() {
			nc, _ := network.Accept()
			_, _ = io.ReadFull(nc, make([]byte, 100)) // and no more
			<-t.Context().Done()
			_ = nc.Close()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := ask(c, outgoing(t, "POST", "http://backend/", odd{strings.NewReader(strings.Repeat("x", 1<<20))}).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the call's deadline", err)
		}
	})
}

// The end of one call must not end another that has its connection now.
func TestACallThatEndsLaterDoesNotTouchItsConnection(t *testing.T) {
	b, c := listen(t, answering(ok)), newClient(t)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		mustAsk(t, c, outgoing(t, "POST", b.url, strings.NewReader("x")).WithContext(ctx))
		go cancel()
		mustAsk(t, c, outgoing(t, "POST", b.url, nil))
	}
}

func TestAConnectionIsKeptForItsTimeAndNoLonger(t *testing.T) {
	var now atomic.Int64
	b, c := listen(t, answering(ok)), newClient(t)
	c.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	for _, step := range []struct{ after, conns int64 }{{0, 1}, {89, 1}, {89, 1}, {90, 2}, {1, 2}, {1000, 3}} {
		now.Add(step.after)
		mustAsk(t, c, outgoing(t, "GET", b.url, nil))
		if got := int64(b.conns.Load()); got != step.conns {
			t.Errorf("got %d connections at second %d, want %d", got, now.Load(), step.conns)
		}
	}
}

func TestNoMoreConnectionsAreKeptThanMayBe(t *testing.T) {
	const most, calls = 3, 10
	var all sync.WaitGroup
	ended, together := make(chan bool, calls), make(chan bool)
	b := listen(t, func(p *peer, _ int) {
		defer func() { ended <- true }()
		_, _, _ = p.request()
		<-together
		_, _ = io.WriteString(p, ok)
		_, _, _ = p.request()
	})
	c := newClient(t)
	c.Keep = most
	for range calls {
		all.Go(func() { _, _ = ask(c, outgoing(t, "GET", b.url, nil)) })
	}
	for range calls {
		together <- true
	}
	all.Wait()
	for range calls - most {
		<-ended
	}
	select {
	case <-ended:
		t.Errorf("got fewer than %d connections kept", most)
	case <-time.After(20 * time.Millisecond): // nothing comes
	}
	c.CloseIdleConnections()
	for range most {
		<-ended
	}
}

func TestABackendThatIsNotThereIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := ask(newClient(t), outgoing(t, "GET", "http://"+l.Addr().String(), nil)); err == nil {
		t.Error("got an answer, want an error")
	}
	if _, err := ask(newClient(t), outgoing(t, "GET", "ftp://127.0.0.1/", nil)); err == nil {
		t.Error("got an answer over another protocol, want an error")
	}
}

// Thousands of calls at once, some given up half way: each answer belongs to its request.
func TestEveryCallGetsItsOwnAnswer(t *testing.T) {
	s := wiretest.Start(t, handler(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body)%2 == 0 {
			flushed(w, r.RequestURI)
		}
		_, _ = fmt.Fprintf(w, " %s %s", r.RequestURI, body)
	}), nil)
	c := newClient(t)
	var all sync.WaitGroup
	for worker := range 100 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 7))
			for i := range 30 {
				body := strings.Repeat("b", random.IntN(9000))
				r := outgoing(t, "POST", fmt.Sprintf("%s/%d-%d", s.URL, worker, i), strings.NewReader(body))
				if random.IntN(2) == 0 {
					r.Body, r.ContentLength = io.NopCloser(odd{strings.NewReader(body)}), -1
				}
				ctx, cancel := context.WithCancel(t.Context())
				hasty := random.IntN(4) == 0
				if hasty {
					time.AfterFunc(time.Duration(random.IntN(2000))*time.Microsecond, cancel)
				}
				got, err := ask(c, r.WithContext(ctx))
				cancel()
				if err = errors.Join(err, got.Err); err == nil && !strings.HasSuffix(got.Body, " "+r.URL.Path+" "+body) {
					t.Errorf("got another's answer to %s", r.URL.Path)
				} else if err != nil && !hasty {
					t.Errorf("got %v, want an answer", err)
				}
			}
		})
	}
	all.Wait()
}
