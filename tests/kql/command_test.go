package kql_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/tests/desk"
	"tollgate/tests/need"
)

// file has the recording's events as lines.
func (r *recording) file(t *testing.T) string {
	t.Helper()
	var lines []byte
	for _, e := range r.events {
		lines = append(e.Event.Append(lines), '\n')
	}
	name := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(name, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// said runs the command and reads its answer.
func said(t *testing.T, d desk.Desk, wantCode int, into any, args ...string) {
	t.Helper()
	out, errs, code := d.Run(args...)
	if err := json.Unmarshal([]byte(out), into); err != nil || code != wantCode {
		t.Fatalf("%q: exit %d, want %d; %v\n%s%s", args, code, wantCode, err, out, errs)
	}
}

// span is the query's window of so many days, as the command's flags say it: its
// beginning is in it, its end isn't, and the query has it the other way round.
func span(days int) []string {
	tick := time.Millisecond
	return []string{"--since", now.Add(tick - time.Duration(days)*day).Format(time.RFC3339Nano), "--until", now.Add(tick).Format(time.RFC3339Nano)}
}

// ours are the contracts beside this file.
func ours(t *testing.T) (flags []string, plan *contract.Plan) {
	t.Helper()
	dir := filepath.Join(need.Root(t), "tests/kql/testdata/contracts")
	read, faults := contract.Load(os.DirFS(dir))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	plan, faults = read.Plan("prod")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return []string{"--contracts", dir, "--environment", "prod"}, plan
}

// whatItSaysOfACallTollgateWhySays: of granted and refused calls, streams, and calls by nobody.
func whatItSaysOfACallTollgateWhySays(t *testing.T, e *engine) {
	d, r := e.desk(), mixed(t)
	file := r.file(t)
	for _, asked := range differing(r.events) {
		var answer struct{ Event audit.Event }
		said(t, d, map[string]int{audit.Granted: 0, audit.Refused: 1}[asked.Verdict], &answer, "why", asked.Correlation, "--events", file, "--json")
		b, err := json.Marshal(whyRow(answer.Event))
		if err != nil {
			t.Fatal(err)
		}
		var want row
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		rows := e.saysOf(t, "why", r, filling{"Wanted": asked.Correlation})
		// The command tells a stream by its end, the query by both of its events.
		rows = slices.DeleteFunc(rows, func(r row) bool { return r["Event"] == audit.Started })
		if diff := cmp.Diff([]row{want}, rows); diff != "" {
			t.Errorf("%s (-tollgate +query):\n%s", asked.Correlation, diff)
		}
	}
}

// differing are calls of the last thirty days, so many that each thing in which
// answers of why differ is in one of them: each costs an analysis.
func differing(all []seen) (out []seen) {
	known := map[string]bool{}
	for _, e := range only(all, func(e seen) bool { return isRequest(e) && e.Time.After(now.Add(-29*day)) }) {
		news := false
		for _, thing := range []string{
			e.Verdict, e.Event.Event, "principal " + e.Principal, fmt.Sprint("limits ", len(e.Limits)), fmt.Sprint("marks ", len(e.Marks)),
			fmt.Sprint("subscription ", e.Subscription != ""), fmt.Sprint("user ", e.User != ""), fmt.Sprint("rule ", e.Rule != ""),
		} {
			news = news || !known[thing]
			known[thing] = true
		}
		if news {
			out = append(out, e)
		}
	}
	return out
}

// calls are a few, so that each leaves other things unused.
func calls(t *testing.T, random *rand.Rand) *recording {
	r := record(t)
	for range 2 + random.IntN(12) {
		e := from(now.Add(-time.Duration(random.Int64N(int64(95*day/time.Millisecond))) * time.Millisecond))
		if random.IntN(5) == 0 {
			e = refused(e.Time, 403, "insufficient_scope")
		}
		e.API, e.Operation = some(random, "orders", "orders", "orders", "invoices", "rates", "gone"), some(random, "get", "create", "change", "health")
		e.Environment = some(random, "prod", "prod", "prod", "test", "")
		e.Principal, e.App = some(random, "user", "application", "unknown"), some(random, "33333333-3333-3333-3333-333333333333", "33333333-3333-3333-3333-333333333334", "another")
		e.Subscription, e.Product = some(random, "s-1", ""), some(random, "", "", "partner", "trial")
		e.Claims = []audit.Claim{
			{Name: some(random, "scp", "scp", "scope"), Values: []string{some(random, "Read", "Write", "Write Read", "Idle openid")}},
			{Name: "roles", Values: []string{some(random, "Reader", "Clerk"), some(random, "Idle", "Other")}},
		}
		if random.IntN(60) == 0 {
			e.Omitted = []string{some(random, "claim:scp", "claim:roles", "path")}
		}
		if random.IntN(60) == 0 {
			e.Pseudonyms = []string{some(random, "client", "claim:scope", "user")}
		}
		r.add(e, 1+random.IntN(7), "i-1")
	}
	return r
}

// whatNobodyUsedTollgateUnusedSays, by the same contracts and events.
func whatNobodyUsedTollgateUnusedSays(t *testing.T, e *engine) {
	d, random := e.desk(), rand.New(rand.NewPCG(8, 2))
	flags, plan := ours(t)
	ids := map[string]string{}
	for _, c := range plan.Clients {
		ids[c.Name] = c.ID
	}
	sizes := map[int]bool{}
	for range 60 {
		r := calls(t, random)
		var answer struct {
			Unused []struct{ Kind, API, Name string }
		}
		said(t, d, 0, &answer, slices.Concat([]string{"unused", "--no-store", "--json", "--events", r.file(t)}, span(90), flags)...)
		var want []row
		for _, u := range answer.Unused {
			if u.Kind == "client's permission" {
				continue // the query isn't asked for those
			}
			if u.Kind == contract.GrantClient {
				u.Name = ids[u.Name]
			}
			want = append(want, row{"Kind": u.Kind, "Api": u.API, "Name": u.Name})
		}
		slices.SortFunc(want, func(a, b row) int { return slices.Compare(texted(a), texted(b)) })
		got := e.saysOf(t, "unused", r, filling{"Grants": plan.Grants(), "OfEnvironment": "prod"})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-tollgate +query):\n%s", diff)
		}
		sizes[len(got)] = true
	}
	if rows := e.saysOf(t, "unused", calls(t, random), filling{}); len(rows) > 0 {
		t.Errorf("as checked in it says %v, want nothing", rows)
	}
	if len(sizes) < 5 {
		t.Errorf("the answers have %v rows: too much alike", sizes)
	}
}

func texted(r row) []string {
	return []string{r["Kind"].(string), r["Api"].(string), r["Name"].(string)}
}

// quotasThatAreExhaustedTollgateWhoCounts: by code and by whoever called, over the rule's window.
func quotasThatAreExhaustedTollgateWhoCounts(t *testing.T, e *engine) {
	d, r, tick := e.desk(), mixed(t), time.Millisecond
	var answer struct {
		Callers []struct {
			ID       string
			Refusals map[string]float64
		}
	}
	window := []string{"--since", settled.Add(tick - time.Hour).Format(time.RFC3339Nano), "--until", settled.Add(tick).Format(time.RFC3339Nano)}
	said(t, d, 0, &answer, append([]string{"who", "--by", "client", "--json", "--events", r.file(t)}, window...)...)
	want, got := map[[2]string]float64{}, map[[2]string]float64{}
	for _, c := range answer.Callers {
		for _, code := range []string{"quota_exceeded", "bandwidth_exceeded"} {
			if n := c.Refusals[code]; n > 0 {
				want[[2]string{c.ID, code}] += n
			}
		}
	}
	for _, row := range e.says(t, "quota-exhausted", r) {
		who := row["Client"].(string)
		if who == "" { // the command names whoever has no client by their key
			who = row["Subscription"].(string)
		}
		got[[2]string{who, row["Code"].(string)}] += row["Refused"].(float64)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 4 {
		t.Errorf("%d (-tollgate +query):\n%s", len(got), diff)
	}
}
