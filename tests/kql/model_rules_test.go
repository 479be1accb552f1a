package kql_test

import (
	"slices"
	"strings"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// spikes: in each of the last three slots of five minutes at least 20 answers 401
// or 403, and at least four times an average slot of the day before.
func spikes(all []seen) []row {
	until := now.Add(-late)
	start := until.Add(-15 * time.Minute)
	bad := only(among(all, start.Add(-day), until), func(e seen) bool { return isRequest(e) && (e.Status == 401 || e.Status == 403) })
	var out []row
	for _, by := range []string{"address", "api", "client"} {
		of := func(e seen) string { return map[string]string{"address": e.Client, "api": e.API, "client": e.App}[by] }
		for _, g := range grouped(only(bad, func(e seen) bool { return of(e) != "" }), func(e seen) []string { return []string{of(e)} }) {
			if r := spike(g, start, until); r != nil {
				r["By"], r["Who"], r["Address"], r["Client"] = by, of(g[0]), "", ""
				if by != "api" {
					r[strings.ToUpper(by[:1])+by[1:]] = of(g[0])
				}
				out = append(out, r)
			}
		}
	}
	return out
}

func spike(g []seen, start, until time.Time) row {
	var slots [3]int
	recent := among(g, start, until)
	for _, e := range recent {
		slots[until.Sub(e.Time)/(5*time.Minute)]++
	}
	fewest, usual := slices.Min(slots[:]), float64(len(g)-len(recent))/288
	if fewest < 20 || float64(fewest) < 4*usual {
		return nil
	}
	return row{
		"Refused": len(recent), "Fewest": fewest, "UsualSlot": usual, "FromBackend": count(recent, isGranted),
		"Codes": texts(recent, func(e seen) string { return e.Code }),
	}
}

func quotas(recent []seen) []row {
	used := only(recent, func(e seen) bool { return isBegun(e) && (e.Code == "quota_exceeded" || e.Code == "bandwidth_exceeded") })
	var out []row
	key := func(e seen) []string { return []string{e.Rule, e.Tenant, e.App, e.Subscription, e.Code} }
	for _, g := range grouped(used, key) {
		newest := last(g)
		out = append(out, row{
			"Code": newest.Code, "Rule": newest.Rule, "Tenant": newest.Tenant, "Client": newest.App, "Subscription": newest.Subscription, "Refused": len(g),
			"Apis": texts(g, ofAPI), "FirstCall": at(first(g).Time), "LastCall": at(newest.Time), "Limits": limits(newest.Limits),
		})
	}
	return out
}

func limits(all []audit.Limit) any {
	if len(all) == 0 {
		return nil
	}
	var out []row
	for _, l := range all {
		r := row{"name": l.Name, "left": l.Left}
		if l.Reset != 0 {
			r["reset"] = int64(l.Reset / time.Second)
		}
		out = append(out, r)
	}
	return out
}

// oldContracts: per gateway and environment, those that decided in the last hour
// though another was first seen later, more than an hour before, and decides too.
func oldContracts(all []seen) []row {
	until := now.Add(-late)
	var out []row
	for _, gateway := range grouped(among(all, now.Add(-day), until), func(e seen) []string { return []string{e.Gateway, e.Environment} }) {
		digests := grouped(gateway, func(e seen) []string { return []string{e.Contract} })
		newest := slices.MaxFunc(digests, func(a, b []seen) int { return first(a).Time.Compare(first(b).Time) })
		for _, d := range digests {
			old, current := last(d).Time, last(newest).Time
			if d[0].Contract == newest[0].Contract || len(among(d, until.Add(-time.Hour), until)) == 0 || !current.After(until.Add(-time.Hour)) {
				continue
			}
			if since := first(newest).Time; old.After(since.Add(time.Hour)) {
				out = append(out, row{
					"Gateway": d[0].Gateway, "Environment": d[0].Environment, "Contract": d[0].Contract, "LastCall": at(old), "NewContract": newest[0].Contract,
					"NewSince": at(since), "Instances": texts(d, func(e seen) string { return e.Instance }),
				})
			}
		}
	}
	return out
}

func marked(all []seen, which func(string) bool) []row {
	var each []seen // once for each such mark
	for _, e := range among(all, now.Add(-late-15*time.Minute), now.Add(-late)) {
		for _, m := range e.Marks {
			if which(m) && e.Event.Event != audit.Ended {
				e.Marks = []string{m}
				each = append(each, e)
			}
		}
	}
	var out []row
	for _, g := range grouped(each, func(e seen) []string { return []string{e.Gateway, e.Environment, e.Marks[0]} }) {
		out = append(out, row{
			"Gateway": g[0].Gateway, "Environment": g[0].Environment, "Mark": g[0].Marks[0], "Calls": len(g), "FirstCall": at(first(g).Time), "LastCall": at(last(g).Time),
			"Apis": texts(g, ofAPI),
		})
	}
	return out
}

// passedOrRefused is what of a full outlet stands in events. What was lost stands
// in none: TestLossesAreTold.
func passedOrRefused(all []seen) []row {
	what := func(e seen) string { return map[bool]string{true: "passed", false: "refused"}[isGranted(e)] }
	full := only(among(all, now.Add(-late-15*time.Minute), now.Add(-late)), func(e seen) bool {
		return e.Code == "audit_unavailable" || slices.Contains(e.Marks, "audit_unavailable:allow")
	})
	var out []row
	for _, g := range grouped(full, func(e seen) []string { return []string{what(e), e.API, e.Instance} }) {
		out = append(out, row{"What": what(g[0]), "Where": g[0].API, "Instance": g[0].Instance, "Count": len(g), "Times": len(g), "LastTold": at(last(g).Time)})
	}
	return out
}

// What the lists in the two questions name, in tests.
var (
	issued = []string{"s-1", "s-never", "s-old-0"}
	grants = []contract.Grant{
		{Kind: "operation", API: "orders", Name: "get"}, {Kind: "operation", API: "orders", Name: "list"},
		{Kind: "scope", API: "orders", Name: "orders.read", Operation: "get", Principal: "user"},
		{Kind: "scope", API: "orders", Name: "orders.write", Operation: "list", Principal: "user"}, // held, and asked for elsewhere
		{Kind: "scope", API: "orders", Name: "orders.delete"},
		{Kind: "role", API: "orders", Name: "Reader", Operation: "get", Principal: "application"},
		{Kind: "role", API: "orders", Name: "Admin", Operation: "get", Principal: "application"},
		{Kind: "client", Name: "app-1"}, {Kind: "client", Name: "app-gone"}, {Kind: "product", Name: "partner"}, {Kind: "product", Name: "trial"},
	}
)

func staleKeys(all []seen) []row {
	used := only(among(all, now.Add(-90*day), now), func(e seen) bool { return e.Subscription != "" })
	known := append(texts(used, func(e seen) string { return e.Subscription }), issued...)
	slices.Sort(known)
	var out []row
	for _, name := range slices.Compact(known) {
		r := row{"Subscription": name, "LastGranted": nil, "LastSent": nil}
		sent := only(used, func(e seen) bool { return e.Subscription == name })
		if len(sent) > 0 {
			r["LastSent"] = at(last(sent).Time)
		}
		if ok := only(sent, isGranted); len(ok) > 0 {
			r["LastGranted"] = at(last(ok).Time)
			if last(ok).Time.After(now.Add(-30 * day)) {
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

func unused(all []seen) []row {
	used := map[contract.Grant]bool{}
	for _, e := range only(among(all, now.Add(-90*day), now), isGranted) {
		used[contract.Grant{Kind: "operation", API: e.API, Name: e.Operation}] = true
		used[contract.Grant{Kind: "client", Name: e.App}] = true
		used[contract.Grant{Kind: "product", Name: e.Product}] = true
		for _, g := range grants {
			principal := map[bool]string{true: "user", false: "application"}[e.Principal == "user"]
			if g.Operation != "" && g.API == e.API && g.Operation == e.Operation && g.Principal == principal && slices.Contains(held(e, g.Kind), g.Name) {
				used[contract.Grant{Kind: g.Kind, API: g.API, Name: g.Name}] = true
			}
		}
	}
	var out []row
	for _, g := range grants {
		if g.Operation, g.Principal = "", ""; !used[g] {
			out = append(out, row{"Kind": g.Kind, "Api": g.API, "Name": g.Name})
		}
	}
	key := func(r row) string { return r["Kind"].(string) + " " + r["Api"].(string) + " " + r["Name"].(string) }
	slices.SortFunc(out, func(a, b row) int { return strings.Compare(key(a), key(b)) })
	return out
}

// held is what the caller's token held of that kind.
func held(e seen, kind string) (names []string) {
	for _, c := range e.Claims {
		switch {
		case kind == "role" && c.Name == "roles":
			names = append(names, c.Values...)
		case kind == "scope" && (c.Name == "scp" || c.Name == "scope"):
			names = append(names, strings.Fields(strings.Join(c.Values, " "))...)
		}
	}
	return names
}

// wanted is the call that the question asks for, in tests: a stream of two events.
const wanted = "asked-for"

func why(all []seen) []row {
	var out []row
	for _, e := range only(all, func(e seen) bool { return e.Correlation == wanted }) {
		out = append(out, whyRow(e.Event))
	}
	slices.SortFunc(out, func(a, b row) int { return strings.Compare(b["Event"].(string), a["Event"].(string)) })
	return out
}

// whyRow is the row of an event.
func whyRow(e audit.Event) row {
	r := row{
		"Time": at(e.Time), "Correlation": e.Correlation, "Event": e.Event, "Verdict": e.Verdict, "Status": e.Status, "Code": e.Code, "Rule": e.Rule, "Detail": e.Cause,
		"Api": e.API, "Operation": e.Operation, "Method": e.Method, "Path": e.Path, "Contract": e.Contract, "Address": e.Client, "Tenant": e.Tenant, "User": e.User,
		"Client": e.App, "Subscription": e.Subscription, "Product": e.Product, "Claims": nil, "Limits": limits(e.Limits), "Marks": nil, "DurationMs": e.Duration.Milliseconds(),
	}
	if len(e.Claims) > 0 {
		claims := map[string][]string{}
		for _, c := range e.Claims {
			claims[c.Name] = c.Values
		}
		r["Claims"] = claims
	}
	if len(e.Marks) > 0 {
		r["Marks"] = e.Marks
	}
	return r
}
