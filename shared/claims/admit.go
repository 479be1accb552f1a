package claims

import (
	"context"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Admit is the stage that asks whether this kind of caller may call the API at
// all. What the caller may do is each operation's matter.
func Admit(callers contract.Callers) pipeline.Stage {
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		id := c.Identity
		switch {
		case callers.Principals == "users" && id.Principal != pipeline.User:
			return wrongPrincipal("This API is for users, not for applications.", "principals")
		case callers.Principals == "applications" && id.Principal != pipeline.Application:
			return wrongPrincipal("This API is for applications, not for users.", "principals")
		}
		listed, refused := client(id.Claims, callers)
		if refused != nil {
			return refused
		}
		if (callers.Certificate || listed.Strong) && !strongly(id.Claims) {
			rule := "clientAuth"
			if listed.Strong {
				rule = "clients"
			}
			return forbidden("client_auth_too_weak", "The client must prove itself to Entra by a certificate or a federated credential, not by a secret.", rule).Knowing(said(id.Claims, "azpacr", "appidacr"))
		}
		if callers.MembersOnly && id.Principal == pipeline.User && !member(id.Claims) {
			return forbidden("guest_not_allowed", "The token doesn't say that the user is a member of the tenant (acct 0).", "guests").Knowing(said(id.Claims, "acct"))
		}
		return nil
	}
}

func forbidden(code, detail, rule string) *refusal.Refusal {
	return refusal.New(refusal.Forbidden, code, detail).By(rule)
}

// clientClaims: entra-oauth.md §1: azp in v2 tokens, appid in v1; RFC 9068 calls it client_id.
func clientClaims() []string { return []string{"azp", "appid", "client_id"} }

// client finds the calling application in the API's list.
func client(c pipeline.Claims, callers contract.Callers) (contract.ListedClient, *refusal.Refusal) {
	if callers.Clients == nil {
		return contract.ListedClient{}, nil
	}
	for _, name := range clientClaims() {
		if id, there := c[name].(string); there {
			if listed, ok := callers.Clients[id]; ok {
				return listed, nil
			}
			break // the first one counts; a second must not overrule it
		}
	}
	return contract.ListedClient{}, forbidden("client_not_allowed", "The client application is not one that this API lists.", "clients").Knowing(said(c, clientClaims()...))
}

// strongly: entra-oauth.md §1: 0 is a public client, 1 a secret, 2 a certificate
// or another assertion that the client signed.
func strongly(c pipeline.Claims) bool { return c["azpacr"] == "2" || c["appidacr"] == "2" }

// member: acct is an optional claim, a number: 0 for members, 1 for guests. One
// that doesn't say is taken for a guest: absence is never a yes.
func member(c pipeline.Claims) bool { return c["acct"] == pipeline.Number("0") }
