package main

import (
	"encoding/json"
	"iter"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	limits "tollgate/shared/limit/tables"
	"tollgate/shared/subscription"
)

// someUses are one of each kind that a table must show.
func someUses() []used {
	ends := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	starts := ends.AddDate(0, 0, -1)
	one := func(scope, name string, n, of int64, by ...[2]string) used {
		return used{Use: limits.Use{Scope: scope, Name: name, Used: n, Most: of, By: by, Starts: starts, Ends: &ends}}
	}
	daily := one("product/partner", "daily", 10, 10, [2]string{"subscription", "4kq2wxyzabcd"})
	daily.of = &subscription.Record{ID: "4kq2wxyzabcd", Product: "partner", Owner: "me", State: subscription.Active}
	volume := one("api/archive", "volume", 1<<30+1<<29, 10<<30, [2]string{"claim:roles", string(limit.Value("a", "b"))})
	volume.Bytes = true
	total := one("api/orders", "total", 1, 1000, [2]string{"address", "2001:db8::"}, [2]string{"header:X-Site", ""})
	total.Ends = nil
	smooth := one("operation/orders/get", "even", 21, 20, [2]string{"all", ""})
	smooth.Smooth = true
	return []used{smooth, daily, volume, total}
}

func drawn(t *testing.T, all []used, on screen) string {
	t.Helper()
	var b strings.Builder
	if err := writeUsage(&b, all, on); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheTableOfUsage(t *testing.T) {
	for name, c := range map[string]struct {
		on   screen
		want string
	}{
		"no terminal": {screen{}, `
SCOPE                 LIMIT   BY                                                      USED / OF                               ENDS
operation/orders/get  even    everybody                                                 21 / 20  ████████████████████  105 %  sliding
product/partner       daily   subscription 4kq2wxyzabcd (product partner, me)           10 / 10  ████████████████████  100 %  2026-11-27 00:00:00Z
api/archive           volume  claim:roles a|b                                  1.5 GiB / 10 GiB  ███·················   15 %  2026-11-27 00:00:00Z
api/orders            total   address 2001:db8::/64, header:X-Site (none)              1 / 1000  ▏···················   <1 %  never ends

Used is what instances have debited; a part of it may still be held by them, unspent.
`},
		"a terminal of 80 columns": {screen{width: 80}, `
SCOPE                 LIMIT          USED / OF                   ENDS
  BY
operation/orders/get  even             21 / 20  ████████  105 %  sliding
  everybody
product/partner       daily            10 / 10  ████████  100 %  2026-11-27 00:00:00Z
  subscription 4kq2wxyzabcd (product partner, me)
api/archive           volume  1.5 GiB / 10 GiB  █▏······   15 %  2026-11-27 00:00:00Z
  claim:roles a|b
api/orders            total           1 / 1000  ▏·······   <1 %  never ends
  address 2001:db8::/64, header:X-Site (none)

Used is what instances have debited; a part of it may still be held by them, unspent.
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := "\n" + drawn(t, someUses(), c.on); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
	if got := drawn(t, nil, screen{}); got != "nothing is used\n" {
		t.Errorf("got %q", got)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	if got := drawn(t, someUses(), screen{}); strings.Contains(got, "\x1b") {
		t.Errorf("got %q, want no colour", got)
	}
	got := drawn(t, someUses(), screen{width: 200, colour: true})
	if !strings.Contains(got, "\x1b[31m████████████████████\x1b[0m  100 %") || !strings.Contains(got, "\x1b[32m███·") {
		t.Errorf("got %q, want a red bar and a green one", got)
	}
	for share, want := range map[float64]string{0.79: "\x1b[32m", 0.8: "\x1b[33m", 0.999: "\x1b[33m", 1: "\x1b[31m"} {
		if got := (screen{colour: true}).paint("x", share); !strings.HasPrefix(got, want) {
			t.Errorf("%v: got %q", share, got)
		}
	}
}

func TestBarsAndAmounts(t *testing.T) {
	for share, want := range map[float64]string{
		0: "····|0 %", 0.0001: "▏···|<1 %", 0.25: "█···|25 %", 0.999: "███▉|99 %", 1: "████|100 %", 7: "████|700 %",
	} {
		if got := bar(share, 4) + "|" + percent(share); got != want {
			t.Errorf("%v: got %s, want %s", share, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 50 << 20: "50 MiB", 1 << 53: "8388608 GiB"} {
		if got := sized(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	if got := (used{Use: limits.Use{Used: 5}}).share(); got != 0 {
		t.Errorf("got %v of a limit that isn't known", got)
	}
}

func TestUsageForMachines(t *testing.T) {
	var b strings.Builder
	if err := writeUsageJSON(&b, someUses()[1:2]); err != nil {
		t.Fatal(err)
	}
	want := `[{"scope":"product/partner","limit":"daily","by":[{"what":"subscription","value":"4kq2wxyzabcd"}],"used":10,"of":10,"unit":"calls",` +
		`"percent":100,"starts":"2026-11-26T00:00:00Z","ends":"2026-11-27T00:00:00Z",` +
		`"subscription":{"id":"4kq2wxyzabcd","product":"partner","owner":"me","state":"active"}}]`
	var got any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if text := strings.NewReplacer("\n", "", "  ", "", `": `, `":`).Replace(b.String()); text != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	b.Reset()
	if err := writeUsageJSON(&b, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("got %q, %v, want an empty list", b.String(), err)
	}
	b.Reset()
	if err := writeUsageCSV(&b, someUses()[1:]); err != nil {
		t.Fatal(err)
	}
	table := `scope,limit,by,value,used,of,unit,percent,starts,ends,smooth,product,api,owner,state
product/partner,daily,subscription,4kq2wxyzabcd,10,10,calls,100.00,2026-11-26T00:00:00Z,2026-11-27T00:00:00Z,false,partner,,me,active
api/archive,volume,claim:roles,\u0002a\u0002b,1610612736,10737418240,bytes,15.00,2026-11-26T00:00:00Z,2026-11-27T00:00:00Z,false,,,,
api/orders,total,address + header:X-Site,2001:db8:: + ,1,1000,calls,0.10,2026-11-26T00:00:00Z,,false,,,,
`
	if b.String() != table {
		t.Errorf("got %s\nwant %s", b.String(), table)
	}
}

func listOf(all []used) iter.Seq2[limits.Use, error] {
	return func(yield func(limits.Use, error) bool) {
		for _, u := range all {
			if !yield(u.Use, nil) {
				return
			}
		}
	}
}

func TestFiltersOfUsage(t *testing.T) {
	all := someUses()
	for _, c := range []struct {
		f    usageFilter
		want string // what is nearest to its limit first
	}{
		{usageFilter{}, "even daily volume total"},
		{usageFilter{product: "partner"}, "daily"},
		{usageFilter{product: "orders"}, ""},
		{usageFilter{api: "orders"}, "even total"},
		{usageFilter{api: "partner"}, ""},
		{usageFilter{limit: "volume"}, "volume"},
		{usageFilter{limit: "volume", api: "orders"}, ""},
		{usageFilter{subscription: "4kq2wxyzabcd"}, "daily"},
		{usageFilter{subscription: "4kq2"}, ""},
	} {
		got, err := picked(listOf([]used{all[3], all[1], all[0], all[2]}), c.f)
		var names []string
		for _, u := range got {
			names = append(names, u.Name)
		}
		if err != nil || strings.Join(names, " ") != c.want {
			t.Errorf("%+v: got %v, %v, want %s", c.f, names, err, c.want)
		}
	}
	plan := &contract.Plan{Products: []contract.PlannedProduct{{Name: "partner", Limits: []contract.PlannedLimit{{Name: "daily"}}}}, APIs: []contract.PlannedAPI{{Name: "orders"}}}
	for want, f := range map[string]usageFilter{
		`there is no product "partners"; known: partner`: {product: "partners"},
		`there is no API "order"; known: orders`:         {api: "order"},
		`there is no limit "dayly"; known: daily`:        {limit: "dayly"},
	} {
		if err := f.slip(plan); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := f.slip(nil); err != nil {
			t.Errorf("got %v where the contracts aren't known", err)
		}
	}
	if err := (&usageFilter{product: "a", api: "b"}).check(); err == nil {
		t.Error("got no error for a product and an API")
	}
}
