package graph_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/infra/graph"
	"tollgate/shared/contract"
)

// policies changes the one policy of ours in Entra.
func inEntra(kind string, change func(thing)) func(*tenant) {
	return func(n *tenant) {
		n.Change(kind, func(all map[string]thing) {
			for _, o := range all {
				change(o)
			}
		})
	}
}

func TestWhatSomebodyChangedInEntraIsFoundAndMended(t *testing.T) {
	conditions := func(o thing, name string) thing { return o["conditions"].(thing)[name].(thing) }
	for name, change := range map[string]func(*tenant){
		"a policy that only reports": inEntra("policies", func(o thing) { o["state"] = "enabledForReportingButNotEnforced" }),
		"a policy switched off":      inEntra("policies", func(o thing) { o["state"] = "disabled" }),
		"somebody let past it":       inEntra("policies", func(o thing) { conditions(o, "users")["excludeUsers"] = []any{"x"} }),
		"another group let past it":  inEntra("policies", func(o thing) { conditions(o, "users")["excludeGroups"] = []any{"x"} }),
		"only some it is about": inEntra("policies", func(o thing) {
			conditions(o, "users")["includeUsers"], conditions(o, "users")["includeGroups"] = []any{}, []any{"x"}
		}),
		"only from elsewhere": inEntra("policies", func(o thing) {
			o["conditions"].(thing)["locations"] = thing{"includeLocations": []any{"All"}, "excludeLocations": []any{"AllTrusted"}}
		}),
		"only for browsers": inEntra("policies", func(o thing) { o["conditions"].(thing)["clientAppTypes"] = []any{"browser"} }),
		"a weaker factor": inEntra("policies", func(o thing) {
			o["grantControls"] = thing{"operator": "OR", "builtInControls": []any{"mfa"}}
		}),
		"another way in beside it": inEntra("policies", func(o thing) { o["grantControls"].(thing)["builtInControls"] = []any{"compliantDevice"} }),
		"a longer session":         inEntra("policies", func(o thing) { o["sessionControls"].(thing)["signInFrequency"].(thing)["value"] = 24.0 }),
		"no end of the session":    inEntra("policies", func(o thing) { o["sessionControls"] = nil }),
		"a context withdrawn":      inEntra("contexts", func(o thing) { o["isAvailable"] = false }),
		"a context renamed":        inEntra("contexts", func(o thing) { o["displayName"] = "Other" }),
		"longer tokens": inEntra("lifetimes", func(o thing) {
			o["definition"] = []any{`{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"08:00:00"}}`}
		}),
		"a lifetime taken away": func(n *tenant) { n.Assign(paymentsID, "") },
		"a policy deleted":      func(n *tenant) { n.Change("policies", func(all map[string]thing) { clear(all) }) },
		"a lifetime policy deleted": func(n *tenant) {
			n.Assign(paymentsID, "")
			n.Change("lifetimes", func(all map[string]thing) { clear(all) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := wanted()
			n := applied(t, want)
			change(n)
			found := n.diff(t, want)
			if found.Empty() {
				t.Fatal("nobody noticed")
			}
			if outcome, err := n.Apply(t.Context(), want, found); err != nil {
				t.Fatalf("%v\n%s", err, outcome)
			}
		})
	}
}

// What Graph adds of its own, and who touched a policy without changing it, is no drift.
func TestWhatSaysNothingIsNoDifference(t *testing.T) {
	want := wanted()
	n := applied(t, want)
	inEntra("policies", func(o thing) {
		o["modifiedDateTime"], o["insiderRiskLevels"], o["conditions"].(thing)["times"] = "2026-11-27T00:00:00Z", nil, thing{}
		o["conditions"].(thing)["users"].(thing)["includeGuestsOrExternalUsers"] = nil
	})(n)
	if change := n.diff(t, want); !change.Empty() {
		t.Errorf("got\n%s", lines(change))
	}
}

func TestAnApplicationsOtherLifetimeMakesWay(t *testing.T) {
	n := newTenant(t)
	const others = "90000000-0000-4000-8000-000000000001"
	n.Change("lifetimes", func(all map[string]thing) {
		all[others] = thing{"id": others, "displayName": "theirs", "definition": []any{"x"}, "isOrganizationDefault": false}
	})
	n.Assign(paymentsID, others)
	want := wanted()
	change := n.diff(t, want)
	if !strings.Contains(lines(change), "DELETE /applications(appId='{clientId.payments}')/tokenLifetimePolicies/"+others+"/$ref") {
		t.Errorf("got\n%s", lines(change))
	}
	if outcome, err := n.Apply(t.Context(), want, change); err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
	if n.Assigned(paymentsID) == others {
		t.Error("theirs still holds")
	}
}

func TestTheTenantsOwnLifetimeIsTold(t *testing.T) {
	n := newTenant(t)
	n.Change("lifetimes", func(all map[string]thing) {
		all["x"] = thing{"id": "x", "displayName": "for all", "definition": []any{"x"}, "isOrganizationDefault": true}
	})
	if notes := n.diff(t, wanted()).Notes; len(notes) != 2 || !strings.Contains(notes[1], `"for all" sets the lifetime of every application's tokens`) {
		t.Errorf("got %v", notes)
	}
}

func TestWhatNoContractAsksForAnyMoreIsRemoved(t *testing.T) {
	n := applied(t, wanted())
	want := wanted(func(r *contract.Registrations) { r.Contexts, r.APIs[1].Lifetime = nil, 0 })
	change := n.diff(t, want)
	loosens := 0
	for _, r := range change.Requests {
		if r.Loosens {
			loosens++
		}
	}
	if len(change.Requests) != 3 || loosens != 2 {
		t.Errorf("got %d that loosen of\n%s", loosens, lines(change))
	}
	if outcome, err := n.Apply(t.Context(), want, change); err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
	if n.Assigned(paymentsID) != "" {
		t.Error("the lifetime still holds")
	}
}

func TestATearDownRemovesWhatIsOursAndNothingElse(t *testing.T) {
	want := wanted()
	n := applied(t, want)
	n.Change("policies", func(all map[string]thing) {
		all["theirs"] = thing{"id": "theirs", "displayName": "tollgate: contoso other c1", "conditions": thing{}}
	})
	nothing := want.Nothing()
	if outcome, err := n.Apply(t.Context(), nothing, n.diff(t, nothing)); err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
	n.Change("policies", func(all map[string]thing) {
		if len(all) != 1 || all["theirs"] == nil {
			t.Errorf("got %v", all)
		}
	})
	n.Change("lifetimes", func(all map[string]thing) {
		if len(all) != 0 {
			t.Errorf("got %v", all)
		}
	})
}

func TestTwoPoliciesOfOneNameAreAnError(t *testing.T) {
	n := applied(t, wanted())
	n.Change("policies", func(all map[string]thing) {
		all["x"] = thing{"id": "x", "displayName": prefix + "c1", "conditions": thing{}}
	})
	if _, err := n.Read(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), `two policies named "`+prefix+`c1"`) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsDoneThatWasNotConfirmed(t *testing.T) {
	want := wanted()
	n := newTenant(t)
	confirmed := n.diff(t, want)
	n.Change("contexts", func(all map[string]thing) {
		all["c1"] = thing{"id": "c1", "displayName": "Approve", "description": "Approve", "isAvailable": true}
	})
	outcome, err := n.Apply(t.Context(), want, confirmed)
	if !errors.Is(err, graph.ErrChanged) || len(n.Seen()) != 0 || len(outcome.Left) != len(confirmed.Requests) {
		t.Errorf("got %v, %v, %s", err, n.Seen(), outcome)
	}
}

func TestWhatAsksLessThanBeforeIsToldAsLoosening(t *testing.T) {
	first := func(change func(*contract.RegisteredContext)) func(*contract.Registrations) {
		return func(r *contract.Registrations) { change(&r.Contexts[0]) }
	}
	require := func(what string) func(*contract.Registrations) {
		return first(func(c *contract.RegisteredContext) { c.Require = what })
	}
	every := func(d time.Duration) func(*contract.Registrations) {
		return first(func(c *contract.RegisteredContext) { c.Every = contract.Duration(d) })
	}
	glass := func(id string) func(*contract.Registrations) {
		return func(r *contract.Registrations) { r.BreakGlass = id }
	}
	life := func(d time.Duration) func(*contract.Registrations) {
		return func(r *contract.Registrations) { r.APIs[1].Lifetime = d }
	}
	for name, c := range map[string]struct {
		was, will func(*contract.Registrations)
		loosens   bool
	}{
		"a weaker factor":          {require("phishingResistant"), require("mfa"), true},
		"a stronger factor":        {require("mfa"), require("phishingResistant"), false},
		"a factor for a device":    {require("compliantDevice"), require("mfa"), true},
		"a longer session":         {every(time.Hour), every(24 * time.Hour), true},
		"a shorter session":        {every(24 * time.Hour), every(time.Hour), false},
		"a session without end":    {every(time.Hour), every(0), true},
		"a session with an end":    {every(0), every(time.Hour), false},
		"another group let past":   {glass(""), glass("70000000-0000-4000-8000-000000000009"), true},
		"no group let past":        {glass("70000000-0000-4000-8000-000000000009"), glass(""), false},
		"tokens that live longer":  {life(time.Hour), life(24 * time.Hour), true},
		"tokens that live shorter": {life(24 * time.Hour), life(time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			change := applied(t, wanted(c.was)).diff(t, wanted(c.will))
			if len(change.Requests) == 0 {
				t.Fatal("nothing changes")
			}
			if got := slices.ContainsFunc(change.Requests, func(r graph.Request) bool { return r.Loosens }); got != c.loosens {
				t.Errorf("got loosens %t of\n%s", got, lines(change))
			}
		})
	}
	n := applied(t, wanted())
	inEntra("policies", func(o thing) { o["state"] = "disabled" })(n)
	if r := n.diff(t, wanted()).Requests; len(r) == 0 || slices.ContainsFunc(r, func(r graph.Request) bool { return r.Loosens }) {
		t.Errorf("got %v for policies that are switched on again, want nothing loosened", r)
	}
}
