package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tollgate/localrun/backend"
	"tollgate/shared/audit"
)

// F116, F118: what a delivery refuses is an event too, with the rule that decided.
func TestRefusalsOfTheDeliveryLeaveTheirEvent(t *testing.T) {
	for name, c := range map[string]struct {
		backend http.HandlerFunc
		length  int64
		status  int
		code    string
		rule    string
	}{
		"a body over the cap":             {nil, 1 << 20, 413, "body_too_large", "maxBody"},
		"a body over the cap, uncounted":  {nil, -1, 413, "body_too_large", "maxBody"},
		"a backend that keeps us waiting": {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, 5, 504, "backend_timeout", "backend.timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			var h http.Handler = c.backend
			contract := quick
			if c.backend == nil {
				h = echo()
			} else {
				contract = strings.Replace(quick, "\" }", "\", timeout: 50ms }", 1)
			}
			s := newStand(t, h, "quick.yaml", contract)
			r := request(t, "POST", "/quick/x?q=mark3d")
			r.ContentLength, r.Body = c.length, io.NopCloser(strings.NewReader(strings.Repeat("mark3d", 10_000)[:min(max(int(c.length), 5), 60_000)]))
			if c.length < 0 {
				r.Body = io.NopCloser(strings.NewReader(strings.Repeat("mark3d", 10_000)))
			}
			w, _ := s.answer(r)
			event, line := s.events.next(t)
			s.events.none(t)
			if w.Code != c.status || event.Status != c.status || event.Code != c.code || event.Rule != c.rule || event.Verdict != audit.Refused || event.API != "quick" || event.Operation != "write" {
				t.Errorf("got status %d and %s, want %d %s by %s", w.Code, line, c.status, c.code, c.rule)
			}
			if word, found := holds(everything(w), s.address, "mark3d", "127.0.0.1"); found || strings.Contains(line, "mark3d") || w.Body.Len() >= 1<<10 {
				t.Errorf("got %q in the answer or the event:\n%s%s", word, everything(w), line)
			}
		})
	}
}

// F121: a conditional or partial request is judged like any other.
func TestF121NoConditionGetsPastTheRule(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Cache-Control", "private")
		w.Header().Set("Vary", "Authorization")
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.WriteHeader(http.StatusPartialContent)
	}))
	for _, header := range []string{`If-None-Match: "v1"`, "If-None-Match: *", "Range: bytes=0-1", "If-Modified-Since: Mon, 23 Nov 2026 12:00:00 GMT", "If-Match: *"} {
		s.refused(t, request(t, "GET", "/orders/1", header), 401, "token_missing")
		s.refused(t, request(t, "HEAD", "/orders/1", header), 401, "token_missing")
	}
	for header, status := range map[string]int{`If-None-Match: "v1"`: 304, "Range: bytes=0-1": 206} {
		w, _ := s.answer(request(t, "GET", "/orders/1", header, bearer(mint(t, reader))))
		if w.Code != status || w.Header().Get("Cache-Control") != "private" || w.Header().Get("Vary") != "Authorization" {
			t.Errorf("%s: got status %d and %v, want the backend's %d, private", header, w.Code, w.Header(), status)
		}
		s.events.next(t)
	}
}

// Many calls at once: each has its own answer, event and identity.
func TestCallsDontMix(t *testing.T) {
	rec := backend.Record(echo())
	s := newStand(t, rec)
	server := s.serve(t)
	const callers, calls = 16, 12
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{} // correlation → status
	for i := range callers {
		token := reader
		token.User = fmt.Sprintf("0badf00d-0000-4000-8000-%012d", i)
		text := mint(t, token)
		wg.Go(func() {
			for j := range calls {
				target, header, want := "/orders/1", "Bearer "+text, 200
				switch j % 4 {
				case 1:
					target, want = "/manage/x", 401
				case 2:
					target, want = "/orders/%2e", 400
				case 3:
					target = "/public/x"
				}
				r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
				r.URL.Opaque = target
				r.Header.Set("Authorization", header)
				resp, err := server.Client().Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != want || (j%4 == 0) != strings.Contains(string(body), token.User) {
					t.Errorf("%s: got %s and %s, want %d and nobody else's identity", target, resp.Status, body, want)
				}
				mu.Lock()
				answers[resp.Header.Get("X-Correlation-Id")] = resp.StatusCode
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(answers) != callers*calls {
		t.Fatalf("got %d different ids, want %d", len(answers), callers*calls)
	}
	for range callers * calls {
		if event, _ := s.events.next(t); answers[event.Correlation] != event.Status {
			t.Errorf("got event %+v for an answer with status %d", event, answers[event.Correlation])
		}
	}
	server.Close()
	s.events.none(t)
	if got := s.keys.calls.Load(); got > 3 { // discovery, keys, and one forced look at most
		t.Errorf("got %d calls for keys, want them fetched once for all", got)
	}
}

// exploding is an answer whose body panics after its first piece.
type exploding struct{ read bool }

func (e *exploding) Read(p []byte) (int, error) {
	if e.read {
		panic("mark3d")
	}
	e.read = true
	return copy(p, "first"), nil
}
func (e *exploding) Close() error { return nil }

type answers struct{ body io.ReadCloser }

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	if a.body == nil {
		panic("mark3d")
	}
	return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{}, Body: a.body}, nil
}

// A fault of ours is an answer or a broken connection, one event, and no more is told outside.
func TestAPanicLeavesItsEvent(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"before the answer": nil, "in the midst of it": &exploding{}} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, echo())
			var told []error
			s.parts.Backends, s.parts.Report = over(answers{body}), func(err error) { told = append(told, err) }
			s.Gateway = Compile(s.plan, s.parts)
			w, broken := s.answer(request(t, "GET", "/public/x"))
			event, line := s.events.next(t)
			s.events.none(t)
			if body == nil && (broken || w.Code != 500 || event.Status != 500 || event.Verdict != audit.Refused || problemOf(t, w.Body.Bytes()).CorrelationID != event.Correlation) {
				t.Errorf("got status %d and event %s, want 500 for both", w.Code, line)
			}
			if body != nil && (!broken || event.Code == "granted" || strings.HasPrefix(event.Code, "backend")) {
				t.Errorf("got broken %t and event %s, want a broken connection that isn't put on the backend", broken, line)
			}
			if strings.Contains(everything(w)+line, "mark3d") || len(told) != 1 || !strings.Contains(errors.Join(told...).Error(), "mark3d") {
				t.Errorf("got %v reported, answer:\n%s\nevent: %s\nwant the panic in the report alone", told, everything(w), line)
			}
		})
	}
}
