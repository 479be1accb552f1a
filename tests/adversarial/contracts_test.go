package adversarial

import (
	"bytes"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tollgate/shared/contract"
)

// edited are this package's contracts after an edit, in memory.
func edited(t *testing.T, e edit) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for _, name := range must(fs.Glob(os.DirFS("contracts"), "*.yaml")) {
		out[name] = &fstest.MapFile{Data: must(os.ReadFile("contracts/" + name))}
	}
	for at := 0; at < len(e); at += 2 {
		found := false
		for _, f := range out {
			found = found || bytes.Contains(f.Data, []byte(e[at]))
			f.Data = bytes.ReplaceAll(f.Data, []byte(e[at]), []byte(e[at+1]))
		}
		if !found {
			t.Fatalf("no contract holds %q", e[at])
		}
	}
	return out
}

// faults are what is wrong with the contracts after an edit.
func faults(t *testing.T, e edit) contract.Faults {
	t.Helper()
	_, found := contract.Load(edited(t, e))
	return found.Errors()
}

// assertRefused: the edit stops the start, with a fault that says where and why.
func assertRefused(t *testing.T, file, why string, e edit) {
	t.Helper()
	found := faults(t, e)
	if !slices.ContainsFunc(found, func(f contract.Fault) bool { return f.File == file && f.Line > 0 && strings.Contains(f.Message, why) }) {
		t.Errorf("got the faults %v, want one in %s, with its line, that says %q", found, file, why)
	}
}

// matches are operations put beside those of orders, and what is said of each;
// "" where it may stand.
func matches() map[string]string {
	return map[string]string{
		"GET /{other}":              "match the same requests",
		"GET /{id}":                 "match the same requests",
		"POST /":                    "match the same requests",
		"POST /{x...}":              "",
		"GET /{a}/{x}":              "", // "GET /public/{x}" is narrower
		"GET /{a}/x":                "overlap and neither is narrower",
		"HEAD /{a}/x":               "overlap and neither is narrower", // GET's rule answers HEAD too
		"POST /x/{a}":               "overlap and neither is narrower",
		"GET /":                     "",
		"GET /x/":                   "must not end with /",
		"GET //x":                   "must not end with / or hold //",
		"GET /public/../x":          "dot segments",
		"GET /public/./x":           "dot segments",
		"GET /%70ublic/{x}":         "must be made of letters",
		"GET /a;b/{x}":              "must be made of letters",
		`GET /a\\b`:                 "must be made of letters",
		"GET /*":                    "must be made of letters",
		"GET /{x...}/y":             "must be the last segment",
		"GET /{x}{y}":               "is not a parameter",
		"GET x":                     "must start with /",
		"GET /{id}/{id}":            "is there twice",
		"* /x":                      "must be a method and a path",
		"TRACE /x":                  "must be a method and a path",
		"CONNECT /x":                "must be a method and a path",
		"get /x":                    "must be a method and a path",
		"GET,POST /x":               "must be a method and a path",
		"GET /public/{y}":           "match the same requests",
		"GET /public/{y...}":        "", // wider than {x}, which wins whatever the order
		"GET /x HTTP/1.1":           "must be made of letters",
		"GET https://evil.example/": "must start with /",
	}
}

// D86: what two rules claim is refused, not given to the first.
func TestD86APathThatTwoRulesClaimStopsTheStart(t *testing.T) {
	const read, open = `  - { id: read,    match: "GET /{id}",           allow: { scopes: [orders.read] } }`, `, public: true }`
	beside := func(match string) edit {
		return edit{read, read + "\n" + `  - { id: extra, match: "` + match + `"` + open}
	}
	for match, why := range matches() {
		t.Run(match, func(t *testing.T) {
			if why != "" {
				assertRefused(t, "orders.yaml", why, beside(match))
			} else if found := faults(t, beside(match)); len(found) > 0 {
				t.Errorf("got the faults %v, want none", found)
			}
		})
	}
}

func TestD86APathBelongsToOneAPI(t *testing.T) {
	for path, why := range map[string]string{
		"/manage": "overlaps", "/Manage": "overlaps", "/MANAGE/x": "overlaps", "/manage/x": "overlaps", "/public": "overlaps", "/api/open": "overlaps",
		"/manage/": "not canonical", "//manage": "not canonical", "/manage/../x": "not canonical", "/man%61ge": "not canonical", "/manage;x": "not canonical", "manage": "not canonical",
		"/": "reserved", "/admin": "reserved", "/administrators": "reserved", "/Admin/x": "reserved", "/runtime/webhooks": "reserved", "/_gateway": "reserved", "/_GATEWAY/x": "reserved",
		"/.well-known/oauth-protected-resource": "reserved", "/gateway": "reserved", "/refresh": "reserved", "/Refresh/x": "reserved", "/{x}": "can't hold parameters", "/staff2/{x}": "can't hold parameters",
	} {
		t.Run(path, func(t *testing.T) {
			assertRefused(t, "staff.yaml", why, edit{"path: /staff", "path: " + `"` + path + `"`})
		})
	}
	t.Run("the same audience", func(t *testing.T) {
		assertRefused(t, "staff.yaml", "a token for one API must not open another", edit{`"api://${tenant}/staff"`, `"api://${tenant}/manage"`})
	})
	t.Run("the same name", func(t *testing.T) {
		assertRefused(t, "staff.yaml", "is taken", edit{"name: staff\n", "name: manage\n"})
	})
}

// D86: where one rule is narrower it wins, in whichever order they stand.
func TestD86TheOrderOfRulesDecidesNothing(t *testing.T) {
	const use, health = `  - { id: use,    match: "GET /{x}",    allow: { roles: [Admin] } }` + "\n", `  - { id: health, match: "GET /health", public: true }` + "\n"
	for name, e := range map[string]edit{"as they stand": nil, "the other way round": {use + health, health + use}} {
		t.Run(name, func(t *testing.T) {
			inProcess(t, e).run(t, []row{
				{id: "D86", name: "the narrower rule", request: ask("GET /manage/health"), want: "200"},
				{id: "D86", name: "the wider one", request: ask("GET /manage/health2"), want: "401 token_missing"},
				{id: "D86", name: "HEAD of the narrower rule", request: ask("HEAD /manage/health"), want: "200"},
				{id: "D86", name: "another method of the narrower rule's path", request: ask("POST /manage/health"), want: "405 method_not_allowed"},
			})
		})
	}
}

// D88: what would leave a check out is a fault, never "no check".
func TestD88NothingInAContractSwitchesACheckOff(t *testing.T) {
	const op, audience = `allow: { scopes: [staff.read] } }`, `audience: "api://${tenant}/staff"`
	const require = "require:\n  - { claim: groups, match: any, values: [11111111-0000-4000-8000-000000000001] }"
	operation := func(text string) edit { return edit{op, text + " }"} }
	api := func(text string) edit { return edit{audience, text} }
	for name, c := range map[string]struct {
		e    edit
		file string
	}{
		"audience: []": {api("audience: []"), "staff.yaml"}, `audience: ""`: {api(`audience: ""`), "staff.yaml"}, "audience: null": {api("audience: null"), "staff.yaml"}, "audience: ~": {api("audience:"), "staff.yaml"},
		"no audience": {api("description: none"), "staff.yaml"}, "two audiences": {api("audience: [a, b]"), "staff.yaml"}, "audience: false": {api("audience: false"), "staff.yaml"},
		"require: {}": {edit{require, "require: {}"}, "staff.yaml"}, "require: []": {edit{require, "require: []"}, "staff.yaml"}, "require: null": {edit{require, "require: null"}, "staff.yaml"},
		"values: []":   {edit{"values: [11111111-0000-4000-8000-000000000001]", "values: []"}, "staff.yaml"},
		"match: none":  {edit{"claim: groups, match: any", "claim: groups, match: none"}, "staff.yaml"},
		`claim: ""`:    {edit{"claim: groups, match: any", `claim: "", match: any`}, "staff.yaml"},
		"no match":     {edit{"claim: groups, match: any", "claim: groups"}, "staff.yaml"},
		"no operation": {edit{"operations:\n  - { id: read, match: \"GET /{id}\", " + op, "operations: []"}, "staff.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			assertRefused(t, c.file, "", c.e)
		})
	}
	for _, text := range []string{
		"allow: {}", "allow: null", "allow:", "allow: []", "allow: true", `allow: "*"`, "allow: { scopes: [] }", "allow: { roles: [] }", "allow: { scopes: [], roles: [] }", "allow: { scopes: null }", `allow: { scopes: [""] }`, "allow: { scopes: [null] }",
		`allow: { scopes: ["*"] }`, `allow: { scopes: [staff.read, ""] }`, "allow: { scopes: staff.read, roles: [] }", "allow: { scope: [staff.read] }", "allow: { userRoles: [] }", "allow: { any: true }", "allow: { scopes: [staff.reed] }",
		"public: false", `public: "true"`, "public: yes", "public: 1", "public: null", "public: []", "public: true, allow: { scopes: [staff.read] }", "public: true, stepUp: c1", "description: neither",
		"allow: { scopes: [staff.read] }, audience: []", `allow: { scopes: [staff.read] }, audience: ""`, "allow: { scopes: [staff.read] }, require: {}", "allow: { scopes: [staff.read] }, require: []", "allow: { scopes: [staff.read] }, issuers: []",
		"allow: { scopes: [staff.read] }, tenants: []", `allow: { scopes: [staff.read] }, stepUp: ""`, "allow: { scopes: [staff.read] }, stepUp: c0", "auth: none", "authentication: { enabled: false }", "allow: { scopes: [staff.read], scopes: [] }", "<<: { public: true }", "Public: true",
	} {
		t.Run(text, func(t *testing.T) { assertRefused(t, "staff.yaml", "", operation(text)) })
	}
}

// D88, for what holds for a whole API or for all.
func TestD88AnEmptyListIsNoPermission(t *testing.T) {
	staff := func(text string) edit { return edit{"path: /staff\n", "path: /staff\n" + text + "\n"} }
	gateway := func(text string) edit { return edit{"  clockSkew: 60s\n", "  " + text + "\n"} }
	for text, c := range map[string]struct {
		file string
		e    edit
	}{
		"issuers: []": {"staff.yaml", staff("issuers: []")}, "issuers: null": {"staff.yaml", staff("issuers: null")}, `issuers: ["*"]`: {"staff.yaml", staff(`issuers: ["*"]`)}, "issuers: [nobody]": {"staff.yaml", staff("issuers: [nobody]")},
		"tenants: []": {"staff.yaml", staff("tenants: []")}, "tenants: null": {"staff.yaml", staff("tenants: null")}, "clients: []": {"staff.yaml", staff("clients: []")}, "clients: null": {"staff.yaml", staff("clients: null")}, "clients: [nobody]": {"staff.yaml", staff("clients: [nobody]")},
		"principals: none": {"staff.yaml", staff("principals: none")}, `principals: ""`: {"staff.yaml", staff(`principals: ""`)}, "clientAuth: none": {"staff.yaml", staff("clientAuth: none")}, "guests: true": {"staff.yaml", staff("guests: true")}, "proof: { dpop: optional }": {"staff.yaml", staff("proof: { dpop: optional }")},
		"proof: {}": {"staff.yaml", staff("proof: {}")}, "maxBody: 0": {"staff.yaml", staff("maxBody: 0")}, "maxBody: -1": {"staff.yaml", staff("maxBody: -1")}, "skipAuth: true": {"staff.yaml", staff("skipAuth: true")},
		"clockSkew: 1h": {"gateway.yaml", gateway("clockSkew: 1h")}, "clockSkew: 0s": {"gateway.yaml", gateway("clockSkew: 0s")}, "clockSkew: -1s": {"gateway.yaml", gateway("clockSkew: -1s")}, "clockSkew: null": {"gateway.yaml", gateway("clockSkew: null")},
		"tokenVersions: []": {"gateway.yaml", edit{"tokenVersions: [v2]", "tokenVersions: []"}}, "tokenVersions: [v3]": {"gateway.yaml", edit{"tokenVersions: [v2]", "tokenVersions: [v3]"}},
		"algorithms: []": {"gateway.yaml", edit{"[RS256, RS512, PS256, ES256]", "[]"}}, "algorithms: [none]": {"gateway.yaml", edit{"[RS256, RS512, PS256, ES256]", "[none]"}}, "algorithms: [HS256]": {"gateway.yaml", edit{"[RS256, RS512, PS256, ES256]", "[RS256, HS256]"}}, "algorithms: null": {"gateway.yaml", edit{"[RS256, RS512, PS256, ES256]", "null"}},
		"maxLifetime: 0s": {"gateway.yaml", edit{"maxLifetime: 24h", "maxLifetime: 0s"}}, "maxLifetime: null": {"gateway.yaml", edit{"maxLifetime: 24h", "maxLifetime: null"}}, "insecure: true": {"gateway.yaml", gateway("insecure: true")}, "verifyAudience: false": {"gateway.yaml", gateway("verifyAudience: false")},
		"http to an issuer": {"gateway.yaml", edit{`"${issuer.strict}"`, `"http://issuer.example"`}},
	} {
		t.Run(text, func(t *testing.T) { assertRefused(t, c.file, "", c.e) })
	}
}

// D88: an environment holds values; there is no place in it for a rule.
func TestD88AnEnvironmentChangesNoRule(t *testing.T) {
	const kind = "kind: Environment\ntenant: 11111111-1111-1111-1111-111111111111\n"
	for _, text := range []string{"audience: []\n", "identity: { clockSkew: 5m }\n", "apis: { staff: { public: true } }\n", "operations: []\n", "forward: {}\n", "algorithms: [none]\n", "tokenVersions: [v1]\n", "maxBody: 1GiB\n", "require: []\n"} {
		t.Run(text, func(t *testing.T) {
			files := edited(t, nil)
			files["environments/prod.yaml"] = &fstest.MapFile{Data: []byte(kind + text)}
			if _, found := contract.Load(files); len(found.Errors()) == 0 {
				t.Errorf("got no fault, want one: an environment holds values only")
			}
		})
	}
}
