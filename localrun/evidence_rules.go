package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"tollgate/localrun/evidence"
	"tollgate/shared/contract"
)

// ruleBook gathers the contracts' lines by what they are about.
type ruleBook struct {
	book
	rules map[evidence.Topic][]evidence.Rule
}

// add is a rule of an API, or of the gateway where api is "".
func (r *ruleBook) add(t evidence.Topic, api, rule, format string, args ...any) {
	r.say(t, r.place(api, rule), format, args...)
}

func (r *ruleBook) say(t evidence.Topic, place, format string, args ...any) {
	r.rules[t] = append(r.rules[t], evidence.Rule{Says: fmt.Sprintf(format, args...), Place: place})
}

// enforcedBy is all that the contracts enforce, as far as controls ask for it.
func enforcedBy(b book) map[evidence.Topic][]evidence.Rule {
	r := &ruleBook{b, map[evidence.Topic][]evidence.Rule{}}
	r.gateway()
	for i := range b.plan.APIs {
		r.api(&b.plan.APIs[i])
	}
	for _, p := range b.plan.Products {
		r.product(&p)
	}
	for i := range b.plan.Clients {
		r.client(&b.plan.Clients[i])
	}
	return r.rules
}

func (r *ruleBook) gateway() {
	p := r.plan
	for _, is := range p.Issuers {
		r.add(evidence.Identify, "", "gateway.identity", "Tokens of the issuer %s are accepted, signed with %s, and no other's", is.Issuer, strings.Join(p.Algorithms, ", "))
	}
	if p.MaxLifetime > 0 {
		r.add(evidence.Credentials, "", "gateway.identity.maxLifetime", "A token lives for %s at the most", p.MaxLifetime)
	}
	r.add(evidence.Boundary, "", "gateway.floodGuard", "Beyond %d refused credentials in %s from one address, further ones are verified slowly", p.FloodGuard.Refused, p.FloodGuard.Window)
	if len(p.Addresses.Allow)+len(p.Addresses.Deny) > 0 {
		r.add(evidence.Boundary, "", "gateway.addresses", "Calls may come from certain addresses only: %s", addresses(p.Addresses))
	}
	if p.Revocation != nil {
		r.add(evidence.Lifecycle, "", "gateway.revocation", "Users, clients, tokens, tenants and subscriptions can be cut off at once; while the list can't be read it is used for %s, then calls are refused", p.Revocation.MaxStale)
	}
	for _, h := range p.Forward {
		r.add(evidence.Minimise, "", "forward."+h.Name, "Backends hear %s of the caller as %s; whatever a caller sends under that name is removed", strings.Join(h.Claims, " or "), h.Name)
	}
	r.audit()
	r.add(evidence.Change, "", "gateway.name", "Contracts are read strictly at the start: an unknown word or a rule that can't be enforced stops it. Each event names the digest of those that decided; these have %s", p.Version)
}

func (r *ruleBook) audit() {
	a := r.plan.Audit
	if a.Allow {
		r.add(evidence.Record, "", "gateway.audit.unavailable", "Every call leaves an event; while none can be kept, calls pass, and are marked where their event can be written after all")
	} else {
		r.add(evidence.Record, "", "gateway.audit.unavailable", "Every call leaves an event; while none can be kept, calls are refused")
	}
	if len(a.Omit) > 0 {
		r.add(evidence.Minimise, "", "gateway.audit.omit", "Events keep out: %s", strings.Join(a.Omit, ", "))
	}
	if len(a.Pseudonymise) > 0 {
		r.add(evidence.Minimise, "", "gateway.audit.pseudonymise", "Events hold pseudonyms of: %s", strings.Join(a.Pseudonymise, ", "))
	}
	file := filepath.Join(r.source, "environments", r.plan.Environment+".yaml")
	if a.Logs != nil {
		r.say(evidence.Record, file, "Events are sent to Azure Monitor (%s)", a.Logs.Stream)
		r.say(evidence.Watch, file, "Events can be queried and alerted on in Azure Monitor (%s)", a.Logs.Stream)
	}
	if a.EventHub != nil {
		r.say(evidence.Watch, file, "Events are sent to the event hub %s, for a SIEM", a.EventHub.Name)
	}
}

func (r *ruleBook) api(a *contract.PlannedAPI) {
	for _, acc := range a.Accepts {
		r.add(evidence.Identify, a.Name, "audience", "%s takes tokens of %s for %s only", a.Name, acc.Issuer.Name, strings.Join(acc.Audiences, " or "))
	}
	for _, op := range a.Operations {
		r.operation(a, &op)
	}
	for _, c := range a.Require {
		r.add(evidence.Authorise, a.Name, c.Rule, "%s demands the claim %s with one of the listed values", a.Name, c.Claim)
	}
	r.callers(a)
	if len(a.Addresses.Allow)+len(a.Addresses.Deny) > 0 {
		r.add(evidence.Boundary, a.Name, "addresses", "%s may be called from certain addresses only: %s", a.Name, addresses(a.Addresses))
	}
	for _, t := range a.Backend.Targets {
		if t.URL != nil && t.URL.Scheme == "https" {
			r.add(evidence.Backends, a.Name, "backend", "%s is reached at %s by TLS 1.2 or newer", a.Name, t.URL.Host)
		}
	}
	if a.Backend.Auth != nil {
		r.add(evidence.Backends, a.Name, "backend.authenticate", "The gateway proves itself to the backend of %s (%s)", a.Name, a.Backend.Auth.Kind)
	}
	if a.Backend.Assertion != nil {
		r.add(evidence.Backends, a.Name, "backend.assertion", "Calls to the backend of %s carry a signed statement, so that it can't be reached around the gateway", a.Name)
	}
	if len(a.Reads) > 0 {
		r.add(evidence.Minimise, a.Name, "operations", "Events of %s hold these claims and no others: %s", a.Name, strings.Join(a.Reads, ", "))
	}
}

func (r *ruleBook) operation(a *contract.PlannedAPI, op *contract.PlannedOperation) {
	at, name := "operations."+op.ID, a.Name+"/"+op.ID
	if op.Allow == nil {
		r.add(evidence.Authorise, a.Name, at+".public", "%s is open to anyone, as its contract says", name)
		return
	}
	var asks []string
	for _, one := range []struct {
		what  string
		names []string
	}{{"a user with the scope", op.Allow.Scopes}, {"a user with the role", op.Allow.UserRoles}, {"an application with the role", op.Allow.Roles}} {
		if len(one.names) > 0 {
			asks = append(asks, one.what+" "+strings.Join(one.names, " or "))
		}
	}
	switch op.Key {
	case contract.KeyAnd:
		asks = append(asks, "a subscription key as well")
	case contract.KeyAlone:
		asks = append(asks, "whoever has a good subscription key, without a token")
	}
	r.add(evidence.Authorise, a.Name, at+".allow", "%s is for %s", name, strings.Join(asks, "; "))
	if op.StepUp != "" {
		r.add(evidence.Privileged, a.Name, at+".stepUp", "%s demands that the user met the authentication context %s", name, op.StepUp)
	}
	for _, l := range op.Limits {
		r.add(evidence.Boundary, a.Name, l.Rule, "%s is limited by %s", name, l.Name)
	}
}

func (r *ruleBook) callers(a *contract.PlannedAPI) {
	c := a.Callers
	if c.Principals != "both" && c.Principals != "" {
		r.add(evidence.Privileged, a.Name, "principals", "%s may be called by %s only", a.Name, c.Principals)
	}
	if c.Clients != nil {
		r.add(evidence.Privileged, a.Name, "clients", "%s may be called by %d listed client(s) only", a.Name, len(c.Clients))
		r.add(evidence.Least, a.Name, "clients", "%s may be called by %d listed client(s) only", a.Name, len(c.Clients))
	}
	if c.Certificate {
		r.add(evidence.Credentials, a.Name, "clientAuth", "Clients of %s must have proved themselves by a certificate or a federated credential", a.Name)
	}
	if c.MembersOnly {
		r.add(evidence.Privileged, a.Name, "guests", "Guests may not call %s", a.Name)
	}
	if a.Proof.DPoP != "" || a.Proof.CertificateHeader != "" {
		r.add(evidence.Credentials, a.Name, "proof", "%s takes tokens that are bound to a key with proof of that key", a.Name)
	}
}

func (r *ruleBook) product(p *contract.PlannedProduct) {
	at := "gateway.products." + p.Name
	if p.Approval {
		r.add(evidence.Lifecycle, "", at+".approval", "A subscription to %s is good once somebody approved it", p.Name)
	}
	if p.BindClient || p.BindTenant {
		r.add(evidence.Credentials, "", at+".bind", "A key to %s is good only with the token of whom the subscription names", p.Name)
	}
	for _, l := range p.Limits {
		r.add(evidence.Boundary, "", l.Rule, "The product %s is limited by %s", p.Name, l.Name)
	}
}

func (r *ruleBook) client(c *contract.PlannedClient) {
	at := func(rule string) string {
		file, line := c.Place(rule)
		return fmt.Sprintf("%s:%d", filepath.Join(r.source, file), line)
	}
	r.say(evidence.Lifecycle, at("owner"), "%s answers for the client %s", c.Owner, c.Name)
	ends := ""
	if c.Credential.Expires != "" {
		ends = ", until " + c.Credential.Expires
	}
	r.say(evidence.Credentials, at("credential"), "The client %s proves itself by: %s%s", c.Name, c.Credential.Kind, ends)
	for i, u := range c.Uses {
		r.say(evidence.Least, at(fmt.Sprintf("uses.%d", i)), "The client %s states what it uses of %s: %s", c.Name, u.API, strings.Join(append(append([]string{}, u.Scopes...), u.Roles...), ", "))
	}
}

func addresses(l contract.AddressList) string {
	return fmt.Sprintf("%d network(s) allowed, %d denied", len(l.Allow), len(l.Deny))
}

// day is how dates stand in queries: they must give the same figures again.
func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
