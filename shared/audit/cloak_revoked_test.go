package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// An entry of the list is named by a digest that needs no secret: whoever has a
// user's id can tell whether it is theirs.
func TestWhyACallerIsRevokedIsKeptOutWithTheCaller(t *testing.T) {
	for _, name := range []string{"user", "client", "tenant", "session", "subscription"} {
		for _, code := range []string{"token_revoked", "key_revoked"} {
			e := audit.Event{Code: code, Verdict: audit.Refused, User: "v4lue", App: "v4lue", Tenant: "v4lue", Session: "v4lue", Subscription: "v4lue", Cause: "revoked by XXX-digest"}
			plan := contract.PlannedAudit{Pseudonymise: []string{name}, Secret: contract.SecretRef{Name: "k"}}
			audit.NewCloak(plan, vault(strings.Repeat("s", 32)), time.Now).Apply(t.Context(), &e)
			if e.Cause != "" || !slices.Contains(e.Omitted, "cause") || slices.Contains(e.Pseudonyms, "cause") {
				t.Errorf("%s, %s: got the cause %q and %v", name, code, e.Cause, e.Omitted)
			}
		}
	}
}

// Tokens of an issuer that isn't Entra have no tenant: the issuer says whose they are.
func TestTheIssuerIsKeptOutWithTheTenant(t *testing.T) {
	e := audit.Event{Issuer: "https://v4lue.example/", Cause: "keys of https://V4lue.example/ are old", Claims: []audit.Claim{{Name: "iss", Values: []string{"https://v4lue.example/"}}}}
	audit.NewCloak(contract.PlannedAudit{Omit: []string{"tenant"}}, nil, time.Now).Apply(t.Context(), &e)
	if line := strings.ToLower(string(e.Append(nil))); strings.Contains(line, "v4lue") || !slices.Contains(e.Omitted, "tenant") {
		t.Errorf("got %s", line)
	}
}
