package claims

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

func TestARefusalKnowsWhatTheTokenSaid(t *testing.T) {
	type c = pipeline.Claims
	list := func(v ...any) []any { return v }
	missing := func(names ...string) refusal.Facts { return refusal.Facts{Missing: names} }
	said := func(claim, value string) refusal.Facts { return refusal.Facts{Claim: claim, Value: value} }
	clients := Admit(contract.Callers{Clients: map[string]contract.ListedClient{"app-1": {}}})
	strong, members := Admit(contract.Callers{Certificate: true}), Admit(contract.Callers{MembersOnly: true})
	demand := Demand([]contract.RequiredClaim{
		{Claim: "dept", Values: []string{"sales"}, Rule: "require.0"}, {Claim: "site", Values: []string{"north"}, Rule: "require.1"}, {Claim: "site", Values: []string{"east"}, Rule: "require.2"}, {Claim: "groups", Values: []string{"g"}, Rule: "require.3"},
	})
	users := Require("get", contract.Allow{Scopes: []string{"read"}}, "")
	for name, row := range map[string]struct {
		stage  pipeline.Stage
		claims c
		want   refusal.Facts
	}{
		"no client":                    {clients, c{}, missing("azp", "appid", "client_id")},
		"another client":               {clients, c{"azp": "app-9", "appid": "app-1"}, said("azp", "app-9")},
		"another client, v1":           {clients, c{"appid": "app-9"}, said("appid", "app-9")},
		"a secret":                     {strong, c{"azpacr": "1"}, said("azpacr", "1")},
		"nothing of how":               {strong, c{}, missing("azpacr", "appidacr")},
		"a guest":                      {members, c{"acct": pipeline.Number("1")}, said("acct", "1")},
		"nothing of guests":            {members, c{}, missing("acct")},
		"nothing that is demanded":     {demand, c{}, missing("dept", "site", "groups")},
		"null and an empty list":       {demand, c{"dept": nil, "site": list(), "groups": "x"}, missing("dept", "site")},
		"another value":                {demand, c{"dept": "it"}, said("dept", "it")},
		"other values":                 {demand, c{"dept": list("it", pipeline.Number("7"), true)}, said("dept", "it, 7, true")},
		"an object":                    {demand, c{"dept": map[string]any{"a": "<b>"}}, said("dept", `{"a":"<b>"}`)},
		"one is satisfied":             {demand, c{"dept": "sales", "site": "south"}, said("site", "south")},
		"too many groups for a token":  {demand, c{"dept": "sales", "site": list("north", "east"), "hasgroups": true}, missing("groups")},
		"no scope, of Entra":           {users, c{}, missing("scp")},
		"another scope":                {users, c{"scp": "write list"}, said("scp", "write list")},
		"an empty text is still there": {demand, c{"dept": ""}, said("dept", "")},
	} {
		t.Run(name, func(t *testing.T) {
			_, refused := ask(t, row.stage, &pipeline.Identity{Principal: pipeline.User, ScopeClaim: "scp", Claims: row.claims})
			if refused == nil {
				t.Fatal("got a grant, want a refusal")
			}
			if diff := cmp.Diff(row.want, refused.Facts, cmpopts.EquateComparable(refusal.Facts{}.Address)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
