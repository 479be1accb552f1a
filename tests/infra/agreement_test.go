package infra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
	"tollgate/shared/contract"
	"tollgate/tests/terraform"
)

// What Terraform would create and what the gateway enforces come from the same
// files by two ways. Here they meet.
func TestWhatIsCreatedIsWhatTheGatewayEnforces(t *testing.T) {
	terraform.Mirror(t)
	for _, environment := range []string{"dev", "staging", "prod"} {
		t.Run("the example in "+environment, func(t *testing.T) {
			slot(t)
			estate := example(t)
			agree(t, at(t, environment).plan(t, estate), estate, bound(t, estate, environment))
		})
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("generated %d", seed), func(t *testing.T) {
			slot(t)
			estate := load(t, generated(seed))
			agree(t, at(t, "dev").plan(t, estate), estate, bound(t, estate, "dev"))
		})
	}
}

// created is the registrations of a plan: what each API's and client's module makes.
type created struct {
	apis, clients map[string][]planned.Change
}

func registrations(plan *tfjson.Plan) created {
	c := created{map[string][]planned.Change{}, map[string][]planned.Change{}}
	for _, r := range planned.Of(plan) {
		if m := r.In("entra-api"); m != nil {
			c.apis[m.Key] = append(c.apis[m.Key], r)
		}
		if m := r.In("entra-client"); m != nil {
			c.clients[m.Key] = append(c.clients[m.Key], r)
		}
	}
	return c
}

func agree(t testing.TB, plan *tfjson.Plan, estate *contract.Estate, enforced *contract.Plan) {
	t.Helper()
	c := registrations(plan)
	if got, want := len(c.apis), len(enforced.APIs); got != want {
		t.Errorf("%d APIs are registered, %d enforced", got, want)
	}
	if got, want := len(c.clients), len(enforced.Clients); got != want {
		t.Errorf("%d clients are registered, %d are in the contracts", got, want)
	}
	ids := map[string]map[string]string{} // of scopes and roles, by API
	for i := range enforced.APIs {
		api := &enforced.APIs[i]
		ids[api.Name] = agreeAPI(t, c.apis[api.Name], api, enforced, estate.APIs[i])
	}
	for _, client := range enforced.Clients {
		agreeClient(t, c.clients[client.Name], client, ids)
	}
	agreeFunction(t, plan, enforced.Environment)
	for _, r := range planned.Of(plan) {
		if strings.Contains(r.Type, "password") || strings.HasSuffix(r.Type, "_secret") {
			t.Errorf("%s keeps a secret in the state", r.Address)
		}
	}
}

func agreeAPI(t testing.TB, all []planned.Change, api *contract.PlannedAPI, plan *contract.Plan, stated contract.API) map[string]string {
	t.Helper()
	app := one(t, all, "azuread_application")
	if got := texts(app["identifier_uris"]); !slices.Equal(got, []string{api.Audience}) {
		t.Errorf("%s: Application ID URIs are %v, the gateway takes %q", api.Name, got, api.Audience)
	}
	inner := block(app["api"])
	version := fmt.Sprint(inner["requested_access_token_version"])
	if !slices.ContainsFunc(api.Accepts, func(a contract.Accepted) bool { return a.Issuer.TokenVersion == version+".0" }) {
		t.Errorf("%s: tokens will be of version %s, which the gateway doesn't take", api.Name, version)
	}
	ids := map[string]string{}
	scopes := named(inner["oauth2_permission_scope"], "scope/", ids)
	roles := named(app["app_role"], "role/", ids)
	delete(roles, "") // access without a role stands in no token
	if got := slices.Sorted(maps.Keys(scopes)); !slices.Equal(got, slices.Sorted(slices.Values(api.Scopes))) {
		t.Errorf("%s: scopes are %v, the contract's %v", api.Name, got, api.Scopes)
	}
	if got := slices.Sorted(maps.Keys(roles)); !slices.Equal(got, slices.Sorted(slices.Values(api.Roles))) {
		t.Errorf("%s: roles are %v, the contract's %v", api.Name, got, api.Roles)
	}
	for _, s := range stated.Scopes {
		if got, want := scopes[s.Name]["type"], map[string]string{"user": "User", "admin": "Admin"}[s.Consent]; got != want {
			t.Errorf("%s: consent to %s is of %v, want %s", api.Name, s.Name, got, want)
		}
	}
	for _, op := range api.Operations {
		if op.Allow != nil {
			reachable(t, api.Name+" "+op.ID, op.Allow, scopes, roles)
		}
	}
	asked := texts(column(block(app["optional_claims"])["access_token"], "name"))
	for _, claim := range read(api, plan) {
		if slices.Contains(optional, claim) && !slices.Contains(asked, claim) && (version == "2" || !slices.Contains(byDefault, claim)) {
			t.Errorf("%s: some rule or header reads %s, which Entra sends only if it is asked for; asked are %v", api.Name, claim, asked)
		}
		if claim == "groups" && len(texts(app["group_membership_claims"])) == 0 {
			t.Errorf("%s: groups are read, and none are sent", api.Name)
		}
	}
	principal := one(t, all, "azuread_service_principal")
	if want := stated.Assignment != "open"; principal["app_role_assignment_required"] != want {
		t.Errorf("%s: assignment required is %v, want %v", api.Name, principal["app_role_assignment_required"], want)
	}
	return ids
}

// reachable: whoever an operation lets in can get a token that says so.
func reachable(t testing.TB, what string, allow *contract.Allow, scopes, roles map[string]map[string]any) {
	t.Helper()
	on := func(p map[string]any) bool { return p != nil && p["enabled"] == true }
	for _, s := range allow.Scopes {
		if !on(scopes[s]) {
			t.Errorf("%s asks for the scope %s, which no token has", what, s)
		}
	}
	for kind, names := range map[string][]string{"Application": allow.Roles, "User": allow.UserRoles} {
		for _, r := range names {
			if !on(roles[r]) || !slices.Contains(texts(roles[r]["allowed_member_types"]), kind) {
				t.Errorf("%s asks for the role %s of a %s, which can't be given one", what, r, kind)
			}
		}
	}
}

// agreeClient: it is given what it says it uses, to the letter.
func agreeClient(t testing.TB, all []planned.Change, client contract.PlannedClient, ids map[string]map[string]string) {
	t.Helper()
	var want, wantRoles, got, gotRoles []string
	for _, use := range client.Uses {
		for _, s := range use.Scopes {
			want = append(want, "Scope "+ids[use.API]["scope/"+s])
		}
		for _, r := range use.Roles {
			want, wantRoles = append(want, "Role "+ids[use.API]["role/"+r]), append(wantRoles, ids[use.API]["role/"+r])
		}
	}
	proofs := map[string]int{}
	for _, r := range all {
		switch r.Type {
		case "azuread_application":
			for _, use := range items(r.After["required_resource_access"]) {
				for _, access := range items(block(use)["resource_access"]) {
					got = append(got, fmt.Sprintf("%v %v", block(access)["type"], block(access)["id"]))
				}
			}
		case "azuread_app_role_assignment":
			gotRoles = append(gotRoles, fmt.Sprint(r.After["app_role_id"]))
		case "azuread_application_certificate", "azuread_application_federated_identity_credential":
			proofs[r.Type]++
		}
	}
	for _, pair := range [][2][]string{{got, want}, {gotRoles, wantRoles}} {
		slices.Sort(pair[0])
		slices.Sort(pair[1])
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s is given %v, and uses %v", client.Name, pair[0], pair[1])
		}
	}
	kind := client.Credential.Kind
	if (proofs["azuread_application_certificate"] > 0) != (kind == "certificate") || (proofs["azuread_application_federated_identity_credential"] > 0) != (kind == "federated") {
		t.Errorf("%s proves itself by %v, and its contract says %s", client.Name, proofs, kind)
	}
}

// agreeFunction: what is deployed is started for this environment.
func agreeFunction(t testing.TB, plan *tfjson.Plan, environment string) {
	t.Helper()
	app := one(t, planned.Of(plan), "azurerm_function_app_flex_consumption")
	settings, _ := app["app_settings"].(map[string]any)
	if settings["TOLLGATE_ENVIRONMENT"] != environment {
		t.Errorf("TOLLGATE_ENVIRONMENT is %v, want %s", settings["TOLLGATE_ENVIRONMENT"], environment)
	}
}

// read are the claims that decide about calls of the API, or that its backend hears of.
func read(api *contract.PlannedAPI, plan *contract.Plan) []string {
	claims := slices.Clone(api.Reads)
	for _, h := range plan.Forward {
		claims = append(claims, h.Claims...)
	}
	if slices.ContainsFunc(api.Operations, func(o contract.PlannedOperation) bool { return o.StepUp != "" }) {
		claims = append(claims, "acrs", "xms_cc")
	}
	return append(claims, "idtyp")
}

// byDefault are those of them that version 1 has unasked.
var byDefault = []string{"family_name", "given_name", "in_corp", "ipaddr", "onprem_sid", "pwd_exp", "pwd_url", "upn"}

// optional are claims of access tokens that Entra sends only where a registration asks
// (Microsoft, optional claims reference).
var optional = []string{
	"acct", "acrs", "auth_time", "ctry", "email", "family_name", "fwd", "given_name", "idtyp", "in_corp", "ipaddr", "login_hint", "onprem_sid",
	"pwd_exp", "pwd_url", "sid", "tenant_ctry", "tenant_region_scope", "upn", "verified_primary_email", "verified_secondary_email", "vnet",
	"xms_cc", "xms_pdl", "xms_pl", "xms_tpl", "ztdid",
}
