package subscription

import (
	"context"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Bound is the stage, after the token's, that holds a key to the client and the
// tenant that its subscription names. A product can demand that it names them.
func Bound(products []contract.PlannedProduct) pipeline.Stage {
	demands := map[string]contract.PlannedProduct{}
	for _, p := range products {
		demands[p.Name] = p
	}
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		s := c.Subscription
		if s == nil {
			return nil // a key was not needed
		}
		p := demands[s.Product]
		if holds(s.Client, p.BindClient, client(c.Identity)) && holds(s.Tenant, p.BindTenant, tenant(c.Identity)) {
			return nil
		}
		r := refusal.New(refusal.Forbidden, "key_token_mismatch", "The token is not one that the subscription key may be used with.")
		r.Challenge = nil // no other token of this caller would do
		if p.BindClient || p.BindTenant {
			r.By("gateway.products." + p.Name + ".bind")
		}
		return r
	}
}

// holds: what is named must be what the token has; a name that is demanded and
// isn't there is never had. GUIDs don't differ by case (RFC 9562 §4).
func holds(named string, demanded bool, had string) bool {
	if named == "" {
		return !demanded
	}
	return had != "" && strings.EqualFold(named, had)
}

// client is who the token was issued to. entra-oauth.md §1: azp in v2 tokens,
// appid in v1; RFC 9068 calls it client_id. The first one counts.
func client(id *pipeline.Identity) string {
	if id == nil {
		return ""
	}
	for _, name := range []string{"azp", "appid", "client_id"} {
		if v, there := id.Claims[name].(string); there {
			return v
		}
	}
	return ""
}

// tenant is the one that was verified with the issuer. A claim tid of an issuer
// that has no tenants is its own word for anything.
func tenant(id *pipeline.Identity) string {
	if id == nil {
		return ""
	}
	_, tenant, _ := strings.Cut(id.Authority, "/")
	return tenant
}
