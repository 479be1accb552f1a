package kql_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/audit"
	"tollgate/tests/desk"
)

// subscriptions makes those of a local run, each of another state, and says which
// of them could be used.
func subscriptions(t *testing.T, d desk.Desk) (ids map[string]string, usable []string) {
	t.Helper()
	ids = map[string]string{}
	keys := func(args ...string) {
		t.Helper()
		if out, errs, code := d.Run(append([]string{"keys"}, args...)...); code != 0 {
			t.Fatalf("%q: exit %d, %s%s", args, code, out, errs)
		}
	}
	var listed []struct{ ID, Owner, State string }
	for _, owner := range []string{"recent", "long ago", "refused", "never", "suspended", "cancelled"} {
		keys("create", "--product", "partner", "--owner", owner)
	}
	said(t, d, 0, &listed, "keys", "list", "--json")
	for _, k := range listed {
		ids[k.Owner] = k.ID
	}
	keys("suspend", ids["suspended"], "--yes")
	keys("cancel", ids["cancelled"], "--yes")
	said(t, d, 0, &listed, "keys", "list", "--json")
	for _, k := range listed {
		if k.State == "active" || k.State == "suspended" {
			usable = append(usable, k.ID)
		}
	}
	return ids, usable
}

// keysThatNobodyUsedTollgateUnusedSays: of those in the store that could be used.
// The query tells of others too, which it saw in events and which the list hasn't.
func keysThatNobodyUsedTollgateUnusedSays(t *testing.T, e *engine) {
	d := desk.New(t)
	d.Up(t)
	ids, usable := subscriptions(t, d)
	calls := record(t)
	call := func(ago int, id, verdict string) {
		one := from(now.AddDate(0, 0, -ago))
		one.API, one.Subscription, one.Product, one.Verdict = "rates", id, "partner", verdict
		calls.add(one, 1+calls.n%7, "i-1")
	}
	call(1, ids["recent"], audit.Granted)
	call(40, ids["long ago"], audit.Granted)
	call(30, ids["suspended"], audit.Granted) // to the tick: no longer
	call(2, ids["refused"], audit.Refused)
	call(50, ids["cancelled"], audit.Granted)
	call(60, "another", audit.Granted)

	ask := func() (command, listed, others []string) {
		var answer struct{ Unused []struct{ Kind, Name string } }
		said(t, d, 0, &answer, append([]string{"unused", "--json", "--events", calls.file(t)}, span(30)...)...)
		for _, u := range answer.Unused {
			if u.Kind == "subscription" {
				command = append(command, u.Name)
			}
		}
		slices.Sort(command)
		for _, row := range e.saysOf(t, "stale-keys", calls, filling{"Issued": usable}) {
			if id := row["Subscription"].(string); slices.Contains(usable, id) {
				listed = append(listed, id)
			} else {
				others = append(others, id)
			}
		}
		return command, listed, others
	}
	command, listed, others := ask()
	want := []string{ids["long ago"], ids["refused"], ids["never"], ids["suspended"]}
	slices.Sort(want)
	if diff := cmp.Diff(want, command); diff != "" {
		t.Errorf("the command (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(command, listed); diff != "" {
		t.Errorf("(-tollgate +query):\n%s", diff)
	}
	want = []string{ids["cancelled"], "another"}
	slices.Sort(want)
	if diff := cmp.Diff(want, others); diff != "" {
		t.Errorf("seen, and not in the list (-want +got):\n%s", diff)
	}

	// Where an event keeps its subscription out, neither says anything.
	hidden := from(now.AddDate(0, 0, -1))
	hidden.Omitted = []string{"subscription"}
	calls.add(hidden, inTable, "")
	if command, listed, others := ask(); len(command)+len(listed)+len(others) > 0 {
		t.Errorf("got %v, %v and %v, want nothing", command, listed, others)
	}
}
