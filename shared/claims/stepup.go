package claims

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// StepUp is the stage that demands an authentication context (Conditional
// Access): acrs must hold it. A client that declared that it understands claims
// challenges (xms_cc: cp1) is told what to ask Entra for; others get 403.
// entra-oauth.md §2.
func StepUp(operation, level, signIn string) pipeline.Stage {
	rule := "operations." + operation + ".stepUp"
	// As in Entra's own samples: minified JSON in standard base64, padded.
	claims := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"access_token":{"acrs":{"essential":true,"value":%q}}}`, level))
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		met, _ := c.Identity.Claims.Texts("acrs")
		switch {
		case slices.Contains(met, level):
			return nil
		case c.Identity.Principal != pipeline.User || !challengeable(c.Identity.Claims):
			return forbidden("step_up_required", "The user must sign in again in a stronger way, which this client can't ask for.", rule)
		}
		return refusal.New(refusal.Unauthenticated, "insufficient_claims", "The user must sign in again in a stronger way.").By(rule).
			Challenging(refusal.Challenge{Error: "insufficient_claims", AuthorizationURI: signIn + "/common/oauth2/authorize", Claims: claims})
	}
}

// challengeable: entra-oauth.md §2: xms_cc lists cp1, in any case.
func challengeable(c pipeline.Claims) bool {
	capabilities, _ := c.Texts("xms_cc")
	return slices.ContainsFunc(capabilities, func(s string) bool { return strings.EqualFold(s, "cp1") })
}
