package kql_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/tests/desk"
	"tollgate/tests/need"
)

// question is what server.mjs is asked.
type question struct {
	Text   string                       `json:"text"`
	Schema map[string]map[string]string `json:"schema"`
	Tables map[string][]row             `json:"tables,omitempty"`
	Now    string                       `json:"now,omitempty"`
	Other  bool                         `json:"other,omitempty"` // reading of what Kusto's reference leaves open
}

type row = map[string]any

// answer is what it says.
type answer struct {
	Error       string
	Diagnostics []string
	Columns     []struct{ Name, Type string }
	Rows        []row
}

// engine is a server; asking it takes turns. Beside it stands the command, for
// those who ask both.
type engine struct {
	mu   sync.Mutex
	in   io.Writer
	out  *bufio.Scanner
	desk func() desk.Desk
}

func start(t *testing.T) *engine {
	t.Helper()
	in, out := need.Node(t, "@kusto/language-service-next")
	out.Buffer(nil, 64<<20)
	return &engine{in: in, out: out, desk: sync.OnceValue(func() desk.Desk { return desk.Bare(t) })}
}

func (e *engine) ask(t *testing.T, q question) answer {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	said, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.in.Write(append(said, '\n')); err != nil || !e.out.Scan() {
		t.Fatalf("server.mjs ended (%v)", err)
	}
	var a answer
	if err := json.Unmarshal(e.out.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// schema is both shapes: the table, whose columns follow from the event's own
// type, and what of Application Insights' tables the queries read.
func schema() map[string]map[string]string {
	table := map[string]string{}
	for _, c := range audit.Columns() {
		table[c.Name] = c.Type
	}
	return map[string]map[string]string{
		"TollgateAudit_CL": table,
		"AppTraces":        {"TimeGenerated": "datetime", "Message": "string", "AppRoleInstance": "string"},
		"traces":           {"timestamp": "datetime", "message": "string", "cloud_RoleInstance": "string"},
	}
}

// query is one of the files.
type query struct {
	name   string
	body   string
	header map[string]string
}

func folder(t *testing.T) string {
	return filepath.Join(need.Root(t), "infra/modules/observability/queries")
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// queries are all files but the one that each is put behind.
func queries(t *testing.T) []query {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder(t), "[a-z]*.kql"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no queries (%v)", err)
	}
	var all []query
	for _, name := range names {
		q := query{name: strings.TrimSuffix(filepath.Base(name), ".kql"), header: map[string]string{}}
		q.body = read(t, filepath.Base(name))
		for line := range strings.Lines(q.body) {
			if key, value, found := strings.Cut(strings.TrimPrefix(line, "// "), ": "); found && strings.HasPrefix(line, "// ") {
				q.header[key] = strings.TrimSpace(value)
			}
		}
		all = append(all, q)
	}
	return all
}

// deployed is a query as it is deployed: behind what all share.
func deployed(t *testing.T, body string) string { return read(t, "_events.kql") + body }

// period reads an ISO 8601 duration of days, hours and minutes.
func period(t *testing.T, s string) time.Duration {
	t.Helper()
	rest, found := strings.CutPrefix(s, "P")
	if !found {
		t.Fatalf("%q is no duration", s)
	}
	days, clock, _ := strings.Cut(rest, "T")
	var d time.Duration
	if n, found := strings.CutSuffix(days, "D"); found {
		h, err := time.ParseDuration(n + "h")
		if err != nil {
			t.Fatal(err)
		}
		d = 24 * h
	}
	if clock != "" {
		c, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil {
			t.Fatal(err)
		}
		d += c
	}
	return d
}
