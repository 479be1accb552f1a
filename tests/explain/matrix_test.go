package explain

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/tests/desk"
	"tollgate/tests/lab"
)

func TestTheExampleEstatesMatrixIsUpToDate(t *testing.T) {
	d := desk.Bare(t)
	out, errs, code := d.Run("matrix", "--check", filepath.Join(lab.Root(t), "contracts/matrix.golden"))
	if code != 0 {
		t.Errorf("got exit %d\n%s%s(from the repository: make tools && bin/tollgate matrix > contracts/matrix.golden)", code, out, errs)
	}
	first, _, _ := d.Run("matrix")
	second, _, _ := d.Run("matrix")
	if first == "" || first != second {
		t.Errorf("got\n%s\nand then\n%s\nwant the same bytes", first, second)
	}
}

// matrix is the whole of what --json prints.
type matrix struct {
	APIs []struct {
		API, File  string
		Operations []struct {
			Operation, Match string
			Cells            []struct{ Principal, Holds, Verdict, Code string }
		}
	}
}

// cells are an estate's only API's, by operation and caller.
func (m matrix) cells() map[string]string {
	out := map[string]string{}
	for _, op := range m.APIs[0].Operations {
		for _, c := range op.Cells {
			out[strings.TrimSpace(op.Operation+": "+c.Principal+" "+c.Holds)] = c.Code
		}
	}
	return out
}

func cells(t *testing.T, d desk.Desk, args ...string) map[string]string {
	t.Helper()
	out, errs, code := d.Run(append([]string{"matrix", "own", "--json"}, args...)...)
	if code != 0 {
		t.Fatalf("got exit %d, %s", code, errs)
	}
	return read[matrix](t, out).cells()
}

func TestEachCellIsWhatTheStagesSay(t *testing.T) {
	d := ownDesk(t)
	got := cells(t, d)
	for cell, want := range map[string]string{
		"get: anonymous":                            "token_missing",
		"get: user nothing":                         "insufficient_scope",
		"get: user scope Things.Read":               "granted",
		"get: user role Reader":                     "insufficient_scope",
		"get: user all":                             "granted",
		"get: user all, client batch":               "granted",
		"get: user all, unlisted client":            "client_not_allowed",
		"get: user all, guest":                      "guest_not_allowed",
		"get: user all, no groups":                  "claim_required",
		"get: user all, no step-up":                 "granted",
		"get: application nothing":                  "insufficient_role",
		"get: application role Reader":              "granted",
		"get: application role Boss":                "insufficient_role",
		"get: application all, no groups":           "claim_required",
		"open: anonymous":                           "granted",
		"open: application all, unlisted client":    "granted",
		"approve: user scope Things.Read":           "insufficient_role",
		"approve: user role Boss":                   "insufficient_scope",
		"approve: user all":                         "granted",
		"approve: user all, no step-up":             "step_up_required",
		"approve: application all":                  "wrong_principal_type",
		"approve: application all, unlisted client": "client_not_allowed",
	} {
		if got[cell] != want {
			t.Errorf("%s: got %q, want %q", cell, got[cell], want)
		}
	}
	for cell := range got {
		if strings.Contains(cell, "application scope") || strings.Contains(cell, "application all, guest") {
			t.Errorf("got %s, which no token of Entra's can be", cell)
		}
	}
	d.Edit(t, "own/gateway.yaml", "claimsContract: 1\n", "claimsContract: 1\nidentity: { tokenVersions: [v1], algorithms: [PS256, ES256], maxLifetime: 10m }\n")
	for _, environment := range [][]string{nil, {"--environment", "prod"}} {
		if again := cells(t, d, environment...); again["approve: user all"] != "granted" || len(again) != len(got) {
			t.Errorf("v1, other algorithms, short lives, %v: got %v", environment, again)
		}
	}
}

func TestAnyWeakenedRuleIsVisible(t *testing.T) {
	d := ownDesk(t)
	golden, _, _ := d.Run("matrix", "own")
	d.Write(t, "own.golden", golden)
	before := cells(t, d)
	for name, c := range map[string]struct{ old, with, was, is string }{
		"a role more":            {"roles: [Reader] }", "roles: [Reader, Boss] }", "get: application role Boss insufficient_role", "granted"},
		"applications too":       {"userRoles: [Boss] }", "userRoles: [Boss], roles: [Boss] }", "approve: application role Boss wrong_principal_type", "step_up_required"},
		"no role for people":     {", userRoles: [Boss]", "", "approve: user scope Things.Read insufficient_role", "granted"},
		"role instead of both":   {"scopes: [Things.Read], userRoles: [Boss]", "userRoles: [Boss]", "approve: user role Boss insufficient_scope", "granted"},
		"public":                 {"allow: { scopes: [Things.Read], roles: [Reader] }", "public: true", "get: anonymous token_missing", "granted"},
		"guests":                 {"guests: false\n", "", "get: user all, guest guest_not_allowed", ""},
		"any client":             {"clients: [batch]\n", "", "get: user all, unlisted client client_not_allowed", ""},
		"no claim":               {"require:\n  - { claim: groups, match: any, values: [staff] }\n", "", "get: application all, no groups claim_required", ""},
		"no step-up":             {", stepUp: c1", "", "approve: user all, no step-up step_up_required", ""},
		"step-up for another":    {", stepUp: c1 }", " }\n  - { id: other, match: \"PUT /{id}\", allow: { scopes: [Things.Read] }, stepUp: c1 }", "approve: user all, no step-up step_up_required", "granted"},
		"a narrower public path": {"operations:\n", "operations:\n  - { id: more, match: \"GET /{id}/{rest...}\", public: true }\n", "more: anonymous ", "granted"},
	} {
		t.Run(name, func(t *testing.T) {
			at := strings.LastIndexByte(c.was, ' ')
			if got := before[c.was[:at]]; got != c.was[at+1:] {
				t.Errorf("before: got %q, want %s", got, c.was)
			}
			d.Write(t, "own/things.yaml", ownThings)
			d.Edit(t, "own/things.yaml", c.old, c.with)
			if got := cells(t, d)[c.was[:at]]; got != c.is {
				t.Errorf("after: got %q, want %q", got, c.is)
			}
			out, errs, code := d.Run("matrix", "own", "--check", "own.golden")
			if code != 1 || !strings.Contains(out, "\n+") || !strings.Contains(errs, "renew the file with `tollgate matrix own > own.golden`") {
				t.Errorf("got exit %d, %s%s, want a difference and how to renew the file", code, out, errs)
			}
		})
	}
}

func TestTheDifferenceReadsAsAPatch(t *testing.T) {
	d := desk.Bare(t)
	d.Write(t, "own/gateway.yaml", ownGateway)
	d.Write(t, "own/a.yaml", `kind: API
name: a
owner: a@contoso.example
path: /a
backend: { url: "${backend.a}" }
audience: "api://${tenant}/a"
roles: [ { name: R }, { name: S } ]
operations:
  - { id: get, match: "GET /", allow: { roles: [R, S] } }
  - { id: put, match: "PUT /", allow: { roles: [R] } }
`)
	golden, errs, code := d.Run("matrix", "own")
	want := `# Who may call what, as the compiled contracts say; made by ` + "`tollgate matrix`" + `.
# A caller's token holds what stands above the column and nothing else.

a (a.yaml)

operation  match   anonymous      user                  user                  user                  user                  application        application  application        application
                                  nothing               role R                role S                all                   nothing            role R       role S             all
get        GET /a  token_missing  wrong_principal_type  wrong_principal_type  wrong_principal_type  wrong_principal_type  insufficient_role  yes          yes                yes
put        PUT /a  token_missing  wrong_principal_type  wrong_principal_type  wrong_principal_type  wrong_principal_type  insufficient_role  yes          insufficient_role  yes
`
	if code != 0 || golden != want {
		t.Fatalf("got exit %d, %s\n%s\nwant\n%s", code, errs, golden, want)
	}
	d.Write(t, "own.golden", golden)
	if out, errs, code := d.Run("matrix", "own", "--check", "own.golden"); code != 0 || out != "own.golden: up to date\n" {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
	d.Edit(t, "own/a.yaml", "match: \"PUT /\"", "match: \"PATCH /\"")
	out, _, code := d.Run("matrix", "own", "--check", "own.golden")
	got := strings.Split(out, "\n")
	want = "--- own.golden|+++ what own grants now|@@ -3,7 +3,7 @@"
	if code != 1 || len(got) < 12 || strings.Join(got[:3], "|") != want || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "-put        PUT /a ") }) || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "+put        PATCH /a ") }) {
		t.Errorf("got exit %d\n%s", code, out)
	}
}

func TestOtherIssuersAndTenantsHaveColumns(t *testing.T) {
	d := ownDesk(t)
	d.Edit(t, "own/gateway.yaml", "claimsContract: 1\n", `claimsContract: 1
identity:
  issuers:
    - { name: plain, issuer: "https://plain.example" }
    - { name: strict, issuer: "https://strict.example", profile: rfc9068 }
`)
	d.Edit(t, "own/things.yaml", "clients: [batch]\n", "issuers: [entra, plain, strict]\n")
	d.Edit(t, "own/things.yaml", "guests: false\n", "")
	got := cells(t, d)
	for _, cell := range []string{"get: user all, issuer plain", "get: user all, issuer strict", "get: application all, issuer strict"} {
		if got[cell] != "granted" {
			t.Errorf("%s: got %q, want granted", cell, got[cell])
		}
	}
	if got["approve: user all, issuer plain"] != "step_up_required" {
		t.Errorf("got %q; only Entra says acrs", got["approve: user all, issuer plain"])
	}
	d.Edit(t, "own/things.yaml", "issuers: [entra, plain, strict]\n", "issuers: [strict]\n")
	got = cells(t, d)
	if got["get: application scope Things.Read"] != "insufficient_role" || got["get: user scope Things.Read"] != "granted" {
		t.Errorf("got %v; want applications of such an issuer to hold scopes in vain", got)
	}
}
