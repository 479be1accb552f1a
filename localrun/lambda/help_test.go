package lambda_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/localrun/lambda"
)

// standing is a stand-in with the test's own bootstrap, and what it told.
type standing struct {
	*lambda.Lambda
	mu     sync.Mutex
	lines  []string
	events []lambda.Event
	told   chan struct{} // closed and made anew at each line or event
}

func stand(t *testing.T, kind lambda.Kind, child string, adjust ...func(*lambda.Options)) *standing {
	t.Helper()
	s := &standing{told: make(chan struct{})}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := lambda.Options{
		Bootstrap: self, Kind: kind, Settings: map[string]string{childVariable: child, "GORACE": "atexit_sleep_ms=0"},
		Log:    func(l lambda.Line) { s.note(func() { s.lines = append(s.lines, l.Text) }) },
		Events: func(e lambda.Event) { s.note(func() { s.events = append(s.events, e) }) },
	}
	for _, a := range adjust {
		a(&o)
	}
	if s.Lambda, err = lambda.Start(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if pids := s.PIDs(); len(pids) != 0 {
			t.Errorf("got the processes %v after Close, want none", pids)
		}
	})
	return s
}

func (s *standing) note(take func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	take()
	close(s.told)
	s.told = make(chan struct{})
}

// await waits until the stand-in has told of so many events of this kind.
func (s *standing) await(t *testing.T, kind string, n int) []lambda.Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		var found []lambda.Event
		for _, e := range s.events {
			if e.Kind == kind {
				found = append(found, e)
			}
		}
		told := s.told
		s.mu.Unlock()
		if len(found) >= n {
			return found
		}
		select {
		case <-told:
		case <-deadline:
			t.Fatalf("got the events %v, want %d of %s", s.events, n, kind)
		}
	}
}

func (s *standing) awaitLine(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		there, told := slices.Contains(s.lines, want), s.told
		s.mu.Unlock()
		if there {
			return
		}
		select {
		case <-told:
		case <-deadline:
			t.Fatalf("got the lines %q, want %q", s.lines, want)
		}
	}
}

// answer is what came back, whole.
type answer struct {
	*http.Response
	body string
}

// client sends what it is told to, and nothing more.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (s *standing) get(t *testing.T, query string, headers ...string) answer {
	t.Helper()
	return s.send(t, http.MethodGet, "/x?"+query, "", headers...)
}

func (s *standing) send(t *testing.T, method, target, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, s.URL()+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		if r.Header.Add(name, value); name == "Host" {
			r.Host = value
		}
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(text)}
}

// event is the one that the function got for a request.
func (s *standing) event(t *testing.T, method, target, body string, headers ...string) map[string]any {
	t.Helper()
	a := s.send(t, method, target, body, headers...)
	return decoded[map[string]any](t, a)
}

func decoded[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	if a.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s, want 200", a.StatusCode, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("got %q: %v", a.body, err)
	}
	return v
}

func payload(text string) string { return "do=payload&payload=" + url.QueryEscape(text) }

// ask sends one request to a front before a function that answers with text.
func ask(kind lambda.Kind, text string) answer {
	front := lambda.NewFront(kind, func(context.Context, string, []byte) (*lambda.Reply, error) {
		return &lambda.Reply{Type: "application/json", Body: io.NopCloser(strings.NewReader(text))}, nil
	})
	w := httptest.NewRecorder()
	front.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", nil))
	return answer{w.Result(), w.Body.String()}
}

// rest waits until every process is stopped, or would be.
func (s *standing) rest(t *testing.T) {
	t.Helper()
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
}
