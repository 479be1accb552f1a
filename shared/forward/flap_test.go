package forward_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/wire"
)

const (
	stormWorkers = 16 // call without end
	stormPlaces  = 12 // maxConcurrent
	stormTimeout = time.Second
	stormOpen    = 1500 * time.Millisecond
	stormFails   = 5
	stormRetries = 2
)

// storm is a delivery over two flapping targets, and what its callers heard.
type storm struct {
	t         *testing.T
	deliver   pipeline.Delivery
	transport *wire.Client
	watch     *watcher
	targets   map[string]*flapper

	mu    sync.Mutex
	heard map[string]int
}

func newStorm(t *testing.T, silent *net.UDPConn, seed uint64) *storm {
	a := several(t, 3, 1)
	a.Backend.Timeout, a.Backend.Retries, a.Backend.MaxConcurrent = stormTimeout, stormRetries, stormPlaces
	// The window is longer than the storm, so that each failure counts until its breaker opens.
	a.Backend.Breaker = &contract.PlannedBreaker{Failures: stormFails, Window: time.Hour, Open: stormOpen}
	s := &storm{t: t, heard: map[string]int{}, transport: wire.NewClient(time.Now), targets: map[string]*flapper{
		"a": newFlapper(t, silent, seed), "b": newFlapper(t, silent, seed+1),
	}}
	s.transport.Dial = func(ctx context.Context, _, address string) (net.Conn, error) {
		return s.targets[strings.TrimSuffix(address, ":80")].dial(ctx)
	}
	s.watch = &watcher{t: t, below: s.transport, failures: stormFails, open: stormOpen, attempts: map[string]int{}, targets: map[string]*watched{"a": {}, "b": {}}}
	s.deliver = newFront(a, s.watch).deliver
	return s
}

// call makes one call, and gives what its caller heard.
func (s *storm) call(method, id string) string {
	var body io.Reader
	if method == "POST" || method == "PUT" {
		body = strings.NewReader("whole")
	}
	w, began := httptest.NewRecorder(), time.Now()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "/orders", body)
	c := &pipeline.Call{Request: r, Path: "/orders", Correlation: id}
	refused, heard := s.deliver(r.Context(), w, c), ""
	if took := time.Since(began); took > stormTimeout+100*time.Millisecond {
		s.t.Errorf("got an answer after %s, want it within the timeout of %s", took, stormTimeout)
	}
	if refused != nil {
		refusal.Write(w, refusal.About{Correlation: id}, refused)
		heard = refused.Code
	}
	heard = strings.TrimSpace(fmt.Sprint(w.Code, " ", heard+c.Outcome.Code))
	s.allowed(heard, w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[heard]++
	return heard
}

// allowed holds an answer to those that the contract knows.
func (s *storm) allowed(heard string, w *httptest.ResponseRecorder) {
	after, body := w.Header().Get("Retry-After"), w.Body.String()
	switch heard {
	case "200":
		if body != "whole" {
			s.t.Errorf("got 200 with %q, want the whole answer or one that breaks off", body)
		}
	case "503 backend_open":
		s.watch.turnedAway(after)
	case "503 backend_busy":
		if after != "1" {
			s.t.Errorf("got backend_busy with Retry-After %q, want 1", after)
		}
	case "503", "200 backend_broke_off", "502 backend_unreachable", "504 backend_timeout":
	default:
		s.t.Errorf("got %s, want an answer that the contract knows", heard)
	}
}

func TestFlappingBackendsUnderLoadAreTreatedAsTheContractSays(t *testing.T) {
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, s := inBubbles(), newStorm(t, silent, seed)
				s.calm("before ", 100)
				s.blow(seed)
				s.recover()
				s.calm("after ", 100)
				s.fill("fill ")
				s.once()
				s.over(began)
			})
		})
	}
}

// over ends what is kept, and sums up.
func (s *storm) over(goroutines int) {
	for _, f := range s.targets {
		f.mu.Lock()
		f.closing = true
		f.mu.Unlock()
	}
	s.transport.CloseIdleConnections()
	synctest.Wait()
	for name, f := range s.targets {
		calls, dials, standing := f.count()
		if standing != 0 {
			s.t.Errorf("got %d connections to %s left, want none", standing, name)
		}
		s.t.Logf("%s: %d calls over %d connections", name, calls, dials)
	}
	if got := inBubbles(); got != goroutines {
		s.t.Errorf("got %d goroutines after the storm, want the %d from before", got, goroutines)
	}
	if s.watch.most > stormPlaces || s.watch.under != 0 {
		s.t.Errorf("got %d calls under way at most and %d at the end, want %d and none", s.watch.most, s.watch.under, stormPlaces)
	}
	for _, want := range []string{"200", "200 backend_broke_off", "502 backend_unreachable", "503", "503 backend_open", "503 backend_busy", "504 backend_timeout"} {
		if s.heard[want] == 0 {
			s.t.Errorf("got %v, want some of %s", s.heard, want)
		}
	}
	s.t.Logf("opened %d times, tried %d times: %v", s.watch.opened, s.watch.probes, s.heard)
}

// inBubbles is how many goroutines there are in synctest's bubbles. Those of the
// runtime and of other tests come and go.
func inBubbles() int {
	all := make([]byte, 1<<20)
	return bytes.Count(all[:runtime.Stack(all, true)], []byte(", synctest bubble "))
}
