package kql_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/audit"
)

// filling is what people, or Terraform, put where a query has an empty list or text.
type filling map[string]any

// example is that of the questions and rules below.
func example() filling { return filling{"Issued": issued, "Grants": grants, "Wanted": wanted} }

// fill does what README.md there shows: it replaces one line.
func (f filling) fill(t *testing.T, body string) string {
	t.Helper()
	for name, value := range f {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		empty, full := "dynamic([]);", "dynamic("+string(b)+");"
		if _, text := value.(string); text {
			empty, full = `"";`, string(b)+";"
		}
		body = strings.Replace(body, "let "+name+" = "+empty+"\n", "let "+name+" = "+full+"\n", 1)
	}
	return body
}

func (e *engine) says(t *testing.T, name string, r *recording) []row {
	t.Helper()
	return e.saysOf(t, name, r, example())
}

// saysOf is the query's answer over the recording. Its platform shows it no row that
// is older than its period.
func (e *engine) saysOf(t *testing.T, name string, r *recording, with filling) []row {
	t.Helper()
	for _, q := range queries(t) {
		if q.name != name {
			continue
		}
		tables, oldest := map[string][]row{}, at(now.Add(-period(t, q.header["Period"])))
		for table, rows := range r.tables {
			tables[table] = []row{}
			for _, one := range rows {
				when, _ := one["TimeGenerated"].(string)
				if table == "traces" {
					when, _ = one["timestamp"].(string)
				}
				if when >= oldest {
					tables[table] = append(tables[table], one)
				}
			}
		}
		return e.eitherWay(t, question{Text: deployed(t, with.fill(t, q.body)), Schema: schema(), Tables: tables, Now: at(now)})
	}
	t.Fatalf("no query %s", name)
	return nil
}

// eitherWay is the answer, which must not depend on the order in which a table has
// its rows, nor on what Kusto's reference leaves open.
func (e *engine) eitherWay(t *testing.T, q question) []row {
	t.Helper()
	one := e.ask(t, q)
	q.Other = true
	for _, rows := range q.Tables {
		slices.Reverse(rows)
	}
	other := e.ask(t, q)
	for _, a := range []answer{one, other} {
		if a.Error != "" || len(a.Diagnostics) > 0 {
			t.Fatalf("%s%q", a.Error, a.Diagnostics)
		}
	}
	if diff := cmp.Diff(one.Rows, other.Rows); diff != "" {
		t.Errorf("it depends on the order of rows, or on the reading (-one +other):\n%s", diff)
	}
	return one.Rows
}

// agrees compares, row by row, what the query says with what its model does.
func (e *engine) agrees(t *testing.T, name string, r *recording) []row {
	t.Helper()
	b, err := json.Marshal(models[name](r.events))
	if err != nil {
		t.Fatal(err)
	}
	var want []row
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	got := e.says(t, name, r)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("%s (-model +query):\n%s", name, diff)
	}
	return got
}

func eachQuerySaysWhatItsModelSays(t *testing.T, e *engine) {
	r := mixed(t)
	stream := anything(fixed(), now.Add(-time.Hour))
	stream.Correlation, stream.Event, stream.Cause, stream.Marks = wanted, audit.Started, "because", []string{"limit_outage:daily:local"}
	stream.Claims, stream.Limits = []audit.Claim{{Name: "roles", Values: []string{"A", "B"}}}, []audit.Limit{{Name: "daily", Left: 3, Reset: time.Minute}}
	r.add(stream, inTable|inTraces, "i-1")
	stream.Event = audit.Ended
	r.add(stream, inOld, "i-1")
	for _, q := range queries(t) {
		t.Run(q.name, func(t *testing.T) {
			if models[q.name] == nil {
				t.Fatal("it has no model")
			}
			if rows := e.agrees(t, q.name, r); len(rows) == 0 {
				t.Error("the recording has nothing for it")
			}
		})
	}
}
