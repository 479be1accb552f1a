package wire_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

// base is what a process has before and must have after: goroutines and heap.
type base struct {
	goroutines int
	heap       uint64
}

func measure() base {
	runtime.GC()
	runtime.GC() // what pools gave up
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return base{runtime.NumGoroutine(), m.HeapAlloc}
}

// backTo fails the test if the process doesn't come back to where it was.
func backTo(t *testing.T, before base, peak int) {
	t.Helper()
	after := measure()
	for deadline := time.Now().Add(patience); after.goroutines > before.goroutines && time.Now().Before(deadline); after = measure() {
		<-time.After(10 * time.Millisecond)
	}
	t.Logf("goroutines: %d before, %d at most, %d after; heap: %d KB before, %d KB after", before.goroutines, peak, after.goroutines, before.heap>>10, after.heap>>10)
	if after.goroutines > before.goroutines {
		t.Errorf("got %d goroutines, want the %d from before", after.goroutines, before.goroutines)
	}
	if after.heap > before.heap+4<<20 {
		t.Errorf("got a heap of %d KB, want about the %d KB from before", after.heap>>10, before.heap>>10)
	}
}

// F118: connections that say a little and then nothing, in each place where they can.
func TestSlowConnectionsAreShedAndLeaveNothing(t *testing.T) {
	s := wiretest.Start(t, handler(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(make([]byte, 64<<10))
	}), nil, func(s *wire.Server) {
		s.Limits.Header, s.Limits.Idle, s.Limits.Body, s.Limits.Linger = 300*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond, 50*time.Millisecond
	})
	before, began := measure(), time.Now()
	const each = 60
	texts := []string{"", "G", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b", post + "Content-Length: 9\r\n\r\nhell", chunked + "\r\n5", chunked + "\r\n0\r\nX-A: b"}
	var all []*peer
	for _, text := range texts {
		for range each {
			all = append(all, dial(t, s.Listener, text))
		}
	}
	peak := runtime.NumGoroutine()
	for _, p := range all {
		p.rest()
		_ = p.Close()
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("got the last of %d connections shed after %s, want it in about a second", len(all), took)
	}
	backTo(t, before, peak)
}

func TestAHugeHeadCostsNoMoreThanItsLimit(t *testing.T) {
	s := wiretest.Start(t, &notes{}, nil)
	before := measure()
	huge := []byte("GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	allocated := m.TotalAlloc
	const connections = 200
	for range connections {
		p := dial(t, s.Listener, "")
		go func() { _, _ = p.Write(huge) }() // the server may hang up before the end
		if got := p.reply(t, "GET"); got.StatusCode != 431 {
			t.Fatalf("got %s, want 431", got.Status)
		}
		_ = p.Close()
	}
	runtime.ReadMemStats(&m)
	perHead := (m.TotalAlloc - allocated) / connections
	t.Logf("a head of 1 MB allocates %d KB, this test's own part included", perHead>>10)
	if perHead > 512<<10 {
		t.Errorf("got %d KB allocated for a head over the limit, want less than half of it", perHead>>10)
	}
	backTo(t, before, 0)
}

// relay is a gateway of nothing but this package: its server, and its client to a backend.
func relay(c *wire.Client, backend string) handler {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, backend, nil)
		if err != nil {
			panic(err)
		}
		if r.ContentLength != 0 {
			out.Body, out.ContentLength = r.Body, r.ContentLength
		}
		resp, err := c.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for buf := make([]byte, 8<<10); ; {
			n, err := resp.Body.Read(buf)
			flushed(w, string(buf[:n]))
			if err == io.EOF {
				return
			} else if err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	}
}

// abort sends some of some requests, reads some of the answers, and leaves.
func abort(l net.Listener, random *rand.Rand) error {
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(50 * time.Millisecond)) // what waits for an answer gives up, too
	text, _ := pipeline(random)
	_, _ = io.WriteString(nc, text[:random.IntN(min(len(text), 60<<10)+1)])
	if random.IntN(2) == 0 {
		_, _ = io.CopyN(io.Discard, nc, int64(random.IntN(300)))
	}
	if random.IntN(10) > 0 {
		return nc.(*net.TCPConn).SetLinger(0) // a reset; otherwise a proper end
	}
	return nil
}

// F119, in bulk. TOLLGATE_ABORTED=100000 in make prove.
func TestAbortedRequestsLeaveNothing(t *testing.T) {
	count := 10_000
	if n, err := strconv.Atoi(os.Getenv("TOLLGATE_ABORTED")); err == nil {
		count = n
	}
	var seen, streams atomic.Int64
	backend := wiretest.Start(t, handler(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		for i := range 3 {
			flushed(w, fmt.Sprint(i, strings.Repeat("x", 4000)))
		}
		if seen.Load()%50 == 0 { // a stream without an end
			streams.Add(1)
			<-r.Context().Done()
		}
	}), nil)
	c := newClient(t)
	s := wiretest.Start(t, relay(c, backend.URL), nil, func(s *wire.Server) {
		s.Limits.Header, s.Limits.Body, s.Limits.BodyRate = time.Second, time.Second, 1<<20
	})
	before, began := measure(), time.Now()
	var workers sync.WaitGroup
	var next, peak atomic.Int64
	for worker := range 64 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 9))
			for next.Add(1) <= int64(count) {
				if err := abort(s.Listener, random); err != nil {
					t.Error(err)
					return
				}
				peak.Store(max(peak.Load(), int64(runtime.NumGoroutine())))
			}
		})
	}
	workers.Wait()
	t.Logf("%d connections given up in %s: %d calls at the backend, %d of them without an end", count, time.Since(began).Round(time.Millisecond), seen.Load(), streams.Load())
	settle(t, before, func() { c.CloseIdleConnections() })
	backTo(t, before, int(peak.Load()))
}

// settle waits for the calls under way, with idle connections closed again and again.
func settle(t *testing.T, before base, idle func()) {
	t.Helper()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before.goroutines && time.Now().Before(deadline); {
		idle()
		<-time.After(10 * time.Millisecond)
	}
}
