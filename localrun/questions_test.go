package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/events"
	"tollgate/shared/audit"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const (
	homeTenant = "11111111-1111-1111-1111-111111111111"
	batch      = "55555555-5555-5555-5555-555555555555" // billing-batch, as testdata/contracts binds it
	phone      = "aaaaaaaa-0000-0000-0000-000000000001"
)

// recorded are calls of one morning, by the encoder that the gateway writes with.
func recorded() []audit.Event {
	base := audit.Event{Event: audit.Decision, Contract: "0123", Environment: "prod", Gateway: "contoso", Method: "GET", Verdict: audit.Granted, Code: audit.Granted, Status: 200, Duration: 12 * time.Millisecond, Own: 300 * time.Microsecond, Waited: 11 * time.Millisecond, Sent: 2048}
	one := func(id string, at time.Duration, change func(*audit.Event)) audit.Event {
		e := base
		e.Correlation, e.Time = id, noon.Add(at)
		change(&e)
		return e
	}
	pays := func(e *audit.Event) {
		e.API, e.Operation, e.Method, e.Path = "payments", "create", "POST", "/payments"
		e.App, e.Tenant, e.User, e.Principal, e.Received, e.Client = batch, homeTenant, "oid-batch", "application", 100, "192.0.2.7"
		e.Claims = []audit.Claim{{Name: "roles", Values: []string{"Payments.Create"}}, {Name: "tid", Values: []string{homeTenant}}}
		e.Limits, e.Backend, e.BackendStatus = []audit.Limit{{Name: "per-client", Left: 41, Reset: 30 * time.Second}}, "payments.internal:443", 201
		e.Marks = []string{"revocation_stale"}
	}
	reads := func(e *audit.Event) {
		e.API, e.Operation, e.Path = "orders", "get", "/orders/42"
		e.App, e.Tenant, e.User, e.Principal = phone, homeTenant, "oid-ann", "user"
		e.Claims = []audit.Claim{{Name: "scp", Values: []string{"Orders.Read openid"}}}
	}
	refuse := func(status int, code, rule string, first func(*audit.Event)) func(*audit.Event) {
		return func(e *audit.Event) {
			first(e)
			e.Verdict, e.Status, e.Code, e.Rule, e.Sent, e.BackendStatus, e.Backend = audit.Refused, status, code, rule, 90, 0, ""
		}
	}
	nobody := func(e *audit.Event) { e.API, e.Operation, e.Path, e.Principal = "orders", "get", "/orders/1", "" }
	return []audit.Event{
		one("c1", 0, pays), one("c2", time.Minute, pays), one("c3", 2*time.Minute, reads),
		one("c4", 3*time.Minute, refuse(403, "insufficient_role", "operations.create.allow.roles", func(e *audit.Event) { reads(e); e.Operation, e.Method, e.Path = "create", "POST", "/orders" })),
		one("c5", 4*time.Minute, refuse(401, "token_expired", "", nobody)),
		one("c6", 5*time.Minute, refuse(401, "token_expired", "", nobody)),
		one("c7", 6*time.Minute, func(e *audit.Event) {
			e.API, e.Operation, e.Path, e.Subscription, e.Product = "rates", "get", "/rates/eur", "4kq2wxyzabcd", "partner"
		}),
		one("c8", 7*time.Minute, func(e *audit.Event) { reads(e); e.Event = audit.Started }),
		one("c8", 7*time.Minute, func(e *audit.Event) { reads(e); e.Event, e.Sent = audit.Ended, 1<<20 }),
		one("c9", 8*time.Minute, func(e *audit.Event) { reads(e); e.Event = audit.Started }),
	}
}

// kept is a file of events.
func kept(t *testing.T, all []audit.Event) string {
	t.Helper()
	var b bytes.Buffer
	for _, e := range all {
		b.Write(append(e.Append(nil), '\n'))
	}
	name := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// question runs a command on the recorded events, by the example contracts.
func question(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return questionOf(t, kept(t, recorded()), args...)
}

func questionOf(t *testing.T, file string, args ...string) (string, error) {
	t.Helper()
	cmd := command()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append(args, "--events", file, "--environment", "prod", "--contracts", "testdata/contracts"))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// golden compares with a file; TOLLGATE_GOLDEN=1 writes it anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("TOLLGATE_GOLDEN") != "" {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func TestWhoCalled(t *testing.T) {
	var all string
	for _, by := range []string{"client", "user", "tenant", "subscription"} {
		out, err := question(t, "who", "--since", "2026-11-26", "--by", by, "--table")
		if err != nil {
			t.Fatal(err)
		}
		all += "$ who --by " + by + "\n" + out + "\n"
	}
	golden(t, "who.txt", all)
}

func TestWhoForMachines(t *testing.T) {
	out, err := question(t, "who", "--since", "2026-11-26", "--api", "payments")
	if err != nil {
		t.Fatal(err)
	}
	var got shownWho
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(got.Callers) != 1 || got.Callers[0].Name != "billing-batch" || got.Callers[0].Owner != "billing-team@contoso.example" || got.Callers[0].Calls != 2 || got.Total.Sent != 4096 {
		t.Errorf("got %s", out)
	}
	out, err = question(t, "who", "--since", "2026-11-27")
	if err != nil || !strings.Contains(out, `"callers": []`) {
		t.Errorf("got %s, %v, want nobody", out, err)
	}
}

func TestCallsOfOtherEnvironmentsAreLeftOut(t *testing.T) {
	all := recorded()
	all[0].Environment, all[2].Environment = "test", ""
	out, err := questionOf(t, kept(t, all), "who", "--since", "2026-11-26", "--table")
	if err != nil || !strings.Contains(out, "1 call of another environment was left out.") || !strings.Contains(out, "total [1 still run]                                   8 ") {
		t.Errorf("got %v, %s", err, out)
	}
	if out, err = questionOf(t, kept(t, all), "why", "c1", "--table"); err != nil || !strings.Contains(out, "c1: granted") {
		t.Errorf("got %v, %s", err, out)
	}
}

func TestQuestionsRefuseSlips(t *testing.T) {
	for want, args := range map[string][]string{
		`there is no API "order"; known: orders, payments`: {"who", "--api", "order"},
		`--by "app": it is one of client, user,`:           {"who", "--by", "app"},
		`--since "yesterday": write 24h`:                   {"who", "--since", "yesterday"},
		"--until is not after --since":                     {"who", "--until", "2020-01-01"},
		"contradict each other":                            {"who", "--json", "--table"},
	} {
		if out, err := question(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %s, %v, want %s", args, out, err, want)
		}
	}
	if _, err := questionOf(t, "none.jsonl", "who"); err == nil || !strings.Contains(err.Error(), "read the events") {
		t.Errorf("got %v", err)
	}
}

// hostileEvent is what an event holds in every place that a caller, a backend or a
// broken sender could reach.
func hostileEvent() audit.Event {
	evil := "\x1b[31m</td><script>alert(1)</script>|`=cmd()\u202e\n# x" + strings.Repeat("W", 3000)
	e := recorded()[3]
	e.Correlation = "evil"
	for _, at := range []*string{&e.User, &e.Tenant, &e.App, &e.Path, &e.Method, &e.Cause, &e.Rule, &e.API, &e.Operation, &e.Client, &e.Subscription, &e.Product, &e.Issuer, &e.Session, &e.Backend, &e.Contract} {
		*at = evil
	}
	e.Claims = []audit.Claim{{Name: evil, Values: []string{evil}}}
	e.Limits = []audit.Limit{{Name: evil, Left: -1 << 62}}
	e.Marks = []string{evil}
	return e
}

// raw are characters that no answer to a person may hold.
func raw(t *testing.T, out string) {
	t.Helper()
	for _, bad := range []string{"\x1b", "\u202e", "\r", "\x00"} {
		if strings.Contains(out, bad) {
			t.Errorf("got %q in %.300q", bad, out)
		}
	}
}

func TestHostileValuesStayText(t *testing.T) {
	// A line of JSON may hold what the encoder would have escaped: anybody may write a file.
	e := hostileEvent()
	line := string(e.Append(nil))
	file := kept(t, append(recorded(), e))
	var extra map[string]any
	if err := json.Unmarshal([]byte(line), &extra); err != nil {
		t.Fatal(err)
	}
	extra["actor"].(map[string]any)["app_uid"] = "\x1b[2J\u202eapp"
	extra["metadata"].(map[string]any)["correlation_uid"] = "evil2"
	extra["status_code"] = "\x1b]0;title\x07"
	more, _ := json.Marshal(extra)
	f, _ := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	_, _ = f.Write(append(more, '\n'))
	_ = f.Close()
	for _, args := range hostileQuestions {
		out, err := questionOf(t, file, args...)
		if err != nil && !errors.Is(err, errSaid) {
			t.Errorf("%v: %v", args, err)
		}
		raw(t, out)
		for l := range strings.Lines(out) {
			if len(l) > 6000 {
				t.Errorf("%v: got a line of %d bytes", args, len(l))
			}
		}
	}
}

var hostileQuestions = [][]string{
	{"who", "--since", "2026-11-26", "--table"},
	{"who", "--since", "2026-11-26", "--table", "--by", "user"},
	{"who", "--since", "2026-11-26"},
	{"why", "evil", "--table"},
	{"why", "evil"},
	{"why", "evil2", "--table"},
	{"unused", "--no-store", "--since", "2026-11-26", "--table"},
	{"unused", "--no-store"},
}

func TestATableFitsItsTerminal(t *testing.T) {
	tally := &events.Tally{By: events.ByClient}
	for _, e := range append(recorded(), hostileEvent()) {
		tally.Add(&e)
	}
	for _, width := range []int{60, 80, 120, 200} {
		var b strings.Builder
		if err := writeWho(&b, tally, names{}, screen{width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := columns(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("got %d columns of %d: %s", n, width, line)
			}
		}
	}
}
