package audit_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

type vault string

func (v vault) Read(context.Context, contract.SecretRef) (string, error) { return string(v), nil }

func TestWhatIsKeptOutIsNowhereInTheLine(t *testing.T) {
	for _, name := range []string{"user", "client", "tenant", "session", "address", "subscription", "path", "claim:email"} {
		for _, how := range []string{"omit", "pseudonymise"} {
			if name == "path" && how == "pseudonymise" {
				continue
			}
			t.Run(how+" "+name, func(t *testing.T) {
				e := audit.Event{
					Code: "token_revoked", Verdict: audit.Refused, User: "v4lue-User", App: "v4lue-client", Tenant: "v4lue-tenant", Session: "v4lue-session", Issuer: "https://i/v4lue-tenant",
					Client: "v4lue-address", Subscription: "v4lue-subscription", Path: "v4lue-path", Cause: "revoked by V4LUE-" + strings.ToUpper(name),
					Claims: []audit.Claim{{Name: "oid", Values: []string{"v4lue-user"}}, {Name: "azp", Values: []string{"v4lue-client"}}, {Name: "tid", Values: []string{"v4lue-tenant"}},
						{Name: "uti", Values: []string{"v4lue-session"}}, {Name: "email", Values: []string{"v4lue-claim:email"}}, {Name: "roles", Values: []string{"", "A"}}},
				}
				plan := contract.PlannedAudit{Omit: []string{name}}
				if how == "pseudonymise" {
					plan = contract.PlannedAudit{Pseudonymise: []string{name}, Secret: contract.SecretRef{Name: "k"}}
				}
				audit.NewCloak(plan, vault(strings.Repeat("s", 32)), time.Now).Apply(t.Context(), &e)
				line := strings.ToLower(string(e.Append(nil)))
				if strings.Contains(line, "v4lue-"+strings.TrimPrefix(name, "v4lue-")) {
					t.Errorf("got %s in %s", name, line)
				}
				if n := strings.Count(line, "v4lue"); n == 0 {
					t.Error("everything is gone, want the rest as it was")
				}
				told := append(e.Omitted, e.Pseudonyms...)
				if !slices.Contains(told, name) || !slices.Contains(told, "cause") || e.Claims[len(e.Claims)-1].Name != "roles" {
					t.Errorf("got %v told and claims %v", told, e.Claims)
				}
			})
		}
	}
}

func TestACloakNeverChangesTheTokensOwnClaims(t *testing.T) {
	values := []string{"v"}
	e := audit.Event{Claims: []audit.Claim{{Name: "email", Values: values}}}
	audit.NewCloak(contract.PlannedAudit{Pseudonymise: []string{"claim:email"}}, vault(strings.Repeat("s", 32)), time.Now).Apply(t.Context(), &e)
	if values[0] != "v" || e.Claims[0].Values[0] == "v" {
		t.Errorf("got %v and %v", values, e.Claims)
	}
}

// An empty value says nothing, and must not take the others with it.
func TestAnEmptyValueOfAClaimIsLeftOutAlone(t *testing.T) {
	for _, how := range []contract.PlannedAudit{
		{Pseudonymise: []string{"claim:groups"}, Secret: contract.SecretRef{Name: "k"}}, {Omit: []string{"claim:groups"}},
	} {
		values := []string{"a", "", "b"}
		e := audit.Event{Claims: []audit.Claim{{Name: "groups", Values: values}, {Name: "roles", Values: []string{"", "A"}}}}
		audit.NewCloak(how, vault(strings.Repeat("s", 32)), time.Now).Apply(t.Context(), &e)
		switch {
		case !slices.Equal(values, []string{"a", "", "b"}):
			t.Errorf("the token's own values are %q", values)
		case len(how.Omit) > 0:
			if len(e.Claims) != 1 || !slices.Equal(e.Omitted, how.Omit) {
				t.Errorf("got %v and %v, want the claim left out and told", e.Claims, e.Omitted)
			}
		case len(e.Claims) != 2 || len(e.Claims[0].Values) != 2 || !strings.HasPrefix(e.Claims[0].Values[0], "p-") || !strings.HasPrefix(e.Claims[0].Values[1], "p-"):
			t.Errorf("got %v, want two pseudonyms", e.Claims)
		case len(e.Omitted) > 0 || !slices.Equal(e.Pseudonyms, how.Pseudonymise):
			t.Errorf("got %v and %v told", e.Omitted, e.Pseudonyms)
		case len(e.Claims[1].Values) != 2:
			t.Errorf("got %v of a claim that nobody named", e.Claims[1])
		}
	}
}
