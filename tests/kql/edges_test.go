package kql_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tollgate/shared/audit"
)

func fixed() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

// settled is the end of each rule's window.
var settled = now.Add(-late)

// slots adds so many of the event to each slot of five minutes; the first slot is the oldest.
func (r *recording) slots(e audit.Event, oldest time.Time, each ...int) {
	for i, n := range each {
		for k := range n {
			e.Time = oldest.Add(time.Duration(i)*5*time.Minute + time.Duration(k+1)*5*time.Minute/time.Duration(n+1)).Truncate(time.Millisecond)
			r.add(e, 1+r.n%7, "i-1")
		}
	}
}

func aSpikeOfRefusalsIsToldAndTheSameVolumeOf200sIsNot(t *testing.T, e *engine) {
	start := settled.Add(-15 * time.Minute)
	bad, forbidden := refused(now, 401, "bad_signature"), refused(now, 403, "insufficient_scope")
	bad.API, forbidden.API = "", "" // so that only the address tells
	backends := from(now)
	backends.API, backends.Status = "", 401
	cases := []struct {
		name   string
		record func(r *recording)
		want   int
	}{
		{"401 in every slot", func(r *recording) { r.slots(bad, start, 20, 20, 20) }, 1},
		{"403 in every slot", func(r *recording) { r.slots(forbidden, start, 20, 25, 90) }, 1},
		{"a backend's own 401", func(r *recording) { r.slots(backends, start, 20, 20, 20) }, 1},
		{"the same volume of 200s", func(r *recording) { r.slots(from(now), start, 20, 20, 20) }, 0},
		{"one slot with one too few", func(r *recording) { r.slots(bad, start, 500, 19, 500) }, 0},
		{"a burst that is over", func(r *recording) { r.slots(bad, start, 300, 300) }, 0},
		{"200s beside it don't hide it", func(r *recording) { r.slots(from(now), start, 300, 300, 300); r.slots(bad, start, 20, 20, 20) }, 1},
		{"from 21 addresses, one each slot", func(r *recording) {
			for i := range 21 {
				bad.Client = fmt.Sprint("198.51.100.", i)
				r.slots(bad, start, 1, 1, 1)
			}
		}, 0},
		{"as every day", func(r *recording) { r.daily(bad, start, 1600); r.slots(bad, start, 22, 22, 22) }, 0},
		{"four times as every day", func(r *recording) { r.daily(bad, start, 1440); r.slots(bad, start, 20, 20, 20) }, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := record(t)
			c.record(r)
			if got := e.agrees(t, "refusal-spike", r); len(got) != c.want {
				t.Errorf("got %v, want %d", got, c.want)
			}
		})
	}
}

// daily spreads so many over the day before.
func (r *recording) daily(e audit.Event, start time.Time, n int) {
	for i := range n {
		e.Time = start.Add(-time.Duration(i) * 24 * time.Hour / time.Duration(n)).Truncate(time.Millisecond)
		r.add(e, inTable, "")
	}
}

func aSpikeIsOfAClientAndOfAnAPIToo(t *testing.T, e *engine) {
	r := record(t)
	for i := range 60 {
		bad := refused(settled.Add(-time.Duration(i)*15*time.Second), 403, "insufficient_scope")
		bad.Client, bad.Tenant, bad.App = fmt.Sprint("2001:db8::", i), "t-1", "app-1" // each from elsewhere
		r.add(bad, inTraces, "")
	}
	got := e.agrees(t, "refusal-spike", r)
	if len(got) != 2 || got[0]["By"] != "api" || got[0]["Who"] != "orders" || got[1]["By"] != "client" || got[1]["Who"] != "app-1" {
		t.Errorf("got %v", got)
	}
}

// A rule deployed for one API has its name in OfApi.
func aSpikeRuleOfOneAPIIsAboutThatAPIAlone(t *testing.T, e *engine) {
	r := record(t)
	for _, api := range []string{"orders", "invoices"} {
		bad := refused(now, 401, "bad_signature")
		bad.API = api
		r.slots(bad, settled.Add(-15*time.Minute), 20, 20, 20)
	}
	for of, want := range map[string]int{"": 3, "orders": 2, "rates": 0} { // the address, and each API
		if got := e.saysOf(t, "refusal-spike", r, filling{"OfApi": of}); len(got) != want {
			t.Errorf("OfApi = %q: got %v, want %d", of, got, want)
		}
	}
}

// risen is a spike whose oldest slot has 19, and one more at that time.
func risen(first time.Time) func(*recording) {
	return func(r *recording) {
		bad := refused(first, 401, "malformed")
		r.add(bad, inTraces, "")
		r.slots(bad, settled.Add(-15*time.Minute), 19, 20, 20)
	}
}

// known is a client that calls at the end of the window, and called before.
func known(before ...time.Time) func(*recording) {
	return func(r *recording) {
		for _, when := range append(before, settled) {
			c := from(when)
			c.Tenant, c.App = "t-1", "app-1"
			r.add(c, inTraces|inTable, "")
		}
	}
}

// roaming is a token from three networks.
func roaming(third time.Time) func(*recording) {
	return func(r *recording) {
		for i, when := range []time.Time{settled, settled.Add(-time.Minute), third} {
			c := from(when)
			c.Session, c.Issuer, c.Client = "k-1", "https://issuer.example", fmt.Sprintf("192.0.%d.1", i)
			r.add(c, inTable, "")
		}
	}
}

// A window has its end in it, and not its beginning.
func windowsBorders(t *testing.T, e *engine) {
	tick := time.Millisecond
	cases := []struct {
		name, query string
		record      func(*recording)
		want        int
	}{
		{"a spike's first, at the beginning", "refusal-spike", risen(settled.Add(-15 * time.Minute)), 0},
		{"a spike's first, right after it", "refusal-spike", risen(settled.Add(-15*time.Minute + tick)), 2},
		{"a client's first call, at the end", "first-call", known(), 1},
		{"a client's call, right after the end", "first-call", func(r *recording) {
			c := from(settled.Add(tick))
			c.App = "app-1"
			r.add(c, inTable, "")
		}, 0},
		{"known from the hour's beginning", "first-call", known(settled.Add(-time.Hour)), 0},
		{"seen right after the hour's beginning", "first-call", known(settled.Add(-time.Hour + tick)), 1},
		{"known for thirteen days", "first-call", known(now.Add(-13 * day)), 0},
		{"known until fourteen days ago", "first-call", known(now.Add(-14 * day)), 1},
		{"known right after that", "first-call", known(now.Add(-14*day + tick)), 0},
		{"a third network at the beginning", "token-networks", roaming(settled.Add(-time.Hour)), 0},
		{"a third network right after it", "token-networks", roaming(settled.Add(-time.Hour + tick)), 1},
		{"who called a day ago", "who-by-client", known(now.Add(-day), now.Add(-day+tick)), 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := record(t)
			c.record(r)
			if got := e.agrees(t, c.query, r); len(got) != c.want {
				t.Errorf("got %v, want %d", got, c.want)
			}
		})
	}
}

func networksOfOneToken(t *testing.T, e *engine) {
	cases := map[string]struct {
		addresses []string
		want      int
	}{
		"three networks":                        {[]string{"192.0.2.1", "198.51.100.1", "2001:db8:1::1"}, 1},
		"three addresses of one /24":            {[]string{"192.0.2.1", "192.0.2.2", "192.0.2.255"}, 0},
		"neighbours of three /24":               {[]string{"192.0.1.255", "192.0.2.0", "192.0.3.0"}, 1},
		"three addresses of one /48":            {[]string{"2001:db8:1::1", "2001:db8:1:2::1", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"}, 0},
		"three /48":                             {[]string{"2001:db8:1::1", "2001:db8:2::1", "2001:db8:10::1"}, 1},
		"pseudonyms, which are of no network":   {[]string{"p-aaaa", "p-bbbb", "p-cccc"}, 0},
		"one network, and calls from nobody":    {[]string{"192.0.2.1", "", ""}, 0},
		"compressed in the middle and the end":  {[]string{"2001:db8::2:1", "2001:0:1::", "::1"}, 1},
		"two networks, one of them seen thrice": {[]string{"192.0.2.1", "192.0.2.9", "198.51.100.1"}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			for i, address := range c.addresses {
				call := from(settled.Add(-time.Duration(i) * time.Minute))
				call.Session, call.Issuer, call.Client = "k-1", "https://issuer.example", address
				r.add(call, 1+i, "i-1")
			}
			if got := e.agrees(t, "token-networks", r); len(got) != c.want {
				t.Errorf("got %v, want %d", got, c.want)
			}
		})
	}
}
