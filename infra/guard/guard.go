// Package guard refuses plans that would open what must stay shut. It reads a
// plan and touches nothing.
package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
)

// The rules. Those of an environment that is declared private hold for all that
// will be there, the others for what the plan changes.
const (
	PublicBackend   = "public-backend"   // a backend would answer the Internet
	InternetInbound = "internet-inbound" // a rule of the network lets the Internet in
	OnlyWayIn       = "only-way-in"      // the only private way to something goes
	SharedAudience  = "shared-audience"  // a token for one API would be good at another
	RoleInUse       = "role-in-use"      // a role goes that somebody still uses
	ScopeInUse      = "scope-in-use"     // a scope goes that somebody still uses
	RuleOff         = "rule-off"         // an access rule is turned off or weakened
	PublicPath      = "public-path"      // private: a backend, storage or vault can be reached publicly
	NotShut         = "not-shut"         // private: an access rule isn't on
	NoDiagnostics   = "no-diagnostics"   // private: nothing records what happens to a resource
	SecretInState   = "secret-in-state"  // private: a secret would stand in the state
	NotKnown        = "not-known"        // private: a guarded value can't be known before apply
)

// unacceptable are the rules that nobody can wave through.
var unacceptable = []string{PublicBackend, InternetInbound, OnlyWayIn, SharedAudience, PublicPath}

// Finding is one thing that a plan must not do.
type Finding struct {
	Rule       string `json:"rule"`
	Address    string `json:"address"`
	Of         string `json:"of,omitempty"` // what of it: an attribute, a role, a rule
	Why        string `json:"why"`
	How        string `json:"how"` // to go on
	Acceptable bool   `json:"acceptable"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s\n  %s\n  %s", f.Rule, f.Address, f.Why, f.how())
}

// ID is what --accept names it by.
func (f Finding) ID() string {
	if f.Of == "" {
		return f.Rule + ":" + f.Address
	}
	return f.Rule + ":" + f.Address + "#" + f.Of
}

func (f Finding) how() string {
	if !f.Acceptable {
		return f.How
	}
	return fmt.Sprintf("%s If it is meant: --accept '%s'", f.How, f.ID())
}

// Facts are what the plan itself doesn't say.
type Facts struct {
	Private bool          // the environment is declared private: nothing but the gateway answers the Internet
	Uses    []planned.Use // by the contracts
}

// Check is all that the plan must not do, by rule and address.
func Check(plan *tfjson.Plan, facts Facts) []Finding {
	g := &guard{plan: plan, all: planned.Of(plan), facts: facts}
	g.exposure()
	g.audiences()
	g.used()
	g.turnedOff()
	if facts.Private {
		g.publicPaths()
		g.notShut()
		g.callsOut()
		g.diagnostics()
		g.secrets()
	}
	slices.SortStableFunc(g.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Of, b.Of))
	})
	return slices.Compact(g.found)
}

// Accept parts findings into those that stop the plan and those that were accepted,
// each by its ID; RULE:ADDRESS is enough where that is one finding. An acceptance that fits no finding, several, or none that may be
// accepted, is an error: it was meant for another plan.
func Accept(findings []Finding, accepted []string) (refused, passed []Finding, err error) {
	pass := map[string]bool{}
	for _, id := range accepted {
		fits := named(findings, func(f Finding) bool { return id == f.ID() })
		if len(fits) == 0 {
			fits = named(findings, func(f Finding) bool { return id == f.Rule+":"+f.Address })
		}
		switch rule, _, _ := strings.Cut(id, ":"); {
		case slices.Contains(unacceptable, rule):
			return findings, nil, fmt.Errorf("--accept %s: %s can't be accepted; change the plan", id, rule)
		case len(fits) == 0:
			return findings, nil, fmt.Errorf("--accept %s: this plan has no such finding", id)
		case len(fits) > 1:
			return findings, nil, fmt.Errorf("--accept %s: that is %d findings; accept each, as in --accept '%s'", id, len(fits), fits[0].ID())
		}
		pass[fits[0].ID()] = true
	}
	for _, f := range findings {
		if pass[f.ID()] {
			passed = append(passed, f)
		} else {
			refused = append(refused, f)
		}
	}
	return refused, passed, nil
}

func named(findings []Finding, is func(Finding) bool) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return !is(f) })
}

type guard struct {
	plan  *tfjson.Plan
	all   []planned.Change
	facts Facts
	found []Finding
}

func (g *guard) find(rule, address, of, how, why string, args ...any) {
	g.found = append(g.found, Finding{
		Rule: rule, Address: address, Of: of, Why: fmt.Sprintf(why, args...), How: how,
		Acceptable: !slices.Contains(unacceptable, rule),
	})
}

// goes tells that something with that id won't be there after the plan.
func (g *guard) goes(id string) bool {
	if id == "" {
		return false
	}
	return slices.ContainsFunc(g.all, func(c planned.Change) bool { return c.Removed() && planned.Text(c.Was("id")) == id })
}
