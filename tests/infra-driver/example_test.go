package infradriver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/tests/desk"
	"tollgate/tests/need"
	"tollgate/tests/terraform"
)

// example is a folder with this repository's contracts and configuration.
func example(t *testing.T) place {
	t.Helper()
	p := place{Desk: desk.Desk{Dir: t.TempDir()}, t: t, env: terraform.Env(t)}
	p.directory()
	root := need.Root(t)
	for _, folder := range []string{"contracts", "infra/modules", "infra/environments"} {
		if err := os.CopyFS(filepath.Join(p.Dir, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	for _, left := range []string{"infra/environments/*/.terraform.lock.hcl", "infra/environments/*/.terraform", "infra/environments/*/state.tfbackend"} {
		names, _ := filepath.Glob(filepath.Join(p.Dir, left))
		for _, name := range names {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p
}

// planned is what `infra plan` says, as far as tests look at it.
type planned struct {
	Summary struct {
		Counts   struct{ Add, Change, Replace, Destroy int }
		Changes  []struct{ About, Text, Address string }
		Requests []string
	}
	Refused []any
}

func (p place) plan(environment string) planned {
	p.t.Helper()
	var out planned
	text := p.run(0, nil, "plan", "--environment", environment)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		p.t.Fatalf("%v in %s", err, text)
	}
	return out
}

// Nobody has anything but the repository, an empty subscription and an empty tenant.
func TestTheExampleIsMadeKeptAndTakenAway(t *testing.T) {
	p := example(t)
	first := p.plan("dev")
	if n := first.Summary.Counts; n.Add < 80 || n.Destroy+n.Change > 0 || len(first.Refused) > 0 || len(first.Summary.Requests) != 4 {
		t.Errorf("got %+v, %v refused, requests %v", n, first.Refused, first.Summary.Requests)
	}
	if seen := p.entra.Seen(); len(seen) > 0 {
		t.Errorf("a plan changed Entra: %v", seen)
	}

	p.run(0, []string{`"changed": true`, "clientId.orders", "Tokens for payments shall be good for 30 minutes"}, "apply", "--environment", "dev", "--yes")
	if p.entra.Assigned(p.bound("payments")) == "" {
		t.Error("payments has no lifetime policy")
	}
	p.run(0, []string{`"differs": false`}, "drift", "--environment", "dev")

	p.entra.Change("policies", func(all map[string]map[string]any) { clear(all) })
	p.run(2, []string{`"differs": true`, "conditionalAccess/policies"}, "drift", "--environment", "dev")
	p.run(0, []string{"removed"}, "destroy", "--environment", "dev", "--yes", "dev")
	p.entra.Change("policies", func(all map[string]map[string]any) {
		if len(all) > 0 {
			t.Errorf("policies are left in Entra: %v", all)
		}
	})
}

// bound is the client id that the contracts bind to an API of dev.
func (p place) bound(api string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, "contracts/environments/dev.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^  ` + api + `: ([0-9a-f-]{36})$`).FindSubmatch(text)
	if found == nil {
		p.t.Fatalf("%s has no client id in\n%s", api, text)
	}
	return string(found[1])
}

const returns = `kind: API
name: returns
owner: returns-team@contoso.example
path: /returns
backend: { url: "${backend.returns}" }
audience: "api://${tenant}/returns"
roles: [ { name: Returns.Read } ]
operations:
  - { id: list, match: "GET /", allow: { roles: [Returns.Read] } }
`

// One contract and its environment's values are all that a new API takes.
func TestANewAPIIsItsRegistrationItsRolesItsAlertAndNothingElse(t *testing.T) {
	p := example(t)
	p.run(0, nil, "apply", "--environment", "dev", "--yes")
	p.Write(t, "contracts/returns.yaml", returns)
	p.Edit(t, "contracts/environments/dev.yaml", "backend:\n", "backend:\n  returns: https://returns.dev.internal.contoso.example\n")
	p.Edit(t, "contracts/environments/dev.yaml", "owners:\n", "owners:\n  returns-team@contoso.example: d0000000-0000-4000-8000-000000000299\n")

	plan := p.plan("dev")
	if n := plan.Summary.Counts; n.Add != 4 || n.Change+n.Destroy+n.Replace > 0 {
		t.Errorf("got %+v, want a registration, its service principal, an alert and a question", n)
	}
	for _, want := range []string{"registration added", "role Returns.Read added", "alert refusal-spike-returns added"} {
		if !slices.ContainsFunc(plan.Summary.Changes, func(c struct{ About, Text, Address string }) bool {
			return c.About == "returns" && strings.HasPrefix(c.Text, want)
		}) {
			t.Errorf("got no line %q about returns in %v", want, plan.Summary.Changes)
		}
	}
	for _, c := range plan.Summary.Changes {
		if c.About != "returns" {
			t.Errorf("got a change of %s (%s), want none outside the API", c.Address, c.Text)
		}
	}
}

func TestAPlanOfTheExampleTakesSeconds(t *testing.T) {
	p := example(t)
	begin := time.Now()
	p.run(0, nil, "plan", "--environment", "prod")
	t.Logf("tollgate infra plan of prod, offline: %s (goal 30 s)", time.Since(begin).Round(100*time.Millisecond))
}
