package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/subscription"
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

func TestWhyACallWasDecidedSo(t *testing.T) {
	var all string
	for _, id := range []string{"c1", "c4", "c5", "c7", "c8", "c9"} {
		out, err := question(t, "why", id, "--table")
		if want := map[string]int{"c4": 1, "c5": 1}[id]; (err != nil) != (want == 1) || err != nil && exitCode(err) != 1 {
			t.Errorf("%s: got %v", id, err)
		}
		all += "$ why " + id + "\n" + out + "\n"
	}
	golden(t, "why.txt", all)
	if out, err := question(t, "why", "nobody"); err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), `no event of "nobody"; events reach from`) {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestWhySaysWhetherTheseContractsDecided(t *testing.T) {
	plan, err := planIn("testdata/contracts", "prod")
	if err != nil {
		t.Fatal(err)
	}
	e := recorded()[3]
	e.Contract = plan.Version
	out, _ := questionOf(t, kept(t, []audit.Event{e}), "why", "c4")
	var got reason
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Contracts != sameContracts || !strings.HasPrefix(got.Place, "testdata/contracts/orders.yaml:") || !strings.Contains(got.Source, "id: create") {
		t.Errorf("got %s, %v", out, err)
	}
	if got.Stages[len(got.Stages)-1] != (stageSaid{"forward", notReached}) {
		t.Errorf("got %v", got.Stages)
	}
}

func TestWatchLines(t *testing.T) {
	var b strings.Builder
	n := names{}
	for _, e := range append(recorded(), hostileEvent()) {
		b.WriteString(watchLine(&e, n, screen{}))
	}
	raw(t, b.String())
	golden(t, "watch.txt", b.String())
	e := recorded()[4]
	got := watchLine(&e, n, screen{width: 60, colour: true})
	if !strings.Contains(got, "\x1b[33m401\x1b[0m") || columns(strings.TrimSpace(got)) > 80 {
		t.Errorf("got %q, want yellow and no more than the screen", got)
	}
	file, err := os.Open(kept(t, recorded()))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := command()
	var out bytes.Buffer
	cmd.SetIn(file)
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"watch", "--events", "-", "--refused", "--code", "token_expired", "--environment", "prod", "--contracts", "testdata/contracts"})
	if err := cmd.ExecuteContext(t.Context()); err != nil || strings.Count(out.String(), "\n") != 2 || !strings.Contains(out.String(), `"code":"token_expired"`) {
		t.Errorf("got %v, %s", err, out.String())
	}
}

func TestUnused(t *testing.T) {
	out, err := question(t, "unused", "--since", "2026-11-01", "--no-store", "--table")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "unused.txt", out)
	for _, bad := range []string{" get ", "Payments.Create"} {
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "operation") && strings.Contains(line, "orders") && strings.Contains(line, bad) || strings.HasPrefix(line, "role") && strings.Contains(line, bad) {
				t.Errorf("got %s, which was used", line)
			}
		}
	}
}

func TestUnusedIsSilentWhereEventsAre(t *testing.T) {
	all := recorded()
	all[0].Omitted, all[1].Pseudonyms = []string{"claim:roles"}, []string{"subscription"}
	out, err := questionOf(t, kept(t, all), "unused", "--since", "2026-11-01", "--no-store", "--table")
	if err != nil || strings.Contains(out, "\nrole ") || !strings.Contains(out, "of each role nothing is said: some events keep claim:roles out") || !strings.Contains(out, "of each subscription nothing is said") {
		t.Errorf("got %v, %s", err, out)
	}
}

func TestKeysThatNobodyUsedAndWhatExpires(t *testing.T) {
	plan, err := planIn("testdata/contracts", "prod")
	if err != nil {
		t.Fatal(err)
	}
	plan.Clients[1].Credential.Expires = "2026-12-01"
	b := book{plan, "testdata/contracts", "contracts"}
	u := usesBy(plan)
	for _, e := range recorded() {
		u.add(&e)
	}
	slot := func(ends time.Time) [2]subscription.Slot {
		return [2]subscription.Slot{{Digest: "d", Made: noon}, {Digest: "e", Made: noon, Ends: ends}}
	}
	keys := []*subscription.Record{
		{ID: "4kq2wxyzabcd", Product: "partner", Owner: "used", State: subscription.Active, Slots: slot(noon.Add(24 * time.Hour))},
		{ID: "idle", Product: "partner", Owner: "=cmd()", State: subscription.Active, Expires: noon.Add(time.Hour)},
		{ID: "gone", Product: "partner", State: subscription.Cancelled, Expires: noon},
		{ID: "late", API: "rates", State: subscription.Active, Expires: noon.AddDate(1, 0, 0)},
		{ID: "over", API: "rates", State: subscription.Active, Expires: noon.Add(-time.Hour)},
	}
	var got []string
	for _, i := range u.idleKeys(keys, noon) {
		got = append(got, i.Name)
	}
	for _, e := range expiringIn(b, keys, noon, noon.AddDate(0, 0, 30)) {
		got = append(got, fmt.Sprintf("%s of %s over=%v", e.Kind, e.Name, e.Over))
	}
	if want := "idle late | client secret of old-shop over=false | secondary key of 4kq2wxyzabcd over=false | subscription of idle over=false | subscription of over over=true"; strings.Join(got[:2], " ")+" | "+strings.Join(got[2:], " | ") != want {
		t.Errorf("got %q", got)
	}
}
