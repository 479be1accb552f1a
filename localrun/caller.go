package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// caller is one column of a matrix.
type caller struct {
	principal string        // anonymous, key, user or application
	holds     string        // such as "nothing", "scope Orders.Read" or "all, guest"
	token     *issuer.Token // nil: anonymous
	header    http.Header   // the token, minted
	keyed     bool          // sends a good subscription key, where the API takes one
}

func (c caller) String() string { return strings.TrimSpace(c.principal + " " + c.holds) }

func (c caller) authorization(entra *issuer.Issuer) (http.Header, error) {
	if c.token == nil {
		return http.Header{}, nil
	}
	raw, err := entra.Mint(*c.token)
	return http.Header{"Authorization": {"Bearer " + raw}}, err
}

// callersOf are the columns of one API, in order.
func callersOf(plan *contract.Plan, api contract.PlannedAPI) []caller {
	out := []caller{{principal: "anonymous"}}
	if keyed(api) {
		out = append(out, caller{principal: "key", holds: "alone", keyed: true})
	}
	if len(api.Accepts) == 0 {
		return out // everything is public
	}
	for _, who := range []pipeline.Principal{pipeline.User, pipeline.Application} {
		p := persona{plan, api, api.Accepts[0], who}
		add := func(holds string, scopes, roles []string, changes map[string]any) {
			out = append(out, caller{principal: who.String(), holds: holds, token: p.token(scopes, roles, changes), keyed: true})
		}
		scopes, roles := p.holdable()
		add("nothing", nil, nil, nil)
		for _, s := range scopes {
			add("scope "+s, []string{s}, nil, nil)
		}
		for _, r := range roles {
			add("role "+r, nil, []string{r}, nil)
		}
		add("all", scopes, roles, nil)
		for _, v := range p.variants() {
			add("all, "+v.name, scopes, roles, v.changes)
		}
		for _, o := range p.otherIssuers() {
			q := p
			q.from = o.from
			scopes, roles := q.holdable()
			out = append(out, caller{principal: who.String(), holds: "all, " + o.name, token: q.token(scopes, roles, nil), keyed: true})
		}
	}
	return out
}

// persona is a caller of an API that meets whatever the API asks of all its callers.
type persona struct {
	plan *contract.Plan
	api  contract.PlannedAPI
	from contract.Accepted
	who  pipeline.Principal
}

func (p persona) entra() bool { return p.from.Issuer.Profile == contract.ProfileEntra }
func (p persona) user() bool  { return p.who == pipeline.User }

// holdable is what the API offers and such a caller can have: Entra gives
// applications no scopes.
func (p persona) holdable() (scopes, roles []string) {
	if p.entra() && !p.user() {
		return nil, p.api.Roles
	}
	return p.api.Scopes, p.api.Roles
}

// token describes the caller's token; changes are laid over its claims, and nil removes one.
func (p persona) token(scopes, roles []string, changes map[string]any) *issuer.Token {
	t := &issuer.Token{API: p.api.Name, Client: p.client(), Roles: roles, Lifetime: p.plan.MaxLifetime}
	claims := map[string]any{"iss": p.from.Issuer.Issuer, "aud": p.from.Audiences[0]}
	if p.user() {
		t.User = estate.GUID("user", "matrix")
	}
	if p.entra() {
		t.Scopes = scopes
		p.entraClaims(t, claims)
	} else {
		t.Header = map[string]any{"typ": "at+jwt"} // RFC 9068 §2.1; any OAuth issuer may write it
		p.oauthClaims(claims, scopes)
	}
	p.meet(claims)
	maps.Copy(claims, changes)
	t.Claims = claims
	return t
}

// entraClaims: entra-oauth.md §1. Applications never carry acrs or acct.
func (p persona) entraClaims(t *issuer.Token, claims map[string]any) {
	is := p.from.Issuer
	if is.TokenVersion == "1.0" {
		t.Version = "v1"
	}
	if is.Tenant != "" {
		claims["tid"] = is.Tenant
	}
	claims[p.proof()], claims["idtyp"] = "2", "app"
	if p.user() {
		claims["idtyp"], claims["acct"] = "user", 0
		if levels := p.levels(); len(levels) > 0 {
			claims["acrs"] = levels
		}
	}
}

// oauthClaims: RFC 9068 §2.2; what only Entra writes is taken out.
func (p persona) oauthClaims(claims map[string]any, scopes []string) {
	for _, name := range []string{"tid", "ver", "oid", "azp", "azpacr", "idtyp", "scp", "uti", "rh", "aio"} {
		claims[name] = nil
	}
	claims["client_id"], claims["sub"], claims["jti"] = p.client(), p.client(), "matrix"
	if p.user() {
		claims["sub"] = estate.GUID("user", "matrix")
	}
	if len(scopes) > 0 {
		claims["scope"] = strings.Join(scopes, " ")
	}
}

// proof is the claim by which Entra says how the client proved itself.
func (p persona) proof() string {
	if p.from.Issuer.TokenVersion == "1.0" {
		return "appidacr"
	}
	return "azpacr"
}

// client is one that the API lists, the first by name.
func (p persona) client() string {
	best, bestName := estate.GUID("client", "matrix"), ""
	for id, listed := range p.api.Callers.Clients {
		if bestName == "" || listed.Name < bestName {
			best, bestName = id, listed.Name
		}
	}
	return best
}

// levels are the authentication contexts that the API's operations ask for.
func (p persona) levels() (all []string) {
	for _, op := range p.api.Operations {
		if op.StepUp != "" && !slices.Contains(all, op.StepUp) {
			all = append(all, op.StepUp)
		}
	}
	return all
}

// fixed are claims that require can't move: a token with another value is
// another caller's, or nobody's.
func (p persona) fixed() []string {
	return []string{"iss", "aud", "tid", "ver", "sub", "oid", "azp", "appid", "client_id", "idtyp", "exp", "nbf", "iat", "scp", "scope", "roles"}
}

// meet fills in what the API's require: demands.
func (p persona) meet(claims map[string]any) {
	values, separators := map[string][]string{}, map[string]string{}
	for _, r := range p.api.Require {
		want := r.Values
		if !r.All {
			want = want[:1]
		}
		values[r.Claim] = append(values[r.Claim], want...)
		separators[r.Claim] = r.Separator
	}
	for claim, want := range values {
		sep := separators[claim]
		switch {
		case slices.Contains(p.fixed(), claim), slices.Contains(want, fmt.Sprint(claims[claim])):
		case sep != "":
			claims[claim] = strings.Join(want, sep)
		case len(want) == 1:
			claims[claim] = want[0]
		default:
			claims[claim] = want
		}
	}
}
