package gateway

import (
	"slices"

	"tollgate/shared/contract"
	"tollgate/shared/refusal"
)

// ownStyle is that of refusals that belong to no API.
func ownStyle(plan *contract.Plan) refusal.Style {
	return refusal.Style{APIM: plan.Errors == contract.ErrorsAPIM, Address: plan.PublicURL}
}

// style is how an API's refusals are written. In API Management's, an API that
// takes Entra's tokens only is one with validate-azure-ad-token, any other one
// with validate-jwt.
func style(plan *contract.Plan, api contract.PlannedAPI) refusal.Style {
	s := refusal.Style{APIM: api.Errors == contract.ErrorsAPIM, KeyHeader: api.Keys.Header}
	s.EntraOnly = !slices.ContainsFunc(api.Accepts, func(a contract.Accepted) bool { return a.Issuer.Name != contract.Entra })
	if plan.PublicURL != "" { // never the request's Host: a caller must not choose what an answer names
		s.Address = plan.PublicURL + pathOf(api)
	}
	return s
}
