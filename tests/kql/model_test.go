package kql_test

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tollgate/shared/audit"
)

const (
	day  = 24 * time.Hour
	late = 10 * time.Minute // what rules wait for
)

// among are the events of requests that arrived after the one and not after the other.
func among(all []seen, after, until time.Time) []seen {
	return only(all, func(e seen) bool { return e.Time.After(after) && !e.Time.After(until) })
}

func only(all []seen, keep func(seen) bool) []seen {
	return slices.DeleteFunc(slices.Clone(all), func(e seen) bool { return !keep(e) })
}

// grouped are the groups of equal keys, in the order of the keys.
func grouped(all []seen, key func(seen) []string) [][]seen {
	found := map[string][]seen{}
	for _, e := range all {
		k := strings.Join(key(e), "\x00")
		found[k] = append(found[k], e)
	}
	var out [][]seen
	for _, group := range found {
		out = append(out, group)
	}
	slices.SortFunc(out, func(a, b []seen) int { return slices.Compare(key(a[0]), key(b[0])) })
	return out
}

// texts are those that aren't empty, each once, in order.
func texts(all []seen, of func(seen) string) []string {
	out := []string{}
	for _, e := range all {
		if s := of(e); s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func count(all []seen, keep func(seen) bool) int { return len(only(all, keep)) }

func first(all []seen) seen {
	return slices.MinFunc(all, func(a, b seen) int { return a.Time.Compare(b.Time) })
}

func last(all []seen) seen {
	return slices.MaxFunc(all, func(a, b seen) int { return a.Time.Compare(b.Time) })
}

func ofAPI(e seen) string      { return e.API }
func ofAddress(e seen) string  { return e.Client }
func isRequest(e seen) bool    { return e.Event.Event != audit.Started }
func isBegun(e seen) bool      { return e.Event.Event != audit.Ended } // also one that still runs
func isGranted(e seen) bool    { return e.Verdict == audit.Granted }
func isRefused(e seen) bool    { return e.Verdict == audit.Refused }
func isWithClient(e seen) bool { return e.App != "" }

// models are what the questions and rules say, in Go.
var models = map[string]func(all []seen) []row{
	"who-by-client": func(all []seen) []row {
		return who(only(all, isWithClient), []string{"Tenant", "Client"}, func(e seen) []string { return []string{e.Tenant, e.App} })
	},
	"who-by-user": func(all []seen) []row {
		people := only(all, func(e seen) bool { return e.Principal == "user" && e.User != "" })
		return who(people, []string{"Tenant", "User"}, func(e seen) []string { return []string{e.Tenant, e.User} })
	},
	"who-by-tenant": func(all []seen) []row {
		return who(only(all, func(e seen) bool { return e.Tenant != "" }), []string{"Tenant"}, func(e seen) []string { return []string{e.Tenant} })
	},
	"who-by-subscription": func(all []seen) []row {
		keyed := only(all, func(e seen) bool { return e.Subscription != "" })
		return who(keyed, []string{"Product", "Subscription"}, func(e seen) []string { return []string{e.Product, e.Subscription} })
	},
	"stale-keys":     staleKeys,
	"unused":         unused,
	"why":            why,
	"refusal-spike":  spikes,
	"first-call":     firstCalls,
	"token-networks": manyNetworks,
	"quota-exhausted": func(all []seen) []row {
		return quotas(among(all, now.Add(-late-time.Hour), now.Add(-late)))
	},
	"old-contract":     oldContracts,
	"revocation-stale": func(all []seen) []row { return marked(all, func(m string) bool { return m == "revocation_stale" }) },
	"limit-outage": func(all []seen) []row {
		return marked(all, func(m string) bool { return strings.HasPrefix(m, "limit_outage:") })
	},
	"audit-loss": passedOrRefused,
}

func who(all []seen, names []string, key func(seen) []string) []row {
	var out []row
	for _, g := range grouped(among(all, now.Add(-day), now), key) {
		r := row{
			"Calls": count(g, isRequest), "Streams": len(g) - count(g, isRequest), "Refused": count(g, func(e seen) bool { return isRequest(e) && isRefused(e) }),
			"Apis": texts(g, ofAPI), "FirstCall": at(first(g).Time), "LastCall": at(last(g).Time),
		}
		for i, name := range names {
			r[name] = key(g[0])[i]
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(b["Calls"].(int), a["Calls"].(int)) })
	return out
}

// firstCalls: clients of the last hour that the fourteen days before didn't see.
func firstCalls(all []seen) []row {
	start := now.Add(-late - time.Hour)
	key := func(e seen) []string { return []string{e.Tenant, e.App} }
	known := map[string]bool{}
	for _, e := range among(all, now.Add(-14*day), start) {
		known[e.Tenant+"\x00"+e.App] = true
	}
	unknown := only(among(all, start, now.Add(-late)), func(e seen) bool { return e.App != "" && !known[e.Tenant+"\x00"+e.App] })
	var out []row
	for _, g := range grouped(unknown, key) {
		addresses := texts(g, ofAddress)
		out = append(out, row{
			"Tenant": g[0].Tenant, "Client": g[0].App, "Granted": count(only(g, isBegun), isGranted), "Refused": count(only(g, isBegun), isRefused), "FirstCall": at(first(g).Time),
			"Apis": texts(g, ofAPI), "Addresses": addresses, "Address": strings.Join(addresses[:min(len(addresses), 1)], ""),
		})
	}
	return out
}

// network is /24 or /48.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits) // both are lengths of theirs
	if a.Is4() {
		return p.String()
	}
	return p.Addr().StringExpanded() + "/48"
}

func manyNetworks(all []seen) []row {
	of := only(among(all, now.Add(-late-time.Hour), now.Add(-late)), func(e seen) bool { return e.Session != "" && network(e.Client) != "" })
	var out []row
	for _, g := range grouped(of, func(e seen) []string { return []string{e.Issuer, e.Session} }) {
		networks, addresses, newest := texts(g, func(e seen) string { return network(e.Client) }), texts(g, ofAddress), last(g)
		if len(networks) >= 3 {
			out = append(out, row{
				"Issuer": newest.Issuer, "Session": newest.Session, "Tenant": newest.Tenant, "User": newest.User, "Client": newest.App, "Calls": count(g, isBegun),
				"FirstCall": at(first(g).Time), "LastCall": at(newest.Time), "Networks": networks, "Addresses": addresses, "Address": addresses[0],
			})
		}
	}
	return out
}
