package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tollgate/localrun/estate"
	"tollgate/shared/contract"
)

// variant is a caller that differs from its persona in one thing that the API looks at.
type variant struct {
	name    string
	changes map[string]any
}

// variants are the listed clients, and whoever doesn't meet one thing that the
// API asks of all its callers.
func (p persona) variants() []variant {
	all := p.clients()
	if p.entra() && p.api.Callers.Certificate {
		all = append(all, variant{"client with a secret", map[string]any{p.proof(): "1"}})
	}
	if p.entra() && p.user() && p.api.Callers.MembersOnly {
		all = append(all, variant{"guest", map[string]any{"acct": 1}})
	}
	for i, r := range p.api.Require {
		again := slices.ContainsFunc(p.api.Require[:i], func(before contract.RequiredClaim) bool { return before.Claim == r.Claim })
		if !again && !slices.Contains(p.fixed(), r.Claim) {
			all = append(all, variant{"no " + r.Claim, map[string]any{r.Claim: nil}})
		}
	}
	if p.entra() && p.user() && len(p.levels()) > 0 {
		all = append(all, variant{"no step-up", map[string]any{"acrs": nil}})
	}
	return all
}

// clients are those that the API lists, by name, and one that it doesn't.
func (p persona) clients() (all []variant) {
	listed := p.api.Callers.Clients
	if listed == nil {
		return nil
	}
	byName := func(a, b string) int { return strings.Compare(listed[a].Name, listed[b].Name) }
	for _, id := range slices.SortedFunc(maps.Keys(listed), byName) {
		c := listed[id]
		all = append(all, variant{"client " + c.Name, map[string]any{p.clientClaim(): id}})
		if p.entra() && c.Strong && !p.api.Callers.Certificate {
			all = append(all, variant{c.Name + " with a secret", map[string]any{p.clientClaim(): id, p.proof(): "1"}})
		}
	}
	return append(all, variant{"unlisted client", map[string]any{p.clientClaim(): estate.GUID("client", "unlisted")}})
}

// clientClaim names the client: entra-oauth.md §1, RFC 9068 §2.2.
func (p persona) clientClaim() string {
	switch {
	case !p.entra():
		return "client_id"
	case p.from.Issuer.TokenVersion == "1.0":
		return "appid"
	}
	return "azp"
}

// origin is an issuer of an API besides its first.
type origin struct {
	name string
	from contract.Accepted
}

// otherIssuers are further tenants and issuers. The two versions of a tenant's
// tokens are one.
func (p persona) otherIssuers() (all []origin) {
	type key struct{ name, tenant string }
	seen := map[key]bool{{p.from.Issuer.Name, p.from.Issuer.Tenant}: true}
	tenants := 1
	for _, from := range p.api.Accepts {
		is := from.Issuer
		if seen[key{is.Name, is.Tenant}] {
			continue
		}
		seen[key{is.Name, is.Tenant}] = true
		name := "issuer " + is.Name
		if is.Name == contract.Entra {
			tenants++
			name = fmt.Sprintf("tenant %d", tenants)
		}
		all = append(all, origin{name, from})
	}
	return all
}
