package forward_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/wire"
)

// script is a transport that answers as a test says, by host, and remembers who was asked.
type script struct {
	mu     sync.Mutex
	asked  []string
	answer func(r *http.Request) (*http.Response, error)
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Host)
	s.mu.Unlock()
	if s.answer == nil {
		return status(200), nil
	}
	return s.answer(r)
}

// heard is who was asked since the last look, in order.
func (s *script) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.asked, " ")
	s.asked = nil
	return all
}

func status(code int) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody}
}

var errDial = wire.NotSent(errors.New("dial: connection refused"))

// several is an API with targets a, b, … of the given weights.
func several(t testing.TB, weights ...int) contract.PlannedAPI {
	a := api(t, "http://a")
	a.Backend.Targets = nil
	for i, w := range weights {
		a.Backend.Targets = append(a.Backend.Targets, contract.PlannedTarget{URL: &url.URL{Scheme: "http", Host: string(rune('a' + i))}, Weight: w, Rule: fmt.Sprintf("backend.targets.%d.url", i)})
	}
	return a
}

// do makes one call and gives what the caller sees: the status, or the refusal's code.
func (f *front) do(t testing.TB, method string, body io.Reader) (code string, w *httptest.ResponseRecorder) {
	t.Helper()
	w = httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, "/orders", body)
	f.ServeHTTP(w, r)
	if got := f.result(t); got.refused != nil {
		return got.refused.Code, w
	}
	return fmt.Sprint(w.Code), w
}

func (f *front) times(t testing.TB, n int) {
	t.Helper()
	for range n {
		f.do(t, "GET", nil)
	}
}

func TestTargetsGetTheirSharesAndNoneInARow(t *testing.T) {
	for _, c := range []struct {
		weights []int
		want    string
	}{
		{[]int{1}, "a a a a"},
		{[]int{1, 1}, "a b a b"},
		{[]int{3, 1}, "a a b a a a b a"},
		{[]int{5, 1, 1}, "a a b a c a a"},
		{[]int{1, 2, 3}, "c b a c b c"},
	} {
		s := &script{}
		newFront(several(t, c.weights...), s).times(t, len(strings.Fields(c.want)))
		if got := s.heard(); got != c.want {
			t.Errorf("%v: got %s, want %s", c.weights, got, c.want)
		}
	}
}

func TestACallThatNeverLeftGoesToTheNextTargetAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "a" {
				return nil, errDial
			}
			return status(200), nil
		}}
		a := several(t, 1, 1)
		a.Backend.Retries = 1
		f, began := newFront(a, s), time.Now()
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"} {
			if code, _ := f.do(t, method, nil); code != "200" {
				t.Errorf("%s: got %s, want 200 from the other target", method, code)
			}
		}
		if got, want := s.heard(), "a b b b b b"; got != want {
			t.Errorf("got %s, want %s: a is passed over once it couldn't be reached", got, want)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("got %s of waiting, want none between two targets", took)
		}
		time.Sleep(6 * time.Second)
		f.do(t, "GET", nil)
		if got := s.heard(); !strings.HasPrefix(got, "a") && got != "b" {
			t.Errorf("got %s after the rest, want a in turn again", got)
		}
	})
}

func TestTheSameTargetIsTriedAgainAfterAPauseThatTheTimeoutBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(*http.Request) (*http.Response, error) { return nil, errDial }}
		a := several(t, 1)
		a.Backend.Retries = 5
		f, began := newFront(a, s), time.Now()
		code, _ := f.do(t, "GET", nil)
		if got := s.heard(); code != "backend_unreachable" || got != "a a a a a a" {
			t.Errorf("got %s and %s, want backend_unreachable after six attempts", code, got)
		}
		if took, want := time.Since(began), (50+100+200+400+500)*time.Millisecond; took != want {
			t.Errorf("got %s of pauses, want %s", took, want)
		}
		a.Backend.Timeout = 100 * time.Millisecond
		f, began = newFront(a, s), time.Now()
		code, _ = f.do(t, "GET", nil)
		if took := time.Since(began); code != "backend_timeout" || took != 100*time.Millisecond {
			t.Errorf("got %s after %s, want backend_timeout after the timeout", code, took)
		}
	})
}

// Whatever happens at whichever attempt, a call that may not be repeated is sent
// once, and one that reached a target is never sent to a second.
func TestNothingThatMayHaveArrivedIsSentTwice(t *testing.T) {
	endings := map[string]func() (*http.Response, error){
		"refused":   func() (*http.Response, error) { return nil, errDial },
		"broke off": func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"nonsense":  func() (*http.Response, error) { return nil, &wire.Fault{Status: 400, Reason: "nonsense"} },
		"503":       func() (*http.Response, error) { return status(503), nil },
		"200":       func() (*http.Response, error) { return status(200), nil },
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"} {
		for first, firstly := range endings {
			for then, secondly := range endings {
				for _, n := range []int{1, 2, 3} {
					synctest.Test(t, func(t *testing.T) {
						calls := 0
						s := &script{answer: func(r *http.Request) (*http.Response, error) {
							if calls++; calls == 1 {
								return firstly()
							}
							return secondly()
						}}
						a := several(t, []int{1, 1, 1}[:n]...)
						a.Backend.Retries = 1
						newFront(a, s).do(t, method, nil)
						want := 1
						if first == "refused" && contract.Idempotent(method) {
							want = 2
						}
						if calls != want {
							t.Errorf("%s over %d targets, %s then %s: got it sent %d times, want %d", method, n, first, then, calls, want)
						}
					})
				}
			}
		}
	}
}

func TestWithoutTheWordNothingIsTriedAgain(t *testing.T) {
	s := &script{answer: func(*http.Request) (*http.Response, error) { return nil, errDial }}
	if code, _ := newFront(several(t, 1, 1), s).do(t, "GET", nil); code != "backend_unreachable" || s.heard() != "a" {
		t.Errorf("got %s, want one attempt and backend_unreachable", code)
	}
}

func TestABodyIsWholeAtTheNextTarget(t *testing.T) {
	var got string
	s := &script{answer: func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "a" {
			_ = r.Body.Close() // as a transport does that has failed
			return nil, errDial
		}
		text, err := io.ReadAll(r.Body)
		got = string(text)
		return status(200), err
	}}
	a := several(t, 1, 1)
	a.Backend.Retries = 1
	if code, _ := newFront(a, s).do(t, "PUT", strings.NewReader("whole")); code != "200" || got != "whole" {
		t.Errorf("got %s with %q at the backend, want 200 with the whole body", code, got)
	}
}
