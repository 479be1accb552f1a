package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/subscription"
)

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

func TestAClientAProductAndAKeyAreUsedWhicheverAPIWasCalled(t *testing.T) {
	plan, err := planIn("testdata/contracts", "prod")
	if err != nil {
		t.Fatal(err)
	}
	u := usesBy(plan)
	u.add(&audit.Event{Verdict: audit.Granted, Time: noon, API: "gone since", Operation: "get", App: batch, Product: "trial", Subscription: "4kq2wxyzabcd"})
	for _, what := range []use{{useClient, "", "", batch}, {useProduct, "", "trial", ""}, {useKey, "", "4kq2wxyzabcd", ""}} {
		if !u.wasUsed(what) {
			t.Errorf("got %v unused", what)
		}
	}
	if len(u.last) != 3 {
		t.Errorf("got %v, want nothing else used", u.last)
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
