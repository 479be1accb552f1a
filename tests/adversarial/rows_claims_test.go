package adversarial

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// scopesAndRoles: cases 44, 46, 47.
func scopesAndRoles(b *bench) (rows []row) {
	for _, scp := range []any{"orders.readwrite", "xorders.read", "orders.read.all", "orders", "ORDERS.READ", "orders.read,orders.write", "orders.read\torders.write", "orders.read\u00a0x", "", []string{"orders.read"}, 5, true, raw(`{"orders.read":1}`)} {
		rows = append(rows, row{id: "B44", name: named("scp", scp), request: read(b.user(map[string]any{"scp": scp})), want: "403 insufficient_scope"})
	}
	manage := func(claims map[string]any) string {
		return bearing("GET /manage/1", b.mint(issuer.Token{API: "manage", Claims: claims}))
	}
	for _, roles := range []any{raw(`[1,null,{"a":1}]`), raw(`["Admin",1]`), raw(`["Admin",null]`), raw(`[["Admin"]]`), "Admin", "Admin User", "User Admin", raw(`{"Admin":true}`), raw("null"), []string{}, []string{"admin"}, []string{"Admin "}, []string{"Admin,User"}, 5, true} {
		rows = append(rows, row{id: "B46", name: named("roles", roles), request: manage(map[string]any{"roles": roles}), want: "403 insufficient_role"})
	}
	user := func(path, api string, t issuer.Token) string {
		t.API, t.User = api, "someone"
		return bearing(path, b.mint(t))
	}
	return append(rows,
		row{id: "B44", name: "the scope among others, the control", request: read(b.user(map[string]any{"scp": "a  orders.read b"})), want: "200"},
		row{id: "B46", name: "roles Admin, the control", request: manage(map[string]any{"roles": []string{"User", "Admin"}}), want: "200"},
		row{id: "B47", name: "an application where only users are let in", request: read(b.mint(issuer.Token{API: "orders", Roles: []string{"Orders.Write"}})), want: "403 wrong_principal_type"},
		row{id: "B47", name: "an application that says scope instead of scp", request: read(b.mint(issuer.Token{API: "orders", Claims: map[string]any{"scope": "orders.read"}})), want: "403 wrong_principal_type"},
		row{id: "B47", name: "an application with a scope", request: read(b.mint(issuer.Token{API: "orders", Claims: map[string]any{"scp": "orders.read"}})), want: "401 malformed"},
		row{id: "B47", name: "a user with the role where only applications are let in", request: user("GET /manage/1", "manage", issuer.Token{Roles: []string{"Admin"}}), want: "403 wrong_principal_type"},
		row{id: "B47", name: "a user with the role, and a scope, where only applications are let in", request: user("GET /manage/1", "manage", issuer.Token{Roles: []string{"Admin"}, Scopes: []string{"orders.read"}, Undeclared: true}), want: "403 wrong_principal_type"},
		row{id: "B47", name: "a user with an application's role where either would do", request: user("POST /orders", "orders", issuer.Token{Roles: []string{"Orders.Write"}, Scopes: []string{"orders.read"}}), want: "403 insufficient_scope"},
		row{id: "B47", name: "an application with the role where either would do, the control", request: bearing("POST /orders", b.mint(issuer.Token{API: "orders", Roles: []string{"Orders.Write"}})), want: "200"},
		row{id: "B47", name: "a token that is neither a user's nor an application's", request: read(b.user(map[string]any{"scp": nil})), want: "403 wrong_principal_type"},
		row{id: "B47", name: "idtyp of no known kind", request: read(b.user(map[string]any{"idtyp": "device"})), want: "403 wrong_principal_type"},
		row{id: "B47", name: "a user who says idtyp app", request: read(b.user(map[string]any{"idtyp": "app"})), want: "401 malformed"},
	)
}

func named(claim string, v any) string {
	return claim + " " + string(must(json.Marshal(v)))
}

// callers: beside case 47, what an API says of its callers at all.
func callers(b *bench) []row {
	nightly := estate.GUID("client", "nightly")
	run := func(t issuer.Token) string { t.API = "batch"; return bearing("POST /batch", b.mint(t)) }
	roles := []string{"Batch.Run"}
	return []row{
		{id: "B47", name: "a user where the API is for applications", request: run(issuer.Token{User: "someone", Client: nightly, Roles: roles}), want: "403 wrong_principal_type"},
		{id: "B47", name: "the listed client, the control", request: run(issuer.Token{Client: nightly, Roles: roles}), want: "200"},
		{id: "B47", name: "a client that isn't listed", request: run(issuer.Token{Client: "c11e0000-0000-4000-8000-00000000dead", Roles: roles}), want: "403 client_not_allowed"},
		{id: "B47", name: "appid of the listed client beside another azp", request: run(issuer.Token{Client: "c11e0000-0000-4000-8000-00000000dead", Roles: roles, Claims: map[string]any{"appid": nightly, "azpacr": "2"}}), want: "403 client_not_allowed"},
		{id: "B47", name: "the listed client's id in upper case", request: run(issuer.Token{Client: strings.ToUpper(nightly), Roles: roles}), want: "403 client_not_allowed"},
		{id: "B47", name: "azp a list", request: run(issuer.Token{Client: nightly, Roles: roles, Claims: map[string]any{"azp": []string{nightly}}}), want: "401 malformed"},
		{id: "B47", name: "the listed client by a secret", request: run(issuer.Token{Client: nightly, Roles: roles, Claims: map[string]any{"azpacr": "1"}}), want: "403 client_auth_too_weak"},
		{id: "B47", name: "the listed client, azpacr a number", request: run(issuer.Token{Client: nightly, Roles: roles, Claims: map[string]any{"azpacr": 2}}), want: "403 client_auth_too_weak"},
	}
}

// demanded: cases 49, 50.
func demanded(b *bench) (rows []row) {
	const site = "https://claims.example/site.name"
	good := map[string]any{"amr": []string{"mfa", "rsa", "pwd"}, "dept": "sales", site: "north"}
	to := func(api string, claims ...map[string]any) string {
		return bearing("GET /"+api+"/1", b.mint(issuer.Token{API: api, Scopes: []string{api + ".read"}, Claims: merged(claims...)}))
	}
	vetted := func(claims map[string]any) string { return to("vetted", good, claims) }
	for name, claims := range map[string]map[string]any{
		"all: one is missing": {"amr": []string{"pwd"}}, "all: none is there": {"amr": []string{"x"}}, "all: absent": {"amr": nil}, "all: an empty list": {"amr": []string{}},
		"all: null": {"amr": raw("null")}, "all: one text that holds both": {"amr": "pwd mfa"}, "all: an odd element": {"amr": raw(`["pwd","mfa",{}]`)},
		"any: none is there": {"dept": "hr"}, "any: absent": {"dept": nil}, "any: an empty list": {"dept": []string{}}, "any: empty": {"dept": ""}, "any: a prefix": {"dept": "salesman"},
		"any: an object": {"dept": raw(`{"sales":true}`)}, "any: another case": {"dept": "Sales"},
		"a name with dots: a path into an object": {site: nil, "https://claims": raw(`{"example/site":{"name":"north"}}`)},
		"a name with dots: another name":          {site: nil, "site.name": "north", "name": "north"},
		"a name with dots: an encoded name":       {site: nil, "https:%2F%2Fclaims.example%2Fsite.name": "north"},
	} {
		rows = append(rows, row{id: "B49", name: name, request: vetted(claims), want: "403 claim_required"})
	}
	groups := func(claims map[string]any) string { return to("staff", claims) }
	return append(rows,
		row{id: "B49", name: "all claims there, a name taken literally, the control", request: vetted(nil), want: "200"},
		row{id: "B49", name: "a value in a list, the control", request: vetted(map[string]any{"dept": []string{"hr", "audit"}}), want: "200"},
		row{id: "B50", name: "the group, the control", request: groups(map[string]any{"groups": []string{"11111111-0000-4000-8000-000000000001"}}), want: "200"},
		row{id: "B50", name: "hasgroups", request: groups(map[string]any{"hasgroups": true}), want: "403 groups_overage"},
		row{id: "B50", name: "_claim_names", request: groups(map[string]any{"_claim_names": raw(`{"groups":"src1"}`), "_claim_sources": raw(`{"src1":{"endpoint":"` + b.forge.url + `"}}`)}), want: "403 groups_overage"},
		row{id: "B50", name: "no groups", request: groups(nil), want: "403 claim_required"},
		row{id: "B50", name: "another group", request: groups(map[string]any{"groups": []string{"x"}}), want: "403 claim_required"},
	)
}

func merged(all ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range all {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// stepUp: case 52.
func stepUp(b *bench) []row {
	approve := func(claims map[string]any) string {
		return bearing("POST /orders/1/approval", b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.write"}, Claims: claims}))
	}
	challenged := func(t *testing.T, _ *bench, a answer) {
		claims, err := base64.StdEncoding.DecodeString(challengeOf(t, a)["claims"])
		if want := `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`; err != nil || string(claims) != want {
			t.Errorf("got claims %q, %v, want %s", claims, err, want)
		}
	}
	return []row{
		{id: "B52", name: "the context, the control", request: approve(map[string]any{"acrs": []string{"c1"}}), want: "200"},
		{id: "B52", name: "without it, by a client that can ask", request: approve(map[string]any{"xms_cc": []string{"cp1"}}), want: "401 insufficient_claims", check: challenged},
		{id: "B52", name: "another context, by a client that can ask", request: approve(map[string]any{"xms_cc": []string{"CP1"}, "acrs": []string{"c10", "c2"}}), want: "401 insufficient_claims", check: challenged},
		{id: "B52", name: "without it, by a client that can't ask", request: approve(nil), want: "403 step_up_required"},
		{id: "B52", name: "another spelling of it", request: approve(map[string]any{"acrs": "c1 c2"}), want: "403 step_up_required"},
		{id: "B52", name: "acr instead of acrs", request: approve(map[string]any{"acr": "c1"}), want: "403 step_up_required"},
	}
}

// forwarded: case 53. What the backend hears is one line, whole and decodable.
func forwarded(b *bench) (rows []row) {
	heard := func(want string) func(*testing.T, *bench, answer) {
		return func(t *testing.T, b *bench, _ answer) {
			seen := b.Backend.Requests()[0].Header
			if got := seen.Values("X-Auth-Sub"); len(got) != 1 || got[0] != want {
				t.Errorf("the backend heard X-Auth-Sub: %q, want %q once", got, want)
			}
			if got := seen.Values("X-Auth-Roles"); len(got) != 0 {
				t.Errorf("the backend heard X-Auth-Roles: %q, want none", got)
			}
		}
	}
	for sub, want := range map[string]string{
		"a\r\nX-Auth-Roles: Admin": "a%0D%0AX-Auth-Roles: Admin", "a\nb": "a%0Ab", "a\x00b": "a%00b", "zoë": "zo%C3%AB", "a,b": "a%2Cb", "100%": "100%25", " a ": "%20a%20", "\x7f\u0085": "%7F%C2%85",
	} {
		rows = append(rows, row{id: "B53", name: named("sub", sub), request: read(b.user(map[string]any{"sub": sub})), want: "200", check: heard(want)})
	}
	return append(rows,
		row{id: "B53", name: "a sub of 8 KiB", request: read(b.user(map[string]any{"sub": strings.Repeat("x", 8<<10)})), want: "200", check: heard(strings.Repeat("x", 8<<10))},
		row{id: "B53", name: "a sub of 16 KB", request: read(b.user(map[string]any{"sub": strings.Repeat("x", 16<<10)})), want: "403 claim_not_forwardable"},
		row{id: "B53", name: "a role that is an object", request: read(b.user(map[string]any{"roles": raw(`[{"a":1}]`)})), want: "403 claim_not_forwardable"},
	)
}
