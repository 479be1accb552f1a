package guard_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/guard"
	"tollgate/infra/planned"
)

// fixture is a file of testdata: plans in short that a rule refuses, and that it lets pass.
type fixture struct {
	Rule    string
	Private bool
	Uses    []planned.Use
	Refused []sample
	Passed  []sample
}

type sample struct {
	Title   string
	Changes []map[string]any
	Config  json.RawMessage
}

// modules is what the addresses of the fixtures call.
const modules = `{"root_module":{"module_calls":{
	"api":{"source":"../modules/entra-api","module":{}},"client":{"source":"../modules/entra-client","module":{}},
	"gateway":{"source":"../modules/gateway","module":{}},"backend":{"source":"../modules/private-backend","module":{}},
	"vault":{"source":"../modules/key-vault","module":{}}}}}`

func (s sample) plan(t *testing.T) *tfjson.Plan {
	t.Helper()
	for _, c := range s.Changes {
		address := c["address"].(string)
		resource := address
		if i := strings.LastIndex(address, ".azu"); i >= 0 {
			c["module_address"], resource = address[:i], address[i+1:]
		}
		kind, name, _ := strings.Cut(resource, ".")
		name, _, _ = strings.Cut(name, "[")
		c["mode"], c["type"], c["name"] = "managed", kind, name
		before, had := c["before"]
		after, has := c["after"]
		actions := map[[2]bool][]string{{false, true}: {"create"}, {true, false}: {"delete"}, {true, true}: {"update"}}[[2]bool{had, has}]
		if c["actions"] == nil {
			c["actions"] = actions
		}
		c["change"] = map[string]any{"actions": c["actions"], "before": before, "after": after, "after_unknown": c["unknown"], "after_sensitive": c["sensitive"]}
		for _, k := range []string{"before", "after", "unknown", "actions", "sensitive"} {
			delete(c, k)
		}
	}
	config := json.RawMessage(modules)
	if s.Config != nil {
		config = s.Config
	}
	text, err := json.Marshal(map[string]any{"format_version": "1.2", "resource_changes": s.Changes, "configuration": config})
	if err != nil {
		t.Fatal(err)
	}
	var plan tfjson.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	return &plan
}

func fixtures(t *testing.T) []fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	var out []fixture
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{Rule: strings.TrimSuffix(filepath.Base(name), ".json")}
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, f)
	}
	return out
}

func of(rule string, found []guard.Finding) []guard.Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f guard.Finding) bool { return f.Rule != rule })
}

func TestEachRuleRefusesWhatItShouldAndNothingElse(t *testing.T) {
	for _, f := range fixtures(t) {
		facts := guard.Facts{Private: f.Private, Uses: f.Uses}
		for _, s := range f.Refused {
			t.Run(f.Rule+" refuses "+s.Title, func(t *testing.T) {
				got := of(f.Rule, guard.Check(s.plan(t), facts))
				if len(got) != 1 {
					t.Fatalf("got %v, want one finding of %s", got, f.Rule)
				}
				if got[0].Why == "" || got[0].How == "" || strings.Contains(fmt.Sprint(got[0]), "%!") {
					t.Errorf("got %v, want why and how", got[0])
				}
				t.Log(got[0])
			})
		}
		for _, s := range f.Passed {
			t.Run(f.Rule+" lets pass "+s.Title, func(t *testing.T) {
				if got := of(f.Rule, guard.Check(s.plan(t), facts)); len(got) != 0 {
					t.Errorf("got %v, want no finding of %s", got, f.Rule)
				}
			})
		}
	}
}

func TestEachRuleHasAFixtureThatFailsAndOneThatPasses(t *testing.T) {
	rules := []string{
		guard.PublicBackend, guard.InternetInbound, guard.OnlyWayIn, guard.SharedAudience, guard.RoleInUse, guard.ScopeInUse,
		guard.RuleOff, guard.PublicPath, guard.NotShut, guard.NoDiagnostics, guard.SecretInState, guard.NotKnown,
	}
	all := fixtures(t)
	for _, rule := range rules {
		i := slices.IndexFunc(all, func(f fixture) bool { return f.Rule == rule })
		if i < 0 || len(all[i].Refused) == 0 || len(all[i].Passed) == 0 {
			t.Errorf("%s lacks a fixture that fails or one that passes", rule)
		}
	}
}

func TestAcceptanceIsForOneFindingAndOnlyWhereARuleAllowsIt(t *testing.T) {
	off := guard.Finding{Rule: guard.RuleOff, Address: "a.b", Acceptable: true}
	open := guard.Finding{Rule: guard.PublicBackend, Address: "c.d"}
	refused, passed, err := guard.Accept([]guard.Finding{off, open}, []string{"rule-off:a.b"})
	if err != nil || len(refused) != 1 || refused[0] != open || len(passed) != 1 || passed[0] != off {
		t.Errorf("got %v, %v, %v, want the one accepted and the other refused", refused, passed, err)
	}
	tls := guard.Finding{Rule: guard.RuleOff, Address: "a.b", Of: "min_tls_version", Acceptable: true}
	https := guard.Finding{Rule: guard.RuleOff, Address: "a.b", Of: "https_only", Acceptable: true}
	if _, _, err := guard.Accept([]guard.Finding{https, tls}, []string{"rule-off:a.b"}); err == nil {
		t.Error("one acceptance passed two findings")
	}
	refused, passed, err = guard.Accept([]guard.Finding{open, tls}, []string{"rule-off:a.b#min_tls_version"})
	if err != nil || len(refused) != 1 || len(passed) != 1 || passed[0] != tls {
		t.Errorf("got %v, %v, %v, want the one of the attribute accepted", refused, passed, err)
	}
	for _, id := range []string{"public-backend:c.d", "rule-off:x.y", "rule-off", "", "no-such:a.b"} {
		if _, _, err := guard.Accept([]guard.Finding{off, open}, []string{id}); err == nil {
			t.Errorf("--accept %q: got no error, want one", id)
		}
	}
}

func TestTheDocumentationNamesEachRuleAndWhetherItCanBeAccepted(t *testing.T) {
	text, err := os.ReadFile("../../docs/infra.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fixtures(t) {
		i := strings.Index(string(text), "\n| `"+f.Rule+"` |")
		if i < 0 {
			t.Errorf("docs/infra.md has no line for %s", f.Rule)
			continue
		}
		line, _, _ := strings.Cut(string(text)[i+1:], "\n")
		found := guard.Check(f.Refused[0].plan(t), guard.Facts{Private: f.Private, Uses: f.Uses})
		if got := of(f.Rule, found); strings.HasSuffix(line, "| yes |") != got[0].Acceptable {
			t.Errorf("docs/infra.md: %s; acceptable is %t", line, got[0].Acceptable)
		}
	}
}
