package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// slow is a backend that answers nobody until it is told to.
type slow struct {
	came sync.WaitGroup
	stop chan struct{}
}

func (b *slow) RoundTrip(*http.Request) (*http.Response, error) {
	b.came.Done()
	<-b.stop
	return nil, io.ErrUnexpectedEOF
}

// Whoever holds calls open takes no place from others, nor from the events of
// those that are refused.
func TestManyCallsUnderWayLeavePlacesToOthers(t *testing.T) {
	s, b := newStand(t, echo()), &slow{stop: make(chan struct{})}
	s.parts.Backends = func(contract.PlannedAPI) http.RoundTripper { return b }
	var lost error
	s.parts.Report = func(err error) { lost = err }
	outlet := audit.NewBatches(audit.BatchOptions{Name: "b", Now: time.Now, Report: s.parts.Report, Send: func(context.Context, [][]byte) error { return nil }})
	s.parts.Events = audit.All(audit.NewLines(io.Discard), outlet)
	s.Gateway = Compile(s.plan, s.parts)
	b.came.Add(audit.Places)
	var all sync.WaitGroup
	for range audit.Places {
		r := request(t, "GET", "/public/x")
		all.Go(func() { s.ServeHTTP(httptest.NewRecorder(), r) })
	}
	b.came.Wait()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request(t, "GET", "/nowhere"))
	if w.Code != 404 || lost != nil {
		t.Errorf("got %d and %v, want its event kept", w.Code, lost)
	}
	w = httptest.NewRecorder()
	if s.ServeHTTP(w, request(t, "GET", "/_gateway/health")); w.Code != 200 {
		t.Errorf("got health %d: %s", w.Code, w.Body)
	}
	b.came.Add(1)
	time.AfterFunc(50*time.Millisecond, func() { close(b.stop) })
	w = httptest.NewRecorder()
	if s.ServeHTTP(w, request(t, "GET", "/public/x")); w.Code != 502 { // what this backend brings about
		t.Errorf("got %d (%s), want the backend called", w.Code, w.Body)
	}
	all.Wait()
}
