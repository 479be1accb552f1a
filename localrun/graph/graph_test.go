package graph_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/localrun/graph"
)

const application = "20000000-0000-4000-8000-000000000001"

func ask(s *graph.Server, token, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, "https://graph.invalid/v1.0/"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func tenant() *graph.Server {
	s := graph.New("https://graph.invalid", 2, application)
	s.Grant("all", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.ApplicationConfiguration", "Application.ReadWrite.All")
	s.Grant("none")
	return s
}

const (
	contexts  = "identity/conditionalAccess/authenticationContextClassReferences"
	policies  = "identity/conditionalAccess/policies"
	lifetimes = "policies/tokenLifetimePolicies"
)

func policy(grant string) string {
	return `{"displayName":"p","state":"enabled","conditions":{"clientAppTypes":["all"],"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":` + grant + `}`
}

func lifetime(text string) string {
	return `{"displayName":"l","definition":["{\"TokenLifetimePolicy\":{\"Version\":1,\"AccessTokenLifetime\":\"` + text + `\"}}"]}`
}

func TestWhatGraphRefusesIsRefused(t *testing.T) {
	mfa := `{"operator":"OR","builtInControls":["mfa"]}`
	for name, c := range map[string]struct {
		token, method, path, body string
		want                      int
	}{
		"no token":                    {"", "GET", contexts, "", 401},
		"an unknown token":            {"other", "GET", contexts, "", 401},
		"no permission to read":       {"none", "GET", policies, "", 403},
		"no permission to write":      {"none", "PATCH", contexts + "/c1", `{"displayName":"x"}`, 403},
		"an unknown path":             {"all", "GET", "users", "", 404},
		"an unknown property":         {"all", "PATCH", contexts + "/c1", `{"displayName":"x","enabled":true}`, 400},
		"an unknown property within":  {"all", "POST", policies, strings.Replace(policy(mfa), `"includeUsers"`, `"includeUser"`, 1), 400},
		"a wrong type":                {"all", "PATCH", contexts + "/c1", `{"isAvailable":"yes"}`, 400},
		"a context beyond the last":   {"all", "PATCH", contexts + "/c100", `{"displayName":"x"}`, 400},
		"no body":                     {"all", "PATCH", contexts + "/c1", "", 400},
		"a state there isn't":         {"all", "POST", policies, strings.Replace(policy(mfa), `"enabled"`, `"on"`, 1), 400},
		"a policy of nothing":         {"all", "POST", policies, policy("null"), 400},
		"a control and a strength":    {"all", "POST", policies, policy(`{"operator":"OR","builtInControls":["mfa"],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`), 400},
		"a strength there isn't":      {"all", "POST", policies, policy(`{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000009"}}`), 400},
		"a context there isn't":       {"all", "POST", policies, strings.Replace(policy(mfa), `"includeApplications":["All"]`, `"includeAuthenticationContextClassReferences":["c9"]`, 1), 400},
		"a policy there isn't":        {"all", "PATCH", policies + "/x", policy(mfa), 404},
		"too short a lifetime":        {"all", "POST", lifetimes, lifetime("00:09:59"), 400},
		"a whole day":                 {"all", "POST", lifetimes, lifetime("24:00:00"), 400},
		"a lifetime without its name": {"all", "POST", lifetimes, strings.Replace(lifetime("01:00:00"), `"displayName":"l",`, "", 1), 400},
		"an application there isn't":  {"all", "GET", "applications(appId='x')/tokenLifetimePolicies", "", 404},
		"another tenant's policy":     {"all", "POST", "applications(appId='" + application + "')/tokenLifetimePolicies/$ref", `{"@odata.id":"https://graph.invalid/v1.0/policies/tokenLifetimePolicies/x"}`, 404},
		"a reference elsewhere":       {"all", "POST", "applications(appId='" + application + "')/tokenLifetimePolicies/$ref", `{"@odata.id":"https://evil.invalid/x"}`, 400},
		"a method there isn't":        {"all", "PUT", lifetimes, lifetime("01:00:00"), 405},
	} {
		t.Run(name, func(t *testing.T) {
			if code, body := ask(tenant(), c.token, c.method, c.path, c.body); code != c.want {
				t.Errorf("got %d %s, want %d", code, body, c.want)
			}
		})
	}
}

func TestAnApplicationHasOneLifetime(t *testing.T) {
	s := tenant()
	for i, want := range []int{204, 400} {
		if code, body := ask(s, "all", http.MethodPost, lifetimes, lifetime("01:00:00")); code != http.StatusCreated {
			t.Fatal(code, body)
		}
		ref := fmt.Sprintf(`{"@odata.id":"https://graph.invalid/v1.0/policies/tokenLifetimePolicies/70000000-0000-4000-8000-%012d"}`, i+1)
		if code, body := ask(s, "all", http.MethodPost, "applications(appId='"+application+"')/tokenLifetimePolicies/$ref", ref); code != want {
			t.Errorf("got %d %s, want %d", code, body, want)
		}
	}
	if code, _ := ask(s, "all", http.MethodDelete, lifetimes+"/"+s.Assigned(application), ""); code != http.StatusBadRequest {
		t.Errorf("got %d for removing what is assigned, want 400", code)
	}
}
