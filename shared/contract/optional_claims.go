package contract

import "slices"

// entraOptional are the claims that Entra puts into an access token only if the
// registration asks (MicrosoftDocs/entra-docs, optional-claims-reference.md). groups is asked for another way.
func entraOptional() []string {
	return []string{
		"acct", "acrs", "auth_time", "ctry", "email", "fwd", "idtyp", "login_hint", "sid", "tenant_ctry", "tenant_region_scope", "upn",
		"verified_primary_email", "verified_secondary_email", "vnet", "xms_cc", "xms_edov", "xms_pdl", "xms_pl", "xms_tpl", "ztdid",
	}
}

// entraOptionalV2 are always in v1 tokens.
func entraOptionalV2() []string {
	return []string{"family_name", "given_name", "in_corp", "ipaddr", "onprem_sid", "pwd_exp", "pwd_url"}
}

// optionalClaims are those that the rules of an API, or the gateway, can't do without.
func (b *binder) optionalClaims(a *API, planned *PlannedAPI) []string {
	out := []string{"idtyp"} // the surest word on whether a user or an application calls
	v2 := slices.Contains(b.estate.Gateway.Identity.TokenVersions, "v2")
	for _, claim := range planned.Reads {
		if slices.Contains(entraOptional(), claim) || v2 && slices.Contains(entraOptionalV2(), claim) || !v2 && claim == "preferred_username" {
			out = append(out, claim)
		}
	}
	stepUp := slices.ContainsFunc(a.Operations, func(o Operation) bool { return o.StepUp != "" })
	if stepUp {
		out = append(out, "acrs")
	}
	if planned.Callers.MembersOnly {
		out = append(out, "acct")
	}
	if stepUp || b.challenges(a) {
		out = append(out, "xms_cc")
	}
	if slices.Contains(out, "xms_edov") {
		out = append(out, "email") // Entra sends the one only with the other
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// challenges tells whether a client may be sent back to Entra with a claims
// challenge: once its token was revoked, or where Entra wants more of the user.
func (b *binder) challenges(a *API) bool {
	auth := a.Backend.Authenticate
	return b.env.Store != nil || b.estate.NeedsStore() || auth != nil && auth.OnBehalfOf != nil
}
