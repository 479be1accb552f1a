package forward_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
)

func guarded(t testing.TB, weights ...int) contract.PlannedAPI {
	a := several(t, weights...)
	a.Backend.Breaker = &contract.PlannedBreaker{Failures: 3, Window: 30 * time.Second, Open: 10 * time.Second}
	return a
}

func TestWhatOpensABreaker(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(r *http.Request) (*http.Response, error)
		opens  bool
	}{
		"not reached":  {func(*http.Request) (*http.Response, error) { return nil, errDial }, true},
		"broke off":    {func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, true},
		"502":          {func(*http.Request) (*http.Response, error) { return status(502), nil }, true},
		"503":          {func(*http.Request) (*http.Response, error) { return status(503), nil }, true},
		"504":          {func(*http.Request) (*http.Response, error) { return status(504), nil }, true},
		"a time-out":   {func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }, true},
		"500":          {func(*http.Request) (*http.Response, error) { return status(500), nil }, false},
		"429":          {func(*http.Request) (*http.Response, error) { return status(429), nil }, false},
		"404":          {func(*http.Request) (*http.Response, error) { return status(404), nil }, false},
		"a grant, 200": {func(*http.Request) (*http.Response, error) { return status(200), nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, s := guarded(t, 1), &script{answer: c.answer}
				a.Backend.Breaker.Window = 2 * time.Minute // three time-outs of 30 s fit into it
				f := newFront(a, s)
				f.times(t, 3)
				code, w := f.do(t, "GET", nil)
				if opened := code == "backend_open"; opened != c.opens {
					t.Fatalf("got %s after three, want opened %v", code, c.opens)
				}
				if c.opens && (w.Code != 503 || w.Header().Get("Retry-After") != "10" || strings.Count(s.heard(), "a") != 3) {
					t.Errorf("got %d and Retry-After %q, want 503, 10 and no fourth call", w.Code, w.Header().Get("Retry-After"))
				}
			})
		})
	}
}

// gobreaker counts a call in the moment it began; a time-out as long as the
// window would never count.
func TestTimeOutsAsLongAsTheWindowCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded(t, 1)
		s := &script{answer: func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }}
		f := newFront(a, s)
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() {
				f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
			})
		}
		calls.Wait()
		for range 3 {
			if got := f.result(t); got.code() != "backend_timeout" {
				t.Errorf("got %s, want backend_timeout", got.code())
			}
		}
		if code, _ := f.do(t, "GET", nil); code != "backend_open" {
			t.Errorf("got %s, want backend_open", code)
		}
	})
}

func TestFailuresOutsideTheWindowDontCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(*http.Request) (*http.Response, error) { return status(503), nil }}
		f := newFront(guarded(t, 1), s)
		for range 10 {
			if code, _ := f.do(t, "GET", nil); code != "503" {
				t.Fatalf("got %s, want the backend's 503: two failures in 30 s are not three", code)
			}
			time.Sleep(15 * time.Second)
		}
	})
}

func TestAClientsOwnFaultsSayNothingOfATarget(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	for name, make := range map[string]func() *http.Request{
		"a client that left": func() *http.Request { return httptest.NewRequestWithContext(gone, "GET", "/orders", nil) },
		"a body that breaks off": func() *http.Request {
			return httptest.NewRequestWithContext(t.Context(), "POST", "/orders", io.MultiReader(strings.NewReader("x"), broken{}))
		},
		"a body that is too large": func() *http.Request {
			return httptest.NewRequestWithContext(t.Context(), "POST", "/orders", io.LimitReader(readerFunc(func(p []byte) (int, error) { return len(p), nil }), maxBody+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(r *http.Request) (*http.Response, error) {
				if r.Body != nil {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return nil, err
					}
				}
				return nil, r.Context().Err()
			}}
			f := newFront(guarded(t, 1), s)
			for range 5 {
				f.ServeHTTP(httptest.NewRecorder(), make())
				if got := f.result(t); got.code() == "backend_open" {
					t.Fatal("got the breaker opened, want it closed")
				}
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broke off") }

func TestAHalfOpenBreakerLetsOneCallTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy, probing := false, make(chan struct{})
		s := &script{}
		s.answer = func(*http.Request) (*http.Response, error) { return status(503), nil }
		f := newFront(guarded(t, 1), s)
		f.times(t, 3)
		s.heard()
		s.answer = func(*http.Request) (*http.Response, error) {
			<-probing
			if healthy {
				return status(200), nil
			}
			return status(503), nil
		}
		for _, well := range []bool{false, true} {
			time.Sleep(10*time.Second + time.Millisecond)
			healthy = well
			var probe sync.WaitGroup
			probe.Go(func() {
				f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
			})
			synctest.Wait()
			w := httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
			if got := f.result(t); got.code() != "backend_open" || w.Header().Get("Retry-After") != "1" {
				t.Errorf("got %s and Retry-After %q beside the probe, want backend_open and 1", got.code(), w.Header().Get("Retry-After"))
			}
			probing <- struct{}{}
			probe.Wait()
			if got := s.heard(); got != "a" {
				t.Errorf("got %q asked, want one probe", got)
			}
			f.result(t)
		}
		close(probing)
		if code, _ := f.do(t, "GET", nil); code != "200" {
			t.Errorf("got %s after a good probe, want it closed and 200", code)
		}
	})
}

// A probe that says nothing of the target must not keep the breaker from being tried again.
func TestAProbeWhoseClientLeavesIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(*http.Request) (*http.Response, error) { return status(503), nil }}
		f := newFront(guarded(t, 1), s)
		f.times(t, 3)
		time.Sleep(11 * time.Second)
		s.answer = func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() }
		gone, leave := context.WithCancel(t.Context())
		leave()
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "GET", "/orders", nil))
		f.result(t)
		s.answer = nil
		if code, _ := f.do(t, "GET", nil); code != "200" {
			t.Errorf("got %s, want a second probe and 200", code)
		}
	})
}

// Nor must one whose client takes its time.
func TestAProbeWithASlowBodyIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(*http.Request) (*http.Response, error) { return status(503), nil }}
		f := newFront(guarded(t, 1), s)
		f.times(t, 3)
		<-time.After(11 * time.Second)
		s.answer = func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			return status(200), nil
		}
		var slow sync.WaitGroup
		slow.Go(func() {
			f.ServeHTTP(httptest.NewRecorder(), upload(t, -1, &slowly{pieces: []string{"a"}, pause: 10 * timeout, at: t.Context()}))
		})
		synctest.Wait()
		if code, _ := f.do(t, "GET", nil); code != "backend_open" {
			t.Errorf("got %s beside the probe, want backend_open", code)
		}
		<-time.After(timeout + 2*time.Second)
		if code, _ := f.do(t, "GET", nil); code != "200" {
			t.Errorf("got %s while the first probe's client still sends, want a second probe and 200", code)
		}
		slow.Wait()
	})
}

func TestAnOpenTargetIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "a" {
				return status(502), nil
			}
			return status(200), nil
		}}
		f := newFront(guarded(t, 1, 1), s)
		f.times(t, 6)
		s.heard()
		for range 4 {
			if code, _ := f.do(t, "GET", nil); code != "200" {
				t.Errorf("got %s, want 200 from b", code)
			}
		}
		if got := s.heard(); got != "b b b b" {
			t.Errorf("got %s, want b alone", got)
		}
	})
}

func TestTheFirstTargetToHalfOpenSaysWhenToTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := "a"
		s := &script{answer: func(r *http.Request) (*http.Response, error) {
			if strings.Contains(bad, r.URL.Host) {
				return status(502), nil
			}
			return status(200), nil
		}}
		f := newFront(guarded(t, 1, 1), s)
		f.times(t, 6) // a opens
		time.Sleep(4 * time.Second)
		bad = "ab"
		f.times(t, 3) // b opens
		code, w := f.do(t, "GET", nil)
		if code != "backend_open" || w.Header().Get("Retry-After") != "6" {
			t.Errorf("got %s and Retry-After %q, want backend_open and the 6 s that a has left", code, w.Header().Get("Retry-After"))
		}
	})
}
