package backendauth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/credential"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

const rule = "backend.authenticate.onBehalfOf"

// onBehalfOf exchanges the caller's token, which was verified before.
func (b *Backend) onBehalfOf(ctx context.Context, c *pipeline.Call, out *http.Request) *refusal.Refusal {
	if c.Identity == nil || c.Identity.Principal != pipeline.User {
		return forbidden("user_required", "The backend is called on behalf of a user, and the token is not a user's.", nil)
	}
	tenant, _ := c.Identity.Claims["tid"].(string)
	scheme, assertion, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	if tenant == "" || !strings.EqualFold(scheme, "Bearer") || assertion == "" {
		return forbidden("user_required", "The backend is called on behalf of a user, and the token is not one that can be exchanged.", nil)
	}
	endpoint := contract.TokenEndpoint(b.auth.SignIn, tenant) // the verified token's own tenant
	token, err := b.sources.Entra.OnBehalfOf(ctx, credential.Exchange{
		Endpoint: endpoint, ClientID: b.auth.ClientID, Scope: b.auth.Scope, Assertion: strings.TrimSpace(assertion), Proof: b.proof(endpoint),
	})
	if no, ok := errors.AsType[*credential.Refused](err); ok {
		return b.declined(c, no)
	}
	return bearer(out, token, err)
}

// declined tells apart what the user can mend, what an administrator must, and what is ours.
func (b *Backend) declined(c *pipeline.Call, no *credential.Refused) *refusal.Refusal {
	const consent = 65001 // AADSTS65001: nobody consented to the backend's permissions
	switch {
	case no.Word == "consent_required" || no.Reason == "consent_required" || no.Number == consent:
		return forbidden("consent_required", "Nobody has consented that this API calls its backend on the user's behalf; an administrator can.", no)
	case no.Word == "interaction_required" && no.Claims != "" && challengeable(c.Identity.Claims):
		// entra-oauth.md §2: the token endpoint's claims go into our own challenge.
		return refusal.New(refusal.Unauthenticated, "insufficient_claims", "The user must sign in again in a stronger way.").By(rule).Because(no).
			Challenging(refusal.Challenge{
				Error: "insufficient_claims", AuthorizationURI: b.auth.SignIn + "/common/oauth2/authorize",
				Claims: base64.StdEncoding.EncodeToString([]byte(no.Claims)),
			})
	case no.Word == "interaction_required":
		return forbidden("interaction_required", "The user must sign in again in a way that this client can't ask for.", no)
	case no.Word == "invalid_grant":
		return refusal.New(refusal.Unauthenticated, "token_not_exchangeable", "The token can't be exchanged; get a new one.").By(rule).Because(no)
	}
	return unavailable(no) // the registration or the contract is wrong, or Entra's side
}

// forbidden carries no challenge: no other scope would do.
func forbidden(code, detail string, why *credential.Refused) *refusal.Refusal {
	r := refusal.New(refusal.Forbidden, code, detail).By(rule)
	r.Challenge = nil
	if why != nil {
		r.Because(why)
	}
	return r
}

// challengeable: entra-oauth.md §2: xms_cc lists cp1, in any case.
func challengeable(c pipeline.Claims) bool {
	capabilities, _ := c.Texts("xms_cc")
	return slices.ContainsFunc(capabilities, func(s string) bool { return strings.EqualFold(s, "cp1") })
}
