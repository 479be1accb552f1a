package claims

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

func TestUsersAndApplicationsAreJudgedApart(t *testing.T) {
	const op = "operations.get.allow"
	var (
		scopes    = contract.Allow{Scopes: list("orders.read", "orders.write")}
		roles     = contract.Allow{Roles: list("Admin", "Reader")}
		either    = contract.Allow{Scopes: list("orders.read"), Roles: list("Admin")}
		userRoles = contract.Allow{UserRoles: list("Admin")}
		both      = contract.Allow{Scopes: list("orders.read"), UserRoles: list("Admin")}
		all       = contract.Allow{Scopes: list("orders.read"), UserRoles: list("Clerk"), Roles: list("Admin")}
		nothing   = contract.Allow{}
		wrong     = "403 wrong_principal_type by " + op
		noScope   = "403 insufficient_scope by " + op + ".scopes"
		noRole    = "403 insufficient_role by " + op + ".roles"
		noUser    = "403 insufficient_role by " + op + ".userRoles"
	)
	for name, c := range map[string]struct {
		allow contract.Allow
		id    *pipeline.Identity
		want  string
	}{
		"a user with the scope":                                          {scopes, asUser(list("orders.read"), nil), "granted"},
		"a user with the other scope among many":                         {scopes, asUser(list("x", "orders.write", "y"), nil), "granted"},
		"a user with the scope, where applications may come too":         {either, asUser(list("orders.read"), nil), "granted"},
		"an application with the role":                                   {roles, asApp(nil, list("Reader")), "granted"},
		"an application with the role, where users may come too":         {either, asApp(nil, list("Admin")), "granted"},
		"a user with the user role":                                      {userRoles, asUser(nil, list("Admin")), "granted"},
		"a user with scope and user role":                                {both, asUser(list("orders.read"), list("Admin")), "granted"},
		"B44 orders.readwrite where orders.read is asked":                {scopes, asUser(list("orders.readwrite"), nil), noScope},
		"B44 xorders.read":                                               {scopes, asUser(list("xorders.read"), nil), noScope},
		"B44 orders.read.all":                                            {scopes, asUser(list("orders.read.all"), nil), noScope},
		"B44 orders.":                                                    {scopes, asUser(list("orders."), nil), noScope},
		"B44 Orders.Read in another case":                                {scopes, asUser(list("Orders.Read"), nil), noScope},
		"B44 the scope and a comma":                                      {scopes, asUser(list("orders.read,"), nil), noScope},
		"B44 the scope with a resource in front":                         {scopes, asUser(list("api://orders/orders.read"), nil), noScope},
		"B44 an empty scope":                                             {scopes, asUser(list(""), nil), noScope},
		"B44 no scope":                                                   {scopes, asUser(nil, nil), noScope},
		"B46 a role with a space is one role":                            {roles, asApp(nil, list("Admin User")), noRole},
		"B46 no roles":                                                   {roles, asApp(nil, nil), noRole},
		"B46 Admin in another case":                                      {roles, asApp(nil, list("admin")), noRole},
		"B46 Administrator":                                              {roles, asApp(nil, list("Administrator")), noRole},
		"B46 an empty role":                                              {roles, asApp(nil, list("")), noRole},
		"B47 an application where only users may come":                   {scopes, asApp(nil, nil), wrong},
		"B47 an application that names a scope":                          {scopes, asApp(list("orders.read"), nil), wrong},
		"B47 an application whose role is called like the scope":         {scopes, asApp(nil, list("orders.read")), wrong},
		"B47 an application with the users' role":                        {userRoles, asApp(nil, list("Admin")), wrong},
		"B47 a user with the role where only applications may come":      {roles, asUser(nil, list("Admin")), wrong},
		"B47 a user with scope and role there":                           {roles, asUser(list("orders.read", "Admin"), list("Admin")), wrong},
		"B47 a user with the applications' role and no scope":            {either, asUser(nil, list("Admin")), noScope},
		"B47 a user whose scope is called like the role":                 {either, asUser(list("Admin"), nil), noScope},
		"B47 an application with the scope and no role":                  {either, asApp(list("orders.read"), nil), noRole},
		"B47 a user whose role is called like the scope":                 {scopes, asUser(nil, list("orders.read")), noScope},
		"B47 a user whose scope is called like the user role":            {userRoles, asUser(list("Admin"), nil), noUser},
		"B47 an application whose scope is called like the role":         {either, asApp(list("Admin"), nil), noRole},
		"B47 an application whose role is called like the scope, either": {either, asApp(nil, list("orders.read")), noRole},
		"B47 an application with only the users' role":                   {all, asApp(nil, list("Clerk")), noRole},
		"B47 a user with only the applications' role":                    {all, asUser(list("orders.read"), list("Admin")), noUser},
		"a user with the scope and no user role":                         {both, asUser(list("orders.read"), nil), noUser},
		"a user with the user role and no scope":                         {both, asUser(nil, list("Admin")), noScope},
		"a user with another user role":                                  {userRoles, asUser(nil, list("Adminn")), noUser},
		"nobody in particular, with everything":                          {all, asNobody(list("orders.read"), list("Admin", "Clerk")), wrong},
		"a principal that doesn't exist":                                 {all, &pipeline.Identity{Principal: 7, Scopes: list("orders.read"), Roles: list("Admin")}, wrong},
		"a user under a rule that names nobody":                          {nothing, asUser(list("orders.read"), list("Admin")), wrong},
		"an application under a rule that names nobody":                  {nothing, asApp(list("orders.read"), list("Admin")), wrong},
	} {
		t.Run(name+": "+c.want, func(t *testing.T) {
			call, refused := ask(t, Require("get", c.allow, ""), c.id)
			assertVerdict(t, verdict(refused), c.want)
			if call.Forward != nil {
				t.Error("Require writes no headers")
			}
		})
	}
}

func TestARefusedScopeNamesTheScopesThatWouldDo(t *testing.T) {
	_, refused := ask(t, Require("get", contract.Allow{Scopes: list("a.read", "b.read"), Roles: list("Admin")}, ""), asUser(nil, nil))
	if diff := cmp.Diff([]string{"a.read", "b.read"}, refused.Challenge.Scope); diff != "" {
		t.Errorf("scope (-want +got):\n%s", diff)
	}
}

func TestARequiredClaimIsComparedWhole(t *testing.T) {
	const no = "403 claim_required by require.0"
	anyOf := func(claim string, values ...string) contract.RequiredClaim {
		return contract.RequiredClaim{Claim: claim, Values: values, Rule: "require.0"}
	}
	allOf := func(claim string, values ...string) contract.RequiredClaim {
		r := anyOf(claim, values...)
		r.All = true
		return r
	}
	split := func(r contract.RequiredClaim, by string) contract.RequiredClaim { r.Separator = by; return r }
	const url = "https://schemas.example/claims/department.name"
	for name, c := range map[string]struct {
		rule  contract.RequiredClaim
		value any // of the claim that is asked for; nil: null
		want  string
	}{
		"any: one of the values":                                {anyOf("groups", "a", "b"), texts("x", "b"), "granted"},
		"all: every value":                                      {allOf("groups", "a", "b"), texts("b", "x", "a"), "granted"},
		"a text":                                                {anyOf("groups", "a"), "a", "granted"},
		"a number as it was written":                            {anyOf("groups", "1.50"), pipeline.Number("1.50"), "granted"},
		"a truth value":                                         {anyOf("groups", "true"), true, "granted"},
		"a text that is split":                                  {split(allOf("groups", "a", "b"), " "), "b a", "granted"},
		"a claim with dots and slashes in its name":             {anyOf(url, "sales"), "sales", "granted"},
		"B49 all: one is missing":                               {allOf("groups", "a", "b"), texts("a", "x"), no},
		"B49 all: one is there twice":                           {allOf("groups", "a", "b"), texts("a", "a"), no},
		"B49 any: none":                                         {anyOf("groups", "a", "b"), texts("x"), no},
		"B49 an empty list":                                     {anyOf("groups", "a"), []any{}, no},
		"B49 all: an empty list":                                {allOf("groups", "a"), []any{}, no},
		"B49 null":                                              {anyOf("groups", "a"), nil, no},
		"B49 an empty text":                                     {anyOf("groups", "a"), "", no},
		"B49 part of the value":                                 {anyOf("groups", "abc"), "ab", no},
		"B49 more than the value":                               {anyOf("groups", "ab"), "abc", no},
		"B49 another case":                                      {anyOf("groups", "a"), "A", no},
		"B49 a space behind":                                    {anyOf("groups", "a"), "a ", no},
		"B49 another spelling of the number":                    {anyOf("groups", "1.5"), pipeline.Number("1.50"), no},
		"B49 an object that has the value as a name":            {anyOf("groups", "a"), map[string]any{"a": true}, no},
		"B49 a list that holds an object":                       {anyOf("groups", "a"), []any{"a", map[string]any{}}, no},
		"B49 a list that holds null":                            {anyOf("groups", "a"), []any{"a", nil}, no},
		"B49 a list in the list":                                {anyOf("groups", "a"), []any{[]any{"a"}}, no},
		"B49 a text with a space, not to be split":              {anyOf("groups", "Admin"), "Admin User", no},
		"B49 a text with commas, not to be split":               {anyOf("groups", "a"), "a,b", no},
		"B49 a text, split at another character":                {split(anyOf("groups", "a"), ","), "a b", no},
		"B49 a list is not split, one item":                     {split(anyOf("groups", "Admin"), " "), texts("Admin User"), no},
		"B49 a list is not split, several items":                {split(anyOf("groups", "Admin"), " "), texts("Admin User", "x"), no},
		"B49 an object, where an empty value is asked for":      {anyOf("groups", ""), map[string]any{"a": 1}, no},
		"B49 all: an object, where an empty value is asked for": {allOf("groups", ""), map[string]any{}, no},
	} {
		t.Run(name+": "+c.want, func(t *testing.T) {
			id := &pipeline.Identity{Claims: pipeline.Claims{c.rule.Claim: c.value, "other": "a"}}
			_, refused := ask(t, Demand([]contract.RequiredClaim{c.rule}), id)
			assertVerdict(t, verdict(refused), c.want)
		})
	}
}

func TestB49AClaimsNameIsTakenLiterally(t *testing.T) {
	nested := pipeline.Claims{
		"a":              map[string]any{"b": "x"},
		"https://x":      map[string]any{"y": "x"},
		"GROUPS":         "x",
		"groups ":        "x",
		"gr\u200boups":   "x",
		"*":              "x",
		"_claim_names":   map[string]any{"groups": "src1"},
		"_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://graph.windows.net/x"}},
		"hasgroups":      true,
	}
	for _, name := range []string{"a.b", "a/b", "a", "https://x/y", "groups", "g*", "", "$.a.b"} {
		t.Run("B49, B50 "+name+" isn't found elsewhere", func(t *testing.T) {
			rule := contract.RequiredClaim{Claim: name, Values: list("x"), Rule: "require.0"}
			_, refused := ask(t, Demand([]contract.RequiredClaim{rule}), &pipeline.Identity{Claims: nested})
			want := "403 claim_required by require.0"
			if name == "groups" {
				want = "403 groups_overage by require.0"
			}
			assertVerdict(t, verdict(refused), want)
		})
	}
}

func TestEveryRequiredClaimMustHold(t *testing.T) {
	rules := []contract.RequiredClaim{{Claim: "a", Values: list("1"), Rule: "require.0"}, {Claim: "b", Values: list("2"), Rule: "require.1"}}
	for want, c := range map[string]pipeline.Claims{
		"granted":                         {"a": "1", "b": "2"},
		"403 claim_required by require.0": {"b": "2"},
		"403 claim_required by require.1": {"a": "1", "b": "1"},
	} {
		_, refused := ask(t, Demand(rules), &pipeline.Identity{Claims: c})
		assertVerdict(t, verdict(refused), want)
	}
	_, refused := ask(t, Demand(nil), &pipeline.Identity{})
	assertVerdict(t, verdict(refused), "granted")
	_, refused = ask(t, Demand(rules), &pipeline.Identity{})
	assertVerdict(t, verdict(refused), "403 claim_required by require.0")
}
