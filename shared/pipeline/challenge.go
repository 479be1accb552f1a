package pipeline

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"tollgate/shared/refusal"
)

// TakesChallenge tells whether the client declared that it understands a claims
// challenge. entra-oauth.md §2: xms_cc lists cp1, in any case.
func (c Claims) TakesChallenge() bool {
	capabilities, _ := c.Texts("xms_cc")
	return slices.ContainsFunc(capabilities, func(s string) bool { return strings.EqualFold(s, "cp1") })
}

// ClaimsChallenge tells such a client which value of a claim to ask Entra for,
// and where. As in Entra's own samples: minified JSON in standard base64, padded.
func ClaimsChallenge(signIn, claim, value string) refusal.Challenge {
	claims := fmt.Appendf(nil, `{"access_token":{%q:{"essential":true,"value":%q}}}`, claim, value)
	return refusal.Challenge{
		Error: "insufficient_claims", AuthorizationURI: signIn + "/common/oauth2/authorize",
		Claims: base64.StdEncoding.EncodeToString(claims),
	}
}
