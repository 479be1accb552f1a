package token

import (
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// identify reads who the caller is from verified claims.
func (e *entry) identify(c pipeline.Claims) *refusal.Refusal {
	id := &pipeline.Identity{Issuer: e.issuer.Issuer, Authority: e.issuer.Name + "/" + e.issuer.Tenant, Claims: c, Roles: listed(c["roles"])}
	e.identity = id
	if e.issuer.Profile != contract.ProfileEntra {
		id.ScopeClaim = "scope"
		id.Scopes, id.Principal = oauthPrincipal(c)
		return nil
	}
	id.ScopeClaim = "scp"
	id.Scopes = spaced(c["scp"])
	if c["idtyp"] == "app" && c["scp"] != nil {
		return malformed("The token says that it is both a user's and an application's.")
	}
	id.Principal = entraPrincipal(c)
	return nil
}

// entraPrincipal: entra-oauth.md §1. scp is in users' tokens only; roles is in
// both kinds, so it proves neither. An ID token has no scp either: without
// idtyp, only oid == sub shows an application, for a user's sub is pairwise.
func entraPrincipal(c pipeline.Claims) pipeline.Principal {
	oid, _ := c["oid"].(string)
	sub, _ := c["sub"].(string)
	idtyp, typed := c["idtyp"]
	switch {
	case idtyp == "app":
		return pipeline.Application
	case idtyp == "user":
		return pipeline.User
	case typed:
		return pipeline.UnknownPrincipal
	case c["scp"] != nil:
		return pipeline.User
	case oid != "" && oid == sub:
		return pipeline.Application
	default:
		return pipeline.UnknownPrincipal
	}
}

// oauthPrincipal: RFC 9068 §2.2: sub names the client itself where no person is involved.
func oauthPrincipal(c pipeline.Claims) ([]string, pipeline.Principal) {
	scopes := spaced(c["scope"])
	sub, _ := c["sub"].(string)
	client, _ := c["client_id"].(string)
	if client == "" {
		client, _ = c["azp"].(string)
	}
	switch {
	case sub == "" || client == "":
		return scopes, pipeline.UnknownPrincipal
	case sub == client:
		return scopes, pipeline.Application
	default:
		return scopes, pipeline.User
	}
}

// spaced splits a scope claim (RFC 6749 §3.3); anything but text holds none.
func spaced(v any) []string {
	s, _ := v.(string)
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}

// listed is a list of texts. A text alone is not split, and one odd element spoils the list.
func listed(v any) []string {
	if _, isList := v.([]any); !isList {
		return nil
	}
	return strictTexts(v)
}
