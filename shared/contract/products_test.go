package contract_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

// kept gives the environment a store and a secret for digests.
var kept = []string{"environments/prod.yaml", "backend:", `vaults: { main: "https://v.vault.azure.net" }
store: { tables: "https://s.table.core.windows.net", keyDigest: { vault: main, current: digest } }
backend:`}

func keyed(edits ...string) []string { return slices.Concat(kept, edits) }

const product = "products: { partner: { apis: [orders] } }"

func TestFaultsOfProductsAndKeys(t *testing.T) {
	keys := func(words string) []string {
		return keyed(gatewayWith(product + "\nsubscriptionKeys: { " + words + " }")...)
	}
	allow := func(words string) []string {
		return keyed("orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: { "+words+" }")
	}
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"an unknown API":            {keyed(gatewayWith("products: { partner: { apis: [order] } }")...), `gateway.yaml:4:31: error: there is no API "order"; did you mean "orders"?`},
		"approval: false":           {keyed(gatewayWith("products: { partner: { apis: [orders], approval: false } }")...), `gateway.yaml:4:50: error: false says nothing`},
		"two without a key":         {keyed(gatewayWith("products: { a: { apis: [orders], key: optional }, b: { apis: [orders], key: optional } }")...), `gateway.yaml:4:`},
		"no store":                  {gatewayWith(product), `gateway.yaml:4:11: error: needs a store, and environments/prod.yaml has none`},
		"no secret":                 {keyed(append(gatewayWith(product), "environments/prod.yaml", ", keyDigest: { vault: main, current: digest }", "")...), `gateway.yaml:4:11: error: subscription keys are told by a digest`},
		"no such vault":             {keyed(append(gatewayWith(product), "environments/prod.yaml", "vault: main", "vault: mine")...), `environments/prod.yaml:4:`},
		"stale before fresh":        {keys("refresh: 10m"), `gateway.yaml:5:19: error: maxStale (5m0s) is shorter than refresh (10m0s)`},
		"keys in Authorization":     {keys("header: Authorization"), `gateway.yaml:5:29: error: Authorization can't carry keys: it carries credentials`},
		"keys in a claim's header":  {keys("header: X-User-Id"), `gateway.yaml:5:29: error: X-User-Id can't carry keys: the gateway sends a claim under it`},
		"keys in a hop header":      {keys("header: Upgrade"), `gateway.yaml:5:29: error: Upgrade can't carry keys`},
		"keys in a platform header": {keys("header: X-Forwarded-Key"), `gateway.yaml:5:29: error: X-Forwarded-Key can't carry keys`},
		"keys in Origin":            {keys("header: Origin"), `gateway.yaml:5:29: error: Origin can't carry keys`},
		"keys in code":              {keys("query: Code"), `gateway.yaml:5:28: error: "Code" can't carry keys`},
		"an API's in Cookie":        {keyed(apiWith("subscriptionKeys: { header: Cookie }")...), `orders.yaml:4:29: error: Cookie can't carry keys`},
		"a demanded key header":     {append(keys("header: X-Key"), apiWith("headers: { x-key: [a] }")...), `orders.yaml:4:12: error: x-key carries subscription keys`},
		"an answer's key header":    {append(keys("header: X-Key"), apiWith("responseHeaders: { X-Key: a }")...), `orders.yaml:4:20: error: X-Key carries subscription keys`},
		"a count by a key":          {append(keys("header: X-Key"), apiWith("limits: [{ name: a, rate: 1/minute, by: header:x-key }]")...), `orders.yaml:4:41: error: X-Key carries subscription keys`},
		"a product's by a key":      {keyed(gatewayWith("products: { partner: { apis: [orders], limits: [{ name: a, rate: 1/minute, by: [subscription, header:X-Key] }] } }\nsubscriptionKeys: { header: X-Key }")...), `gateway.yaml:4:95: error: X-Key carries subscription keys`},
		"a count by Cookie":         {keyed(apiWith("limits: [{ name: a, rate: 1/minute, by: header:cookie }]")...), `orders.yaml:4:41: error: Cookie can't be counted by`},
		"too much for a header":     {keyed(apiWith("limits: [{ name: a, quota: 1000000GiB/month, by: all }]")...), `orders.yaml:4:28: error: "1000000GiB/month" is not an amount`},
		"more than can be counted":  {keyed(apiWith("limits: [{ name: a, quota: 999999999999999GiB/month, by: all }]")...), `orders.yaml:4:28: error: "999999999999999GiB/month" is not an amount`},
		"a query that passes":       {append(keys("query: key"), apiWith("query: { allow: [KEY] }")...), `orders.yaml:4:18: error: KEY carries subscription keys`},
		"a query that is set":       {append(keys("query: key"), operationWith("query: { set: { Key: a } }")...), `orders.yaml:10:`},
		"scripts without it":        {keyed(append(gatewayWith(product), apiWith(`cors: { origins: ["https://a.example"], headers: [Authorization] }`)...)...), `orders.yaml:4:7: warning: no script can send a subscription key`},
		"and without a token":       {allow("key: and"), `orders.yaml:10:50: error: and means a token as well`},
		"alone with a token":        {allow("key: alone, scopes: [Orders.Read]"), `orders.yaml:10:50: error: alone means a key and no token`},
		"alone and bound":           {append(allow("key: alone"), gatewayWith("products: { partner: { apis: [orders], bind: [client] } }")...), `orders.yaml:10:50: error: the product "partner" binds its keys to a token`},
		"alone and stepUp":          {append(allow("key: alone"), operationWith("stepUp: c1")...), `orders.yaml:10:15: error: only a user can step up`},
		"a word there isn't":        {allow("key: or"), `orders.yaml:10:50: error: "or" is not one of and, alone`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

// demands are what each operation of orders asks of a key, by its id.
func demands(t *testing.T, edits ...string) (map[string]contract.KeyDemand, *contract.Plan) {
	t.Helper()
	e, faults := contract.Load(estate(keyed(edits...)...))
	if e == nil {
		t.Fatal(faults)
	}
	plan, faults := e.Plan("prod")
	if plan == nil {
		t.Fatal(faults)
	}
	out := map[string]contract.KeyDemand{}
	for _, op := range plan.APIs[0].Operations {
		out[op.ID] = op.Key
	}
	return out, plan
}

func TestWhatAnOperationAsksOfAKey(t *testing.T) {
	more := []string{"orders.yaml", "operations:", `operations:
  - { id: open, match: "GET /open", public: true }
  - { id: and, match: "GET /and", allow: { key: and, roles: [DataReader] } }
  - { id: alone, match: "GET /alone", allow: { key: alone } }`}
	for products, otherwise := range map[string]contract.KeyDemand{
		"":                                    contract.KeyUnused,
		"products: { a: { apis: [orders] } }": contract.KeyAnd,
		"products: { a: { apis: [orders], key: optional } }":                        contract.KeyOptional,
		"products: { a: { apis: [orders], key: optional }, b: { apis: [orders] } }": contract.KeyAnd,
		"products: { a: { apis: [orders] }, b: { apis: [orders], key: optional } }": contract.KeyAnd,
	} {
		edits := slices.Clone(more)
		if products != "" {
			edits = append(edits, gatewayWith(products)...)
		}
		got, _ := demands(t, edits...)
		want := map[string]contract.KeyDemand{"open": contract.KeyUnused, "and": contract.KeyAnd, "alone": contract.KeyAlone, "get": otherwise}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", products, diff)
		}
	}
}

func TestKeysBound(t *testing.T) {
	_, plan := demands(t, gatewayWith(`products: { partner: { apis: [orders], approval: true, bind: [tenant] } }
subscriptionKeys: { header: x-api-key, query: Api-Key, refresh: 10s }`)...)
	api := plan.APIs[0]
	if diff := cmp.Diff(contract.PlannedKeys{Header: "X-Api-Key", Query: "Api-Key", Refresh: 10 * time.Second, MaxStale: 5 * time.Minute}, api.Keys); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(contract.KeyNames{Headers: []string{"ocp-apim-subscription-key", "x-api-key"}, Parameters: []string{"api-key"}}, api.KeyNames); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]contract.PlannedProduct{{Name: "partner", APIs: []string{"orders"}, Approval: true, BindTenant: true}}, plan.Products); diff != "" {
		t.Error(diff)
	}
	if want := (contract.SecretRef{Vault: "https://v.vault.azure.net", Name: "digest"}); plan.Store.Digest != want || !slices.Equal(api.Products, []string{"partner"}) {
		t.Errorf("got %+v and %v", plan.Store, api.Products)
	}
	_, plan = demands(t, apiWith("subscriptionKeys: { header: X-Own }")...)
	if k := plan.APIs[0].Keys; k.Header != "X-Own" || k.Query != "" || k.Refresh != 30*time.Second {
		t.Errorf("got %+v", k)
	}
}

func TestAnAPIOfKeysAloneTrustsNoIssuer(t *testing.T) {
	_, plan := demands(t, "orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: { key: alone }")
	if got := plan.APIs[0].Accepts; got != nil {
		t.Errorf("got %v, want none: no operation takes a token", got)
	}
}
