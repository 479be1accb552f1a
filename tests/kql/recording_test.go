package kql_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tollgate/shared/audit"
)

// now is when the queries are asked.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// Where an event arrived.
const (
	inTable  = 1 << iota // TollgateAudit_CL
	inTraces             // AppTraces
	inOld                // traces
)

// seen is an event as audit.Parse reads it back, and the instance it came from,
// where that is known.
type seen struct {
	audit.Event
	Instance string
}

// recording is events, and the tables that hold them.
type recording struct {
	t      *testing.T
	events []seen
	tables map[string][]row
	n      int
}

func record(t *testing.T) *recording {
	return &recording{t: t, tables: map[string][]row{"TollgateAudit_CL": {}, "AppTraces": {}, "traces": {}}}
}

// add writes the event with the gateway's own encoder, and puts the line where it belongs.
func (r *recording) add(e audit.Event, where int, instance string) {
	r.t.Helper()
	r.n++
	if e.Correlation == "" {
		e.Correlation = fmt.Sprint("c-", r.n)
	}
	line := e.Append(nil)
	read, err := audit.Parse(line)
	if err != nil {
		r.t.Fatal(err)
	}
	if where&^inTable == 0 {
		instance = "" // the table doesn't tell
	}
	r.events = append(r.events, seen{read, instance})
	if where&inTable != 0 {
		r.tables["TollgateAudit_CL"] = append(r.tables["TollgateAudit_CL"], ingested(r.t, line))
	}
	if where&inTraces != 0 {
		r.line(e.Time.Add(e.Duration), string(line), instance)
	}
	if where&inOld != 0 {
		r.tables["traces"] = append(r.tables["traces"], row{"timestamp": at(e.Time.Add(e.Duration)), "message": string(line), "cloud_RoleInstance": instance})
	}
}

// line is any line of standard output.
func (r *recording) line(when time.Time, line, instance string) {
	r.tables["AppTraces"] = append(r.tables["AppTraces"], row{"TimeGenerated": at(when), "Message": line, "AppRoleInstance": instance})
}

// ingested is what the data collection rule makes of a line: the columns that its
// stream declares, and TimeGenerated.
func ingested(t *testing.T, line []byte) row {
	t.Helper()
	var all row
	if err := json.Unmarshal(line, &all); err != nil {
		t.Fatal(err)
	}
	kept := row{}
	for _, c := range audit.Columns() {
		kept[c.Name] = all[c.Name]
	}
	kept["TimeGenerated"] = all["time_dt"]
	return kept
}

func at(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// from is a call at that time: granted, and nothing special.
func from(when time.Time) audit.Event {
	return audit.Event{
		Event: audit.Decision, Time: when, Gateway: "contoso", Environment: "prod", Contract: "d1", API: "orders", Operation: "get", Method: "GET", Path: "/orders/1",
		Verdict: audit.Granted, Status: 200, Code: "granted", Client: "192.0.2.7", Duration: 20 * time.Millisecond,
	}
}

// refused is one that was.
func refused(when time.Time, status int, code string) audit.Event {
	e := from(when)
	e.Verdict, e.Status, e.Code, e.Rule = audit.Refused, status, code, "operations.get.allow"
	return e
}

// some picks one.
func some[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// mixed is many calls of a hundred days, most of them late, with everything in
// them that a query looks at; some arrived twice, some among other lines.
func mixed(t *testing.T) *recording {
	r, random := record(t), rand.New(rand.NewPCG(8, 6))
	for range 1500 {
		back := some(random, 20*time.Minute, 2*time.Hour, 2*time.Hour, 26*time.Hour, 15*24*time.Hour, 100*24*time.Hour)
		e := anything(random, now.Add(-time.Duration(random.Int64N(int64(back/time.Millisecond)))*time.Millisecond))
		where, instance := 1+random.IntN(7), some(random, "", "i-1", "i-2")
		if random.IntN(10) == 0 {
			e.Event, e.Correlation = audit.Started, fmt.Sprint("stream-", r.n)
			r.add(e, where, instance)
			e.Event, e.Duration = audit.Ended, 20*time.Second
		}
		r.add(e, where, instance)
	}
	for i := range 10 { // a client nobody knows, subscriptions nobody uses any more, older contracts
		e := from(settled.Add(-time.Duration(5*i) * time.Minute))
		e.Tenant, e.App, e.Contract = "t-1", "app-new", some(random, "d2", "d3")
		r.add(e, inTraces, "i-3")
		e.Time, e.Subscription, e.Product = e.Time.Add(-time.Duration(20+6*i)*24*time.Hour), fmt.Sprint("s-old-", i), "partner"
		r.add(e, inTable, "")
	}
	for i := range 90 { // a spike
		e := refused(settled.Add(-time.Duration(i)*10*time.Second), 401, "bad_signature")
		e.Client = "2001:db8:bad::1"
		r.add(e, 1+i%7, "i-1")
	}
	r.line(now, `{"event":"something else"}`, "i-1")
	r.line(now, "{not JSON", "i-1")
	r.line(now, `{"class_uid":6003,"class_name":"API Activity","metadata":{"product":{"name":"another"}}}`, "i-1")
	random.Shuffle(len(r.tables["AppTraces"]), func(i, j int) {
		r.tables["AppTraces"][i], r.tables["AppTraces"][j] = r.tables["AppTraces"][j], r.tables["AppTraces"][i]
	})
	return r
}

func anything(random *rand.Rand, when time.Time) audit.Event {
	e := from(when)
	switch random.IntN(4) {
	case 0:
		e = refused(when, some(random, 401, 403), some(random, "token_expired", "insufficient_scope"))
	case 1:
		e = refused(when, some(random, 429, 503), some(random, "quota_exceeded", "bandwidth_exceeded", "rate_exceeded", "audit_unavailable"))
		e.Rule, e.Limits = some(random, "orders.limits.daily", "orders.limits.bytes"), []audit.Limit{{Name: "daily", Reset: time.Hour}, {Name: "all", Left: 5}}
	}
	e.API = some(random, "orders", "invoices", "")
	e.Environment = some(random, "prod", "test")
	if when.After(now.Add(-6 * time.Hour)) {
		e.Contract = some(random, "d1", "d2")
	}
	e.Client = some(random, "192.0.2.7", "192.0.2.99", "198.51.100.1", "2001:db8:1::1", "2001:db8:1:2::1", "2001:db8:2::1", "")
	if random.IntN(4) > 0 { // else it isn't known who
		e.Tenant, e.App, e.Principal = some(random, "t-1", "t-2"), some(random, "app-1", "app-2", "app-3"), some(random, "user", "application")
		e.User, e.Issuer, e.Session = some(random, "u-1", "u-2", "u-3", ""), "https://issuer.example", some(random, "k-1", "k-2", "k-3", "k-4", "")
		e.Claims = []audit.Claim{{Name: "roles", Values: []string{some(random, "Reader", "Writer")}}, {Name: "scp", Values: []string{some(random, "orders.read", "orders.read orders.write")}}}
	}
	if random.IntN(2) == 0 {
		e.Subscription, e.Product = some(random, "s-1", "s-2"), some(random, "partner", "")
	}
	if random.IntN(3) == 0 {
		e.Marks = some(random, []string{"revocation_stale"}, []string{"limit_outage:daily:allow", "revocation_stale"}, []string{"audit_unavailable:allow"}, []string{"limit_shadow:all"})
	}
	e.Trace, e.Invocation = fmt.Sprintf("%032x", random.Uint64()), fmt.Sprint("i-", random.IntN(1000))
	return e
}
