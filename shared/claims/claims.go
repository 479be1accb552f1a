// Package claims answers two questions about a verified caller: may they, and
// what does the backend hear? It is pure: no I/O, no clock.
package claims

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Require is the stage that demands an operation's rule. Users and
// applications are judged apart: a role in a user's token never satisfies
// allow.roles, and a scope means nothing in an application's. scopePrefix turns
// a scope's name into what a client asks its issuer for.
func Require(operation string, allow contract.Allow, scopePrefix string) pipeline.Stage {
	rule := "operations." + operation + ".allow"
	ask := make([]string, len(allow.Scopes))
	for i, s := range allow.Scopes {
		ask[i] = scopePrefix + s
	}
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		switch c.Identity.Principal {
		case pipeline.User:
			return user(c.Identity, allow, ask, rule)
		case pipeline.Application:
			return application(c.Identity, allow, rule)
		default:
			return wrongPrincipal("The token is neither clearly a user's nor an application's.", rule)
		}
	}
}

func user(id *pipeline.Identity, allow contract.Allow, ask []string, rule string) *refusal.Refusal {
	switch {
	case len(allow.Scopes) == 0 && len(allow.UserRoles) == 0:
		return wrongPrincipal("This operation is for applications, not for users.", rule)
	case len(allow.Scopes) > 0 && !shared(id.Scopes, allow.Scopes):
		return refusal.New(refusal.Forbidden, "insufficient_scope", "The token holds none of the scopes that this operation asks for.").
			Challenging(refusal.Challenge{Error: "insufficient_scope", Scope: ask}).By(rule + ".scopes").Knowing(said(id.Claims, id.ScopeClaim))
	case len(allow.UserRoles) > 0 && !shared(id.Roles, allow.UserRoles):
		return insufficientRole(id, rule+".userRoles")
	}
	return nil
}

func application(id *pipeline.Identity, allow contract.Allow, rule string) *refusal.Refusal {
	switch {
	case len(allow.Roles) == 0:
		return wrongPrincipal("This operation is for users, not for applications.", rule)
	case !shared(id.Roles, allow.Roles):
		return insufficientRole(id, rule+".roles")
	}
	return nil
}

func wrongPrincipal(detail, rule string) *refusal.Refusal {
	return refusal.New(refusal.Forbidden, "wrong_principal_type", detail).By(rule)
}

func insufficientRole(id *pipeline.Identity, rule string) *refusal.Refusal {
	return forbidden("insufficient_role", "The caller holds none of the roles that this operation asks for.", rule).Knowing(said(id.Claims, "roles"))
}

func shared(have, want []string) bool {
	return slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
}

// Demand is the stage for an API's require: list: every entry must hold.
func Demand(required []contract.RequiredClaim) pipeline.Stage {
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		for _, r := range required {
			if !holds(c.Identity.Claims, r) {
				return lacking(c.Identity.Claims, r).Knowing(unmet(c.Identity.Claims, r, required))
			}
		}
		return nil
	}
}

func lacking(c pipeline.Claims, r contract.RequiredClaim) *refusal.Refusal {
	if r.Claim == "groups" && overage(c) {
		return forbidden("groups_overage", "The user is in too many groups for the token to list them; have the registration send only the groups assigned to the application.", r.Rule)
	}
	return forbidden("claim_required", "The token lacks a claim, or a value of it, that this API asks for.", r.Rule)
}

// overage: entra-oauth.md §1: over 200 groups the list is dropped, and the token
// points elsewhere, or says so (hasgroups).
func overage(c pipeline.Claims) bool {
	sources, _ := c["_claim_names"].(map[string]any)
	_, elsewhere := sources["groups"]
	return elsewhere || c["hasgroups"] == true
}

// holds: an absent claim, an empty list and a value of another shape hold nothing.
func holds(c pipeline.Claims, r contract.RequiredClaim) bool {
	have, ok := c.Texts(r.Claim)
	if one, isText := c[r.Claim].(string); isText && r.Separator != "" {
		have = strings.Split(one, r.Separator)
	}
	if !ok || len(have) == 0 {
		return false
	}
	found := 0
	for _, want := range r.Values {
		if slices.Contains(have, want) {
			found++
		}
	}
	return found == len(r.Values) || found > 0 && !r.All
}

// maxHeaderValue is the longest value of one forwarded header. Servers cap a
// request's whole header block at 8 KiB (nginx, Tomcat) and up.
const maxHeaderValue = 8 << 10

// Pass is the stage that writes the claims contract: each header from the first
// of its claims that is there. A value that can't be said in a header refuses
// the call; it is never cut.
func Pass(headers []contract.Header) pipeline.Stage {
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		c.Forward = make(http.Header, len(headers))
		for _, h := range headers {
			value, err := headerValue(c.Identity.Claims, h.Claims)
			if err != nil {
				return refusal.New(refusal.Forbidden, "claim_not_forwardable", "The token holds a claim that can't be passed to the backend.").
					By("forward." + h.Name).Because(fmt.Errorf("header %s: %w", h.Name, err))
			}
			if value != "" {
				c.Forward[http.CanonicalHeaderKey(h.Name)] = []string{value}
			}
		}
		return nil
	}
}

func headerValue(c pipeline.Claims, names []string) (string, error) {
	for _, name := range names {
		if c[name] == nil {
			continue
		}
		values, ok := c.Texts(name)
		if !ok {
			return "", errors.New("the claim is neither text nor a list of texts")
		}
		encoded := make([]string, len(values))
		for i, v := range values {
			encoded[i] = encode(v)
		}
		joined := strings.Join(encoded, ",")
		if len(joined) > maxHeaderValue {
			return "", fmt.Errorf("the value has %d bytes, the most is %d", len(joined), maxHeaderValue)
		}
		return joined, nil
	}
	return "", nil
}

// encode writes a value so that it can't end the header, be trimmed, or pass for
// two list items: percent-encoding (RFC 3986 §2.1) of control characters,
// non-ASCII bytes, %, comma, and spaces at either end. Decoding gives it back.
func encode(v string) string {
	if !slices.ContainsFunc([]byte(v), special) && strings.Trim(v, " ") == v {
		return v
	}
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		if edge := c == ' ' && (i == 0 || i == len(v)-1); special(c) || edge {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func special(c byte) bool { return c < 0x20 || c > 0x7e || c == '%' || c == ',' }
