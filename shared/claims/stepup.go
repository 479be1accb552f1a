package claims

import (
	"context"
	"slices"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// StepUp is the stage that demands an authentication context (Conditional
// Access): acrs must hold it. A client that declared that it understands claims
// challenges (xms_cc: cp1) is told what to ask Entra for; others get 403.
// entra-oauth.md §2.
func StepUp(operation, level, signIn string) pipeline.Stage {
	rule := "operations." + operation + ".stepUp"
	challenge := pipeline.ClaimsChallenge(signIn, "acrs", level)
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		met, _ := c.Identity.Claims.Texts("acrs")
		switch {
		case slices.Contains(met, level):
			return nil
		case c.Identity.Principal != pipeline.User || !c.Identity.Claims.TakesChallenge():
			return forbidden("step_up_required", "The user must sign in again in a stronger way, which this client can't ask for.", rule)
		}
		return refusal.New(refusal.Unauthenticated, "insufficient_claims", "The user must sign in again in a stronger way.").By(rule).
			Challenging(challenge)
	}
}
