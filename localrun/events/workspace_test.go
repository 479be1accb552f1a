package events

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
)

// service answers queries from rows of one table, a row a second from noon on.
type service struct {
	t      *testing.T
	rows   []string
	column string
	asked  []string
	answer func(w http.ResponseWriter) bool // true: it did
}

var bounds = regexp.MustCompile(`datetime\(([^)]+)\)`)

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "Bearer token-1" || r.URL.Path != "/v1/workspaces/ws/query" {
		s.t.Errorf("got %s %v, %v", r.URL, r.Header, err)
	}
	s.asked = append(s.asked, body.Query)
	if s.answer != nil && s.answer(w) {
		return
	}
	found := bounds.FindAllStringSubmatch(body.Query, 2)
	from, _ := time.Parse(time.RFC3339Nano, found[0][1])
	to, _ := time.Parse(time.RFC3339Nano, found[1][1])
	out := [][]any{}
	for i, row := range s.rows {
		if at := noon.Add(time.Duration(i) * time.Second); !at.Before(from) && at.Before(to) && len(out) <= 100 {
			out = append(out, []any{row})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"tables": []any{map[string]any{"name": "PrimaryResult", "columns": []any{map[string]string{"name": s.column, "type": "string"}}, "rows": out}}})
}

func (s *service) read(t *testing.T, holding string) (*Reader, int, error) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	w := &Workspace{Endpoint: server.URL, ID: "ws", Table: DefaultTable, Client: server.Client(), Rows: 100, Token: func(context.Context) (string, error) { return "token-1", nil }}
	r, n := &Reader{}, 0
	err := r.Workspace(t.Context(), w, noon, noon.Add(time.Hour), holding, true, func(audit.Event) { n++ })
	return r, n, err
}

func TestAWorkspaceIsReadInPieces(t *testing.T) {
	s := &service{t: t, column: "Message"}
	for i := range 150 { // a second apart
		s.rows = append(s.rows, line(audit.Decision, fmt.Sprint(i)))
	}
	r, n, err := s.read(t, "")
	if err != nil || n != 150 || r.Stats.Repeated != 0 || len(s.asked) < 5 {
		t.Errorf("got %d events in %d queries, %+v, %v", n, len(s.asked), r.Stats, err)
	}
}

func TestWhatIsAskedOfAWorkspaceIsEscaped(t *testing.T) {
	s := &service{t: t, column: "Message", rows: []string{line(audit.Decision, "1")}}
	if _, n, err := s.read(t, `x" | union Secrets //`); err != nil || n != 1 {
		t.Errorf("got %d, %v", n, err)
	}
	if want := `contains_cs "x\" | union Secrets //"`; !strings.Contains(s.asked[0], want) {
		t.Errorf("got %s, want %s", s.asked[0], want)
	}
	custom := (&Workspace{Table: "Tollgate_CL"}).query(noon, noon, "")
	if custom != "['Tollgate_CL'] | where TimeGenerated >= datetime(2026-11-26T12:00:00Z) and TimeGenerated < datetime(2026-11-26T12:00:00Z) | take 20001" {
		t.Errorf("got %s", custom)
	}
}

// Kusto's datetime counts 100 ns, and written times of its reference have seven digits.
func TestAWorkspaceIsAskedInKustosTicks(t *testing.T) {
	w := &Workspace{Table: "T"}
	for at, want := range map[time.Duration]string{
		0: "12:00:00Z", 1: "12:00:00.0000001Z", 100: "12:00:00.0000001Z", 123456789: "12:00:00.1234568Z", 999999999: "12:00:01Z", time.Millisecond: "12:00:00.001Z",
	} {
		found := bounds.FindAllStringSubmatch(w.query(noon.Add(at), noon.Add(at), ""), 2)
		if from, to := found[0][1], found[1][1]; from != "2026-11-26T"+want || to != from {
			t.Errorf("%s: got %s and %s, want %s", at, from, to, want)
		}
	}
}

func TestAWorkspacesRefusalIsTold(t *testing.T) {
	for want, text := range map[string]string{
		`says 403 InsufficientAccessError: "no \x1b[31m"`: `{"error":{"code":"InsufficientAccessError","message":"no \u001b[31m"}}`,
		"says 403 Forbidden":                              `<html>`,
	} {
		s := &service{t: t, answer: func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(text))
			return true
		}}
		if _, _, err := s.read(t, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	// A part of the rows is no answer: the time is halved until it is whole.
	s := &service{t: t, column: "Message", rows: []string{line(audit.Decision, "1")}}
	s.answer = func(w http.ResponseWriter) bool {
		if len(s.asked) > 1 {
			return false
		}
		_, _ = w.Write([]byte(`{"tables":[{"name":"PrimaryResult","columns":[],"rows":[]}],"error":{"code":"PartialError","message":"There were some errors when processing your query."}}`))
		return true
	}
	if _, n, err := s.read(t, ""); err != nil || n != 1 || len(s.asked) != 3 {
		t.Errorf("got %d events in %d queries, %v", n, len(s.asked), err)
	}
}
