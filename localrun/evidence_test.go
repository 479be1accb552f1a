package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/localrun/evidence"
	"tollgate/shared/audit"
)

// factsOf are those of the events, by the contracts of testdata, made at a fixed time.
func factsOf(t *testing.T, all []audit.Event) (*evidence.Facts, string) {
	t.Helper()
	file := kept(t, all)
	f := &evidenceFlags{eventFlags: eventFlags{run: defaultRunFile, files: []string{file}, contracts: "testdata/contracts", environment: "prod", since: "2026-11-01", until: "2026-12-01"}}
	b, err := f.book()
	if err != nil {
		t.Fatal(err)
	}
	f.pin(noon)
	cmd := command()
	cmd.SetContext(t.Context())
	facts, err := f.facts(cmd, b, noon)
	if err != nil {
		t.Fatal(err)
	}
	return facts, file
}

func documents(t *testing.T, all []audit.Event) (md, page string) {
	t.Helper()
	facts, file := factsOf(t, all)
	var a, b bytes.Buffer
	if err := facts.Markdown(&a); err != nil {
		t.Fatal(err)
	}
	if err := facts.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(a.String(), file, "events.jsonl"), strings.ReplaceAll(b.String(), file, "events.jsonl")
}

func TestEvidence(t *testing.T) {
	md, page := documents(t, recorded())
	golden(t, "evidence.md", md)
	golden(t, "evidence.html", page)
	for _, want := range []string{
		"CC6.1", "CC6.8", "A.5.15", "A.8.16", "### 10.2", "§164.312(d)", "Art. 25", "Art. 21(2)(j)", "2013: A.9.4.1", "claims no compliance",
		"9 calls, 6 granted, 3 refused", "calls refused with token\\_expired: 2", "testdata/contracts/orders.yaml:15",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("the Markdown lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http-equiv=\"refresh", "src=", "url(", "compliant", "is met."} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	if !strings.Contains(page, "@media print") || !strings.Contains(page, "default-src &#39;none&#39;") && !strings.Contains(page, "default-src 'none'") {
		t.Error("the page has no print styles, or lets something be fetched")
	}
}

func TestWithoutEventsNothingIsShown(t *testing.T) {
	facts, _ := factsOf(t, nil)
	n := 0
	for _, framework := range evidence.Frameworks() {
		for _, c := range framework.Controls {
			if e := facts.Entry(c); len(e.Figures) != 0 {
				t.Errorf("%s: got %v without events", c.ID, e.Figures)
			}
			if len(c.Gaps) == 0 || c.Asks == "" {
				t.Errorf("%s says nothing of what it asks or isn't covered", c.ID)
			}
			n++
		}
	}
	md, page := documents(t, nil)
	if got := strings.Count(md, "- "+evidence.NotShown+"\n"); got < n {
		t.Errorf("got %q %d times for %d controls", evidence.NotShown, got, n)
	}
	if !strings.Contains(page, `<p class="none">not shown</p>`) || !strings.Contains(md, "no events were found") {
		t.Error("it isn't said that there are no events")
	}
}

func TestHostileValuesInEvidenceStayText(t *testing.T) {
	all := recorded()
	for i := range 20 {
		e := hostileEvent()
		e.Correlation += strings.Repeat("x", i)
		e.Code = "x'; rm -rf ~; '`</code><img src=x>"
		e.API = ""
		all = append(all, e)
	}
	md, page := documents(t, all)
	raw(t, md)
	raw(t, page)
	for _, never := range []string{"<script", "<img"} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	for line := range strings.Lines(md) {
		if strings.Contains(line, "rm -rf") && !strings.Contains(line, "Query: ``") && !strings.Contains(line, "\\<img") {
			t.Errorf("got %s", line)
		}
		if strings.Contains(line, "jq '") && strings.Contains(line, "rm -rf") && !strings.Contains(line, `x'\''; rm`) {
			t.Errorf("the query runs what a caller wrote: %s", line)
		}
	}
}

func TestAFigureIsGivenAgainByItsQuery(t *testing.T) {
	facts, file := factsOf(t, recorded())
	for _, figures := range facts.Figures {
		for _, f := range figures {
			query, _, ok := strings.Cut(f.Query, " | jq ")
			if !ok {
				continue
			}
			args := strings.Fields(strings.TrimPrefix(query, "tollgate "))
			cmd := command()
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetArgs(args)
			if err := cmd.ExecuteContext(t.Context()); err != nil || !strings.HasPrefix(out.String(), "{") || !strings.Contains(query, file) {
				t.Errorf("%s: got %v", query, err)
			}
			if strings.HasPrefix(f.Says, "9 calls") && !strings.Contains(out.String(), `"calls": 9`) {
				t.Errorf("%s: got %s", query, out.String())
			}
		}
	}
}

func TestEvidenceIsWrittenToFiles(t *testing.T) {
	dir := t.TempDir()
	md, page := filepath.Join(dir, "e.md"), filepath.Join(dir, "e.html")
	out, err := question(t, "evidence", "--since", "2026-11-01", "--out", md, "--html", page)
	if err != nil || !strings.Contains(out, "wrote ") {
		t.Errorf("got %v, %s", err, out)
	}
	for name, want := range map[string]string{md: "# What the gateway contoso shows", page: "<!doctype html>"} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(text), want) {
			t.Errorf("%s: got %v, %.100s", name, err, text)
		}
	}
}

func TestEvidenceShowsWhatProbesShowed(t *testing.T) {
	dir := t.TempDir()
	report := func(contracts, environment string) string {
		return `{"tollgateVerify":1,"gateway":"contoso","environment":"` + environment + `","contracts":"` + contracts + `","address":"https://api.contoso.example","began":"2026-11-20T10:00:00Z","ended":"2026-11-20T10:00:09Z","requests":3,"reached":true,"results":[
{"id":"token/orders/other","group":"tokens","promise":"orders: a token for another API is refused","outcome":"failed","why":"got 200 <script>"},
{"id":"token/orders/unsigned","group":"tokens","promise":"orders: a token with alg none is refused","outcome":"passed"},
{"id":"vault/x","group":"store and vaults","promise":"Key Vault refuses from outside","outcome":"not shown","why":"401"}]}`
	}
	for name, text := range map[string]string{
		"verify-prod-20261119T100000Z.json": `{}`, "verify-prod-20261120T100000Z.json": report("0123456789abcdef", "prod"), "staging.json": report("x", "staging"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := question(t, "evidence", "--since", "2026-11-01", "--contracts", "testdata/contracts", "--environment", "prod", "--verify", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1 passed, 1 failed, 1 not shown, made 2026-11-20T10:00:00Z", "made by other contracts", "probes of tokens, 2026-11-20T10:00:00Z: 1 passed, 1 failed",
		"a probe FAILED: 2026-11-20T10:00:00Z: orders: a token for another API is refused: got 200 \\<script\\>", "probes of store and vaults, 2026-11-20T10:00:00Z: 0 passed, 0 failed, 1 not shown",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the evidence lacks %q", want)
		}
	}
	for file, want := range map[string]string{"staging.json": "of the environment staging", "verify-prod-20261119T100000Z.json": "no report of tollgate verify", "none.json": "no such file"} {
		if _, err := question(t, "evidence", "--contracts", "testdata/contracts", "--environment", "prod", "--verify", filepath.Join(dir, file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", file, err, want)
		}
	}
}
