package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/audit/ingest"
	"tollgate/shared/contract"
)

type tokens struct{ err error }

func (t tokens) Token(_ context.Context, id, scope string) (string, error) {
	return "token for " + id + " " + scope, t.err
}

// service is a stand-in for both, with what it is told to answer next.
type service struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	answers  []func(http.ResponseWriter)
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	if len(s.answers) > 0 {
		next := s.answers[0]
		s.answers = s.answers[1:]
		next(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func status(code int, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "secret words of the service")
	}
}

func start(t *testing.T, answers ...func(http.ResponseWriter)) (*service, string) {
	s := &service{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func sender() ingest.Sender {
	return ingest.Sender{Tokens: tokens{}, Identity: "me", Transport: http.DefaultTransport}
}

func lines(t *testing.T, n int) (all [][]byte) {
	t.Helper()
	for range n {
		e := audit.Event{Event: audit.Decision, Correlation: "c", Cause: `a "quoted" \ cause`, Code: audit.Granted, Verdict: audit.Granted, Time: time.Unix(1, 0).UTC()}
		all = append(all, e.Append(nil))
	}
	return all
}

func TestLogsIngestion(t *testing.T) {
	s, url := start(t)
	send := sender().Logs(contract.LogsSink{Endpoint: url, Rule: "dcr-1", Stream: "Custom-Tollgate"})
	if err := send(t.Context(), lines(t, 3)); err != nil {
		t.Fatal(err)
	}
	r := s.requests[0]
	if r.Method != "POST" || r.RequestURI != "/dataCollectionRules/dcr-1/streams/Custom-Tollgate?api-version=2023-01-01" ||
		r.Header.Get("Authorization") != "Bearer token for me https://monitor.azure.com/.default" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s %s %v", r.Method, r.RequestURI, r.Header)
	}
	var records []json.RawMessage
	if err := json.Unmarshal([]byte(s.bodies[0]), &records); err != nil || len(records) != 3 {
		t.Fatalf("got %d records (%v), want 3", len(records), err)
	}
	if e, err := audit.Parse(records[2]); err != nil || e.Cause != `a "quoted" \ cause` {
		t.Errorf("got %+v (%v)", e, err)
	}
}

func TestEventHub(t *testing.T) {
	s, url := start(t, status(201))
	send := sender().EventHub(contract.EventHub{Namespace: url, Name: "audit"})
	if err := send(t.Context(), lines(t, 2)); err != nil {
		t.Fatal(err)
	}
	r := s.requests[0]
	if r.Method != "POST" || !strings.HasPrefix(r.RequestURI, "/audit/messages?api-version=2014-01") ||
		r.Header.Get("Authorization") != "Bearer token for me https://eventhubs.azure.net/.default" || r.Header.Get("Content-Type") != "application/vnd.microsoft.servicebus.json" {
		t.Errorf("got %s %s %v", r.Method, r.RequestURI, r.Header)
	}
	var messages []struct{ Body string }
	if err := json.Unmarshal([]byte(s.bodies[0]), &messages); err != nil || len(messages) != 2 {
		t.Fatalf("got %d messages (%v), want 2", len(messages), err)
	}
	if e, err := audit.Parse([]byte(messages[1].Body)); err != nil || e.Cause != `a "quoted" \ cause` {
		t.Errorf("got %+v (%v)", e, err)
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		is     error
		wait   time.Duration
	}{
		"413":               {status(413), audit.ErrTooLarge, 0},
		"400":               {status(400), audit.ErrNever, 0},
		"429":               {status(429, "Retry-After", "17"), nil, 17 * time.Second},
		"503":               {status(503), nil, 0},
		"403":               {status(403), nil, 0},
		"a redirect":        {status(307, "Location", "https://elsewhere.example"), nil, 0},
		"a strange waiting": {status(429, "Retry-After", "-5"), nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, url := start(t, c.answer)
			err := sender().Logs(contract.LogsSink{Endpoint: url, Rule: "dcr-1", Stream: "s"})(t.Context(), lines(t, 1))
			again, isAgain := errors.AsType[*audit.Again](err)
			switch {
			case err == nil, strings.Contains(err.Error(), "secret"), strings.Contains(err.Error(), "token for"):
				t.Errorf("got %v, want an error that tells the status alone", err)
			case c.is != nil && !errors.Is(err, c.is):
				t.Errorf("got %v, want %v", err, c.is)
			case c.is == nil && (!isAgain || again.Wait != c.wait):
				t.Errorf("got %v, want another try after %s", err, c.wait)
			}
		})
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	s, url := start(t)
	none := ingest.Sender{Tokens: tokens{errors.New("no identity")}, Transport: http.DefaultTransport}
	if err := none.EventHub(contract.EventHub{Namespace: url, Name: "audit"})(t.Context(), lines(t, 1)); err == nil || len(s.requests) != 0 {
		t.Errorf("got %v and %d requests, want an error and none", err, len(s.requests))
	}
}

// Down, then throttled, then too large, then well: every event arrives once, or is counted.
func TestThroughFaultsEachEventArrivesOrIsCounted(t *testing.T) {
	arrived := 0
	var s *service
	s, url := start(t, status(503), status(429, "Retry-After", "1"), status(413), status(413))
	now := time.Now()
	var clock sync.Mutex
	var total int64
	b := audit.NewBatches(audit.BatchOptions{
		Name: "logs", Send: sender().Logs(contract.LogsSink{Endpoint: url, Rule: "dcr-1", Stream: "s"}),
		Now: func() time.Time { clock.Lock(); defer clock.Unlock(); return now },
		Report: func(err error) {
			if l, ok := errors.AsType[*audit.Loss](err); ok {
				total = l.Total
			}
		},
	})
	for n := range 500 {
		_ = b.Record(t.Context(), &audit.Event{Event: audit.Decision, Correlation: string(rune('a' + n%26)), Code: audit.Granted, Verdict: audit.Granted, Time: now})
	}
	for range 20 {
		_ = b.Flush(t.Context())
		clock.Lock()
		now = now.Add(time.Minute)
		clock.Unlock()
	}
	b.Close(t.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range s.bodies[4:] {
		var records []json.RawMessage
		if err := json.Unmarshal([]byte(body), &records); err != nil {
			t.Fatal(err)
		}
		arrived += len(records)
	}
	if arrived != 500 || total != 0 {
		t.Errorf("got %d events and %d lost, want all 500", arrived, total)
	}
}
