package kql_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/audit"
)

// An event is the same one, whichever way it came, and all of it is there.
func bothShapesGiveTheSameEvent(t *testing.T, e *engine) {
	when := now.Add(-time.Minute)
	full := refused(when, 403, "insufficient_scope")
	full.Cause, full.Marks, full.Client, full.Principal, full.User, full.Tenant, full.App = "because", []string{"revocation_stale"}, "2001:db8::7", "user", "u", "t", "a"
	full.Session, full.Issuer, full.Subscription, full.Product, full.Correlation = "k", "https://issuer.example", "s", "partner", wanted
	full.Claims, full.Limits = []audit.Claim{{Name: "scp", Values: []string{"x y"}}}, []audit.Limit{{Name: "all", Left: -1}}
	full.Omitted, full.Pseudonyms = []string{"path"}, []string{"user", "address"}
	full.Trace, full.Invocation = "abababababababababababababababab", "inv"
	none := from(when)
	none.API, none.Operation, none.Client, none.Status, none.Contract = "", "", "", 0, ""
	for name, event := range map[string]audit.Event{"full": full, "empty": none} {
		for _, where := range []int{inTable, inTraces, inOld, inTable | inTraces | inOld} {
			r := record(t)
			r.add(event, where, "i-1")
			got := e.ask(t, question{Text: deployed(t, "TollgateEvents(now() - 1d, now())"), Schema: schema(), Tables: r.tables, Now: at(now)})
			if got.Error != "" || len(got.Diagnostics) > 0 || len(got.Rows) != 1 {
				t.Fatalf("%s in %d: %s%q %v", name, where, got.Error, got.Diagnostics, got.Rows)
			}
			if diff := cmp.Diff(normalised(t, r.events[0]), got.Rows[0]); diff != "" {
				t.Errorf("%s in %d (-event +query):\n%s", name, where, diff)
			}
		}
	}
}

// normalised is what TollgateEvents says of an event.
func normalised(t *testing.T, e seen) row {
	t.Helper()
	orNil := func(n int) any {
		if n == 0 {
			return nil
		}
		return n
	}
	r := row{
		"Time": at(e.Time), "Uid": e.Correlation, "Correlation": e.Correlation, "Event": e.Event.Event, "Gateway": e.Gateway, "Environment": e.Environment,
		"Instance": e.Instance, "Contract": e.Contract, "Api": e.API, "Operation": e.Operation, "Method": e.Method, "Path": e.Path, "Status": orNil(e.Status),
		"Verdict": e.Verdict, "Code": e.Code, "Rule": e.Rule, "Detail": e.Cause, "DurationMs": e.Duration.Milliseconds(), "Address": e.Client,
		"Principal": e.Principal, "User": e.User, "Tenant": e.Tenant, "Client": e.App, "Session": e.Session, "Issuer": e.Issuer, "Subscription": e.Subscription,
		"Product": e.Product, "Claims": nil, "Limits": limits(e.Limits), "Marks": nil, "Omitted": nil, "Pseudonyms": nil, "Invocation": e.Invocation, "Trace": e.Trace,
	}
	r["Severity"] = map[bool]int{true: 1, false: 2}[e.Verdict == audit.Granted]
	if e.Claims != nil {
		r["Claims"], r["Marks"] = row{e.Claims[0].Name: e.Claims[0].Values}, e.Marks
		r["Omitted"], r["Pseudonyms"] = e.Omitted, e.Pseudonyms
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out row
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A workspace has the tables that it has.
func aTableThatIsNotThereIsNoFault(t *testing.T, e *engine) {
	r := record(t)
	call := from(now.Add(-time.Hour))
	call.Tenant, call.App = "t-1", "app-1"
	r.add(call, inTable|inTraces|inOld, "i-1")
	for table, rows := range r.tables {
		for _, q := range queries(t) {
			if q.name != "who-by-client" {
				continue
			}
			a := e.ask(t, question{Text: deployed(t, q.body), Schema: schema(), Tables: map[string][]row{table: rows}, Now: at(now)})
			if a.Error != "" || len(a.Rows) != 1 || a.Rows[0]["Calls"] != 1.0 {
				t.Errorf("with %s alone: %s %v", table, a.Error, a.Rows)
			}
		}
	}
}

func lossesAreTold(t *testing.T, e *engine) {
	r := record(t)
	start := settled.Add(-15 * time.Minute)
	r.line(start, `{"event":"audit_loss","outlet":"stdout","lost":1,"total":900}`, "i-1") // the window before told of it
	r.line(start.Add(time.Second), `{"event":"audit_loss","outlet":"azuremonitor","lost":1,"total":1}`, "i-1")
	r.line(settled, `{"event":"audit_loss","outlet":"azuremonitor","lost":7,"total":7,"over":true}`, "i-1")
	r.line(settled, `{"event":"audit_loss","outlet":"azuremonitor","lost":2,"total":2}`, "i-2")
	r.line(settled.Add(time.Second), `{"event":"audit_loss","outlet":"stdout","lost":1,"total":1}`, "i-2") // the window after will
	want := []row{
		{"What": "lost", "Where": "azuremonitor", "Instance": "i-1", "Count": 7.0, "Times": 2.0, "LastTold": at(settled)},
		{"What": "lost", "Where": "azuremonitor", "Instance": "i-2", "Count": 2.0, "Times": 1.0, "LastTold": at(settled)},
	}
	if diff := cmp.Diff(want, e.says(t, "audit-loss", r)); diff != "" {
		t.Error(diff)
	}
}

// A roll-back is no instance that was left behind.
func contractsThatWereRolledBack(t *testing.T, e *engine) {
	cases := map[string]struct {
		old, current []time.Duration // before now
		want         int
	}{
		"left behind":             {[]time.Duration{20 * time.Hour, 20 * time.Minute}, []time.Duration{3 * time.Hour, 12 * time.Minute}, 1},
		"during the roll-out":     {[]time.Duration{20 * time.Hour, 20 * time.Minute}, []time.Duration{75 * time.Minute, 12 * time.Minute}, 0},
		"rolled back":             {[]time.Duration{20 * time.Hour, 20 * time.Minute}, []time.Duration{5 * time.Hour, 4 * time.Hour}, 0},
		"gone since the roll-out": {[]time.Duration{20 * time.Hour, 3 * time.Hour}, []time.Duration{5 * time.Hour, 12 * time.Minute}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			for contract, times := range map[string][]time.Duration{"old": c.old, "new": c.current} {
				for _, before := range times {
					call := from(now.Add(-before))
					call.Contract = contract
					r.add(call, inTraces, "i-"+contract)
				}
			}
			if got := e.agrees(t, "old-contract", r); len(got) != c.want {
				t.Errorf("got %v, want %d", got, c.want)
			}
		})
	}
}
