// Package kql_test holds the queries of infra/modules/observability to what they
// say: each is parsed and bound by Microsoft's own library, and its answer over
// recorded events is compared with that of a few lines of Go.
package kql_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/tests/need"
)

func eachQueryParsesAndBinds(t *testing.T, e *engine) {
	for _, q := range queries(t) {
		a := e.ask(t, question{Text: deployed(t, q.body), Schema: schema()})
		if a.Error != "" || len(a.Diagnostics) > 0 {
			t.Errorf("%s: %s%q", q.name, a.Error, a.Diagnostics)
		}
		for of := range strings.SplitSeq(q.header["Entities"], "; ") {
			_, column, found := strings.Cut(of, "=")
			if found && !slices.ContainsFunc(a.Columns, func(c struct{ Name, Type string }) bool { return c.Name == column && c.Type == "string" }) {
				t.Errorf("%s: its entity %q is no column of text", q.name, of)
			}
		}
	}
}

// What the test above would not notice, it would not hold.
func aBrokenQueryIsNoticed(t *testing.T, e *engine) {
	good := "let Until = now();\nTollgateEvents(Until - 1d, Until) | summarize count() by Client"
	broken := map[string]string{
		"a column that isn't there":          strings.Replace(deployed(t, good), "by Client", "by Clients", 1),
		"a column of another type":           strings.Replace(deployed(t, good), "count()", "sum(Client)", 1),
		"an operator that isn't there":       strings.Replace(deployed(t, good), "| summarize", "| summarise", 1),
		"an attribute the table hasn't":      strings.Replace(deployed(t, good), "Severity = severity_id", "Severity = severity", 1),
		"a table that isn't there":           strings.Replace(deployed(t, good), "(TollgateAudit_CL", "(TollgateAudits_CL", 1),
		"a trace's attribute without a name": strings.Replace(deployed(t, good), "AppRoleInstance", "RoleInstance", 1),
		"two shapes of different types":      strings.Replace(deployed(t, good), "toint(e.severity_id)", "tostring(e.severity_id)", 1),
		"an unfinished text":                 deployed(t, good) + "\n| where Client == \"",
	}
	if a := e.ask(t, question{Text: deployed(t, good), Schema: schema()}); a.Error != "" || len(a.Diagnostics) > 0 {
		t.Fatalf("the good one: %s%q", a.Error, a.Diagnostics)
	}
	for what, text := range broken {
		if a := e.ask(t, question{Text: text, Schema: schema()}); len(a.Diagnostics) == 0 {
			t.Errorf("%s wasn't noticed (%s)", what, a.Error)
		}
	}
}

// The evaluator knows what the queries use. It must not pass over anything else.
func whatTheEvaluatorDoesNotKnowIsAFault(t *testing.T, e *engine) {
	for _, text := range []string{
		"traces | take 1", "traces | where message startswith 'a'", "traces | summarize dcount(message)", "traces | summarize count()",
		"traces | extend a = 7 / 2 | project a", "traces | extend a = strlen(message) | project a", "traces | join (traces) on message | project message",
		"traces | extend a = tostring(timestamp) | project a", "union (traces | project message), (traces | project timestamp)",
	} {
		now := time.Now().UTC().Format(time.RFC3339)
		a := e.ask(t, question{Text: text, Schema: schema(), Tables: map[string][]row{"traces": {{"timestamp": now, "message": "m"}}}, Now: now})
		if a.Error == "" {
			t.Errorf("%s: got %v %v", text, a.Diagnostics, a.Rows)
		}
	}
}

// The header's form is what README.md there says, for a Terraform module to read.
func TestEachQueryHasAHeader(t *testing.T) {
	order := map[string]string{
		"question":  "Title Kind Question Severity Frequency Window Period Platform Threshold Entities",
		"detection": "Title Kind Rule Severity Frequency Window Period Platform Threshold Entities",
	}
	line := regexp.MustCompile(`(?m)^// ([A-Z][A-Za-z]*): (.+)$`)
	for _, q := range queries(t) {
		var keys []string
		for _, m := range line.FindAllStringSubmatch(q.body, -1) {
			keys = append(keys, m[1])
		}
		if got := strings.Join(keys, " "); got != order[q.header["Kind"]] {
			t.Errorf("%s: its header has %q", q.name, got)
		}
		if q.header["Kind"] == "detection" {
			schedule(t, q)
		}
	}
}

// Terraform replaces these lines, as README.md there says: no more and no fewer.
func TestWhatIsFilledInStandsOnceInItsFile(t *testing.T) {
	line := regexp.MustCompile(`(?m)^let (\w+) = (dynamic\(\[\]\)|"");$`)
	want := map[string]string{"unused": "Grants OfEnvironment", "stale-keys": "Issued OfEnvironment", "why": "Wanted", "refusal-spike": "OfApi"}
	for _, q := range queries(t) {
		var names []string
		for _, m := range line.FindAllStringSubmatch(q.body, -1) {
			names = append(names, m[1])
		}
		if got := strings.Join(names, " "); got != want[q.name] {
			t.Errorf("%s: got %q, want %q", q.name, got, want[q.name])
		}
	}
}

// schedule holds a rule to what its platforms accept: Microsoft Sentinel's
// scheduled rules, and Azure Monitor's scheduled query rules.
func schedule(t *testing.T, q query) {
	t.Helper()
	frequency, window, reads := period(t, q.header["Frequency"]), period(t, q.header["Window"]), period(t, q.header["Period"])
	day := 24 * time.Hour
	switch {
	case !slices.Contains([]string{"High", "Medium", "Low", "Informational"}, q.header["Severity"]):
		t.Errorf("%s: severity %q", q.name, q.header["Severity"])
	case frequency < 5*time.Minute || frequency > window || window > reads || reads > 14*day:
		t.Errorf("%s: every %v over %v, reading %v", q.name, frequency, window, reads)
	case reads >= 2*day && frequency < time.Hour:
		t.Errorf("%s: Sentinel runs what reads two days or more once an hour at most", q.name)
	case reads > 2*day && q.header["Platform"] != "sentinel":
		t.Errorf("%s: Azure Monitor's rules read two days at most", q.name)
	}
}

// docs/audit.md tells people the columns that audit.Columns tells programs.
func TestTheColumnsAreThoseThatTheDocumentNames(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(need.Root(t), "docs/audit.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "## Azure Monitor\n")
	text, _, _ = strings.Cut(text, "Its transformation")
	var got, want []string
	for _, part := range regexp.MustCompile(`(?s)((?:.[a-z_]+.,?\s)+)\((\w+)\)`).FindAllStringSubmatch(text, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(part[1], -1) {
			got = append(got, fmt.Sprint(name[1], " ", part[2]))
		}
	}
	for _, c := range audit.Columns()[1:] {
		want = append(want, c.Name+" "+c.Type)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the document names %q, the code %q", got, want)
	}
}
