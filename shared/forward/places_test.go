package forward_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"

	"tollgate/shared/pipeline"
)

func TestOnlySoManyCallsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, hold := &script{}, make(chan struct{})
		s.answer = func(*http.Request) (*http.Response, error) {
			resp := status(200)
			resp.ContentLength, resp.Body = -1, io.NopCloser(readerFunc(func([]byte) (int, error) { <-hold; return 0, io.EOF }))
			return resp, nil
		}
		a := several(t, 1)
		a.Backend.MaxConcurrent = 2
		f := newFront(a, s)
		var streams sync.WaitGroup
		for range 2 {
			streams.Go(func() {
				f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
			})
		}
		synctest.Wait() // both have answered, and stream
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
		if got := f.result(t); got.code() != "backend_busy" || w.Code != 503 || w.Header().Get("Retry-After") != "1" || got.refused.Rule != "backend.maxConcurrent" {
			t.Errorf("got %s, %d and Retry-After %q, want backend_busy, 503 and 1", got.code(), w.Code, w.Header().Get("Retry-After"))
		}
		close(hold)
		streams.Wait()
		_, _ = f.result(t), f.result(t)
		if code, _ := f.do(t, "GET", nil); code != "200" {
			t.Errorf("got %s after the streams ended, want 200", code)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A delivery that panics must not keep its place, nor hold a breaker half-open.
func TestAPanicGivesItsPlaceBack(t *testing.T) {
	s := &script{answer: func(*http.Request) (*http.Response, error) { panic("transport") }}
	a := several(t, 1)
	a.Backend.MaxConcurrent = 1
	f := newFront(a, s)
	for range 2 {
		func() {
			defer func() { _ = recover() }()
			_ = f.deliver(t.Context(), httptest.NewRecorder(), &pipeline.Call{Request: httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil), Path: "/orders"})
		}()
	}
	if got := s.heard(); got != "a a" {
		t.Errorf("got %q asked, want both calls", got)
	}
}
