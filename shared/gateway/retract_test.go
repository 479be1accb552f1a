package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/shared/pipeline"
)

// holding is a front end that takes whole answers of at most most bytes.
type holding struct {
	*httptest.ResponseRecorder
	most int
	out  bool // some of the answer is out already
}

func (h *holding) Write(p []byte) (int, error) {
	if h.Body.Len()+len(p) > h.most {
		return 0, pipeline.ErrAnswerTooLarge
	}
	return h.ResponseRecorder.Write(p)
}

func (h *holding) Retract() bool {
	if h.out {
		return false
	}
	h.ResponseRecorder = httptest.NewRecorder()
	h.most = 1 << 20
	return true
}

func TestAnAnswerThatIsStillHeldBackIsRefusedInsteadOfBroken(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Backend", "said")
		_, _ = io.WriteString(w, strings.Repeat("a", 100))
	}))
	w := &holding{ResponseRecorder: httptest.NewRecorder(), most: 10}
	s.ServeHTTP(w, request(t, "GET", "/orders/42", bearer(mint(t, reader))))
	event, _ := s.events.next(t)
	if p := problemOf(t, w.Body.Bytes()); w.Code != 502 || p.Code != "answer_too_large" || w.Header().Get("X-Backend") != "" {
		t.Errorf("got %d %q with %v, want 502 answer_too_large and nothing of the backend", w.Code, p.Code, w.Header())
	}
	if event.Status != 502 || event.Code != "answer_too_large" || event.BackendStatus != 200 || event.Sent != 0 {
		t.Errorf("got event %+v, want 502 answer_too_large, and that the backend had answered", event)
	}
}

func TestAnAnswerThatIsPartlyOutIsBroken(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("a", 100)) }))
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("got %v, want the answer broken off", err)
		}
		if event, _ := s.events.next(t); event.Code != "answer_too_large" || event.Status != 200 {
			t.Errorf("got event %+v, want answer_too_large after 200", event)
		}
	}()
	s.ServeHTTP(&holding{ResponseRecorder: httptest.NewRecorder(), most: 10, out: true}, request(t, "GET", "/orders/42", bearer(mint(t, reader))))
}

func TestACallThatThePlatformEndsIsToldSo(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	s := newStand(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end(pipeline.ErrOutOfTime)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request(t, "GET", "/orders/42", bearer(mint(t, reader))).WithContext(ctx))
	if event, _ := s.events.next(t); w.Code != 504 || event.Code != "invocation_timeout" || event.Status != 504 {
		t.Errorf("got %d and event %+v, want 504 invocation_timeout", w.Code, event)
	}
}

func TestAVerdictAloneLeavesItsEventAndCallsNobody(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	call, refused := s.Judge(request(t, "GET", "/orders/42", bearer(mint(t, reader))))
	event, _ := s.events.next(t)
	if refused != nil || call.Forward.Get("X-Auth-Sub") == "" || event.Verdict != "granted" || event.Operation == "" || s.backend.Count() != 0 {
		t.Errorf("got %v, %v, event %+v and %d calls, want a grant with claims, its event, and none", refused, call.Forward, event, s.backend.Count())
	}
	_, refused = s.Judge(request(t, "GET", "/orders/42"))
	if event, _ := s.events.next(t); refused == nil || refused.Code != "token_missing" || event.Status != 401 || event.Code != "token_missing" {
		t.Errorf("got %v and event %+v, want 401 token_missing in both", refused, event)
	}
}
