package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tollgate/localrun/events"
	"tollgate/localrun/evidence"
	"tollgate/shared/audit"
)

// observed is what one reading of the events gives.
type observed struct {
	by      map[string]*events.Tally
	apis    map[string]*events.Tally
	uses    *uses
	digest  string
	same    int64 // calls that these contracts decided
	omitted int64
	pseudo  int64
	claims  map[string]bool
}

func observe(b book) *observed {
	o := &observed{by: map[string]*events.Tally{}, apis: map[string]*events.Tally{}, uses: usesBy(b.plan), digest: b.plan.Version, claims: map[string]bool{}}
	for _, kind := range events.Kinds() {
		o.by[kind] = &events.Tally{By: kind}
	}
	for _, api := range b.plan.APIs {
		o.apis[api.Name] = &events.Tally{By: events.ByClient}
	}
	return o
}

func (o *observed) add(e *audit.Event) {
	for _, t := range o.by {
		t.Add(e)
	}
	if t := o.apis[e.API]; t != nil {
		t.Add(e)
	}
	o.uses.add(e)
	if e.Contract == o.digest {
		o.same++
	}
	if len(e.Omitted) > 0 {
		o.omitted++
	}
	if len(e.Pseudonyms) > 0 {
		o.pseudo++
	}
	for _, c := range e.Claims {
		if len(o.claims) < maxHidden {
			o.claims[c.Name] = true
		}
	}
}

// codesOf are the refusals that say something of a topic.
func codesOf() map[evidence.Topic]string {
	return map[evidence.Topic]string{
		evidence.Identify:    "token_missing token_expired token_not_yet_valid bad_signature unknown_key alg_not_allowed issuer_not_trusted wrong_audience tenant_not_allowed",
		evidence.Authorise:   "insufficient_scope insufficient_role groups_overage claim_required client_not_allowed no_route method_not_allowed",
		evidence.Privileged:  "step_up_required insufficient_claims wrong_principal_type guest_not_allowed client_not_allowed client_auth_too_weak",
		evidence.Lifecycle:   "token_revoked key_revoked revocation_unavailable key_inactive key_expired",
		evidence.Credentials: "client_auth_too_weak lifetime_exceeded binding_required invalid_dpop_proof certificate_mismatch key_missing key_malformed key_unknown key_token_mismatch",
		evidence.Boundary:    "address_not_allowed too_many_refused rate_exceeded quota_exceeded bandwidth_exceeded body_too_large path_not_canonical",
		evidence.Backends:    "backend_unreachable backend_timeout backend_open credential_unavailable assertion_unavailable",
		evidence.Record:      "audit_unavailable",
	}
}

// queries are the commands that give a figure again.
type queries struct{ since, until, source string }

func (q queries) who(more, jq string) string {
	return fmt.Sprintf("tollgate who --since %s --until %s%s%s --json | jq %s", q.since, q.until, q.source, more, quoted(jq))
}

func (q queries) unused(jq string) string {
	return fmt.Sprintf("tollgate unused --no-store --since %s --until %s%s --json | jq %s", q.since, q.until, q.source, quoted(jq))
}

// figures are what events show; none where there are no events: a zero would be
// a claim.
func (o *observed) figures(q queries, b book, s events.Stats, now time.Time) map[evidence.Topic][]evidence.Figure {
	out := map[evidence.Topic][]evidence.Figure{}
	total := &o.by[events.ByClient].Total
	if total.Calls == 0 {
		return out
	}
	add := func(t evidence.Topic, query, format string, args ...any) {
		out[t] = append(out[t], evidence.Figure{Says: fmt.Sprintf(format, args...), Query: query})
	}
	add(evidence.Identify, q.who("", ".total.calls, .total.granted, .total.refused"), "%d calls, %d granted, %d refused", total.Calls, total.Granted, total.Refused)
	for _, kind := range events.Kinds() {
		n, nobody := callersKnown(o.by[kind])
		add(evidence.Identify, q.who(" --by "+kind, "[.callers[] | select(.id)] | length"), "different %ss that called: %d; calls that name none: %d", kind, n, nobody)
	}
	for _, name := range slices.Sorted(maps.Keys(o.apis)) {
		if c := &o.apis[name].Total; c.Calls > 0 {
			add(evidence.Authorise, q.who(" --api "+name, ".total.calls, .total.granted, .total.refused"), "%s: %d calls, %d granted, %d refused", name, c.Calls, c.Granted, c.Refused)
		}
	}
	for t, codes := range codesOf() {
		refusals(t, strings.Fields(codes), total, add, q)
	}
	o.records(add, q, total, s)
	o.permissions(add, q, b, now)
	return out
}

// refusals are those with the codes; what there was none of stands in one line.
func refusals(t evidence.Topic, codes []string, total *events.Caller, add adder, q queries) {
	var none []string
	for _, code := range codes {
		if n := total.Codes[code]; n > 0 {
			add(t, q.who("", ".total.refusals."+code), "calls refused with %s: %d", code, n)
		} else {
			none = append(none, code)
		}
	}
	if len(none) > 0 {
		add(t, q.who("", "(.total.refusals // {}) | {"+strings.Join(none, ", ")+"}"), "no call was refused with %s", strings.Join(none, ", "))
	}
}

type adder func(t evidence.Topic, query, format string, args ...any)

func (o *observed) records(add adder, q queries, total *events.Caller, s events.Stats) {
	add(evidence.Record, q.who("", ".events"), "events read: %d, from %s to %s; came twice: %d; lines that were none: %d", s.Events, day(s.First), day(s.Last), s.Repeated, s.Skipped)
	add(evidence.Record, q.who("", ".events.lost // 0"), "events lost, as gateways say: %d", s.Lost)
	names := slices.SortedFunc(maps.Keys(total.Codes), func(a, b string) int {
		return cmp.Or(cmp.Compare(total.Codes[b], total.Codes[a]), strings.Compare(a, b))
	})
	for _, code := range names[:min(len(names), 5)] {
		add(evidence.Watch, q.who("", fmt.Sprintf(".total.refusals[%q]", code)), "among the most frequent refusals, %s: %d", code, total.Codes[code])
	}
	add(evidence.Minimise, "of each call's event: .unmapped.omitted != null", "calls whose events keep something out: %d", o.omitted)
	add(evidence.Minimise, "of each call's event: .unmapped.pseudonyms != null", "calls whose events hold pseudonyms: %d", o.pseudo)
	add(evidence.Minimise, "of each call's event: .unmapped.claims | keys", "claims that events hold: %s", orNothing(strings.Join(slices.Sorted(maps.Keys(o.claims)), ", ")))
	add(evidence.Change, fmt.Sprintf("of each call's event: .api.service.version == %q", o.digest), "calls decided by these contracts: %d; by others: %d", o.same, total.Calls-o.same)
}

func (o *observed) permissions(add adder, q queries, b book, now time.Time) {
	count := map[string]int{}
	for _, i := range o.uses.idle(b) {
		count[i.Kind]++
	}
	for _, kind := range []string{useOperation, useScope, useRole, useClient, useClientsOwn} {
		if name := o.uses.blind(kind); name != "" {
			continue // events keep it out: not shown
		}
		add(evidence.Least, q.unused(fmt.Sprintf("[.unused[] | select(.kind == %q)] | length", kind)), "not used by any granted call, of the kind %s: %d", kind, count[kind])
	}
	over := 0
	for _, e := range expiringIn(b, nil, now, now) {
		if e.Over {
			over++
		}
	}
	add(evidence.Lifecycle, q.unused("[.expiring[] | select(.over)] | length"), "clients' secrets past their end: %d", over)
}

// callersKnown is how many callers are known, and how many calls are nobody's.
func callersKnown(t *events.Tally) (n int, nobody int64) {
	for _, c := range t.Callers() {
		if c.ID == "" {
			nobody += c.Calls
		} else {
			n++
		}
	}
	return n, nobody
}
