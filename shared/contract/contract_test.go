package contract_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

const (
	gatewayFile = "kind: Gateway\nname: g\nclaimsContract: 1\nidentity: { tokenVersions: [v2] }\nforward:\n  X-User-Id: { claim: oid }\n"
	apiFile     = `kind: API
name: orders
owner: o
path: /orders
backend: { url: "${backend.orders}" }
audience: "api://${tenant}/orders"
scopes: [ { name: Orders.Read, consent: user } ]
roles: [ { name: DataReader } ]
operations:
  - { id: get, match: "GET /{id}", allow: { scopes: [Orders.Read], roles: [DataReader] } }
`
	envFile = `kind: Environment
tenant: 11111111-1111-1111-1111-111111111111
backend: { orders: "https://orders.internal.example" }
clientId: { orders: 22222222-2222-2222-2222-222222222222 }
`
)

func estate(edits ...string) fs.FS {
	files := map[string]string{"gateway.yaml": gatewayFile, "orders.yaml": apiFile, "environments/prod.yaml": envFile}
	for i := 0; i+2 < len(edits); i += 3 { // file, old, new
		before := files[edits[i]]
		files[edits[i]] = strings.Replace(before, edits[i+1], edits[i+2], 1)
		if files[edits[i]] == before {
			panic("edit changes nothing: " + edits[i+1])
		}
	}
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// faultsOf is everything that Load and Plan say of the estate.
func faultsOf(fsys fs.FS) contract.Faults {
	e, faults := contract.Load(fsys)
	if e == nil {
		return faults
	}
	_, more := e.Plan("prod")
	return append(faults, more...)
}

func TestTheBaseEstateHasNoFault(t *testing.T) {
	if faults := faultsOf(estate()); len(faults) > 0 {
		t.Fatalf("got %v, want none", faults)
	}
}

func TestEachFaultIsNamedWhereItStands(t *testing.T) {
	second := strings.NewReplacer("name: orders", "name: other", "api://${tenant}/orders", "api://${tenant}/other")
	cases := map[string]struct {
		edits []string
		want  string // file:line:column: error: start of the message
	}{
		"unknown field":             {[]string{"orders.yaml", "owner: o", "owner: o\nowners: p"}, `orders.yaml:4:1: error: unknown field "owners"; did you mean "owner"?`},
		"a word of a later version": {[]string{"orders.yaml", "owner: o", "owner: o\ncache: 5m"}, `orders.yaml:4:1: error: unknown field "cache"`},
		"unknown nested field":      {[]string{"orders.yaml", "allow: {", "allow: { role: [x],"}, `orders.yaml:10:45: error: unknown field "role"; did you mean "roles"?`},
		"missing field":             {[]string{"orders.yaml", "audience: \"api://${tenant}/orders\"\n", ""}, `orders.yaml:1:1: error: "audience" is missing`},
		"wrong type":                {[]string{"orders.yaml", "owner: o", "owner: [o]"}, `orders.yaml:3:8: error: want text, got a list`},
		"number for text":           {[]string{"orders.yaml", "owner: o", "owner: 12"}, `orders.yaml:3:8: error: want text, got the number 12; put it in quotes`},
		"text for number":           {[]string{"gateway.yaml", "claimsContract: 1", "claimsContract: one"}, `gateway.yaml:3:17: error: want a whole number, got text`},
		"number too small":          {[]string{"gateway.yaml", "claimsContract: 1", "claimsContract: 0"}, `gateway.yaml:3:17: error: must be at least 1`},
		"duplicate key":             {[]string{"orders.yaml", "owner: o", "owner: o\nowner: p"}, `orders.yaml:4:1: error: "owner" is there twice, first on line 3`},
		"empty list":                {[]string{"orders.yaml", "roles: [DataReader]", "roles: []"}, `orders.yaml:10:75: error: is an empty list`},
		"empty rule":                {[]string{"orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: {}"}, `orders.yaml:10:43: error: is empty`},
		"no value":                  {[]string{"orders.yaml", "owner: o", "owner:"}, `orders.yaml:3:7: error: has no value`},
		"alias":                     {[]string{"orders.yaml", "owner: o", "owner: &a o"}, `orders.yaml:3:8: error: anchors and aliases`},
		"not YAML":                  {[]string{"orders.yaml", "owner: o", "owner: [o"}, `orders.yaml:4:`},
		"two documents":             {[]string{"orders.yaml", "kind: API", "kind: API\n---\nkind: API"}, `orders.yaml: error: holds more than one document`},
		"unknown kind":              {[]string{"orders.yaml", "kind: API", "kind: Apis"}, `orders.yaml:1:1: error: kind: "Apis" is not one of Gateway, API, Client, Environment; did you mean "API"?`},
		"second gateway":            {[]string{"orders.yaml", apiFile, gatewayFile}, `orders.yaml:1:1: error: there is a second Gateway; the first is gateway.yaml`},
		"environment misplaced":     {[]string{"orders.yaml", apiFile, envFile}, `orders.yaml:1:1: error: an Environment belongs into environments/`},
		"rule in an environment":    {[]string{"environments/prod.yaml", "backend:", "clockSkew: 1h\nbackend:"}, `environments/prod.yaml:3:1: error: unknown field "clockSkew"`},
		"bad method":                {[]string{"orders.yaml", "GET /{id}", "FETCH /{id}"}, `orders.yaml:10:23: error: "FETCH /{id}" must be a method and a path`},
		"dot segment":               {[]string{"orders.yaml", "GET /{id}", "GET /a/../{id}"}, `orders.yaml:10:23: error: "GET /a/../{id}" the path must not hold dot segments`},
		"percent in a path":         {[]string{"orders.yaml", "path: /orders", "path: /or%64ers"}, `orders.yaml:4:7: error: "/or%64ers" is not canonical`},
		"trailing slash":            {[]string{"orders.yaml", "path: /orders", "path: /orders/"}, `orders.yaml:4:7: error: "/orders/" is not canonical: it must not end with /`},
		"parameter in API path":     {[]string{"orders.yaml", "path: /orders", "path: /{x}"}, `orders.yaml:4:7: error: can't hold parameters`},
		"root path":                 {[]string{"orders.yaml", "path: /orders", "path: /"}, `orders.yaml:4:7: error: / is reserved`},
		"host's path":               {[]string{"orders.yaml", "path: /orders", "path: /Administrators"}, `orders.yaml:4:7: error: /admin* is reserved`},
		"our path":                  {[]string{"orders.yaml", "path: /orders", "path: /_gateway/x"}, `orders.yaml:4:7: error: /_gateway* is reserved`},
		"a path around ours":        {[]string{"orders.yaml", "path: /orders", "path: /.Well-Known"}, `orders.yaml:4:7: error: /.well-known/oauth-protected-resource* is reserved`},
		"a function's name":         {[]string{"orders.yaml", "path: /orders", "path: /Gateway/x"}, `orders.yaml:4:7: error: /gateway is reserved: it is a function's name`},
		"undeclared scope":          {[]string{"orders.yaml", "allow: { scopes: [Orders.Read]", "allow: { scopes: [Orders.Raed]"}, `orders.yaml:10:54: error: the API declares no scope "Orders.Raed"; did you mean "Orders.Read"?`},
		"neither allow nor public":  {[]string{"orders.yaml", ", allow: { scopes: [Orders.Read], roles: [DataReader] }", ""}, `orders.yaml:10:5: error: "get" lets nobody in`},
		"allow and public":          {[]string{"orders.yaml", "{ id: get,", "{ id: get, public: true,"}, `orders.yaml:10:24: error: an operation is public or has allow`},
		"public: false":             {[]string{"orders.yaml", "{ id: get,", "{ id: get, public: false,"}, `orders.yaml:10:24: error: false says nothing`},
		"same requests": {[]string{"orders.yaml", "operations:", "operations:\n  - { id: one, match: \"GET /{other}\", public: true }"},
			`orders.yaml:11:23: error: "one" and "get" match the same requests`},
		"crossing templates": {[]string{"orders.yaml", "operations:", "operations:\n  - { id: a, match: \"GET /x/{b}\", public: true }\n  - { id: b, match: \"GET /{a}/y\", public: true }"},
			`orders.yaml:11:21: error: "a" (GET /orders/x/{b}) and "b" (GET /orders/{a}/y) overlap and neither is narrower`},
		"id twice":                {[]string{"orders.yaml", "operations:", "operations:\n  - { id: get, match: \"GET /x/y\", public: true }"}, `orders.yaml:11:11: error: "get" is in operations twice`},
		"header named twice":      {[]string{"gateway.yaml", "  X-User-Id: { claim: oid }", "  X-User-Id: { claim: oid }\n  x-user-id: { claim: sub }"}, `gateway.yaml:7:3: error: the header is named twice`},
		"header that can't carry": {[]string{"gateway.yaml", "X-User-Id", "Content-Length"}, `gateway.yaml:6:3: error: Content-Length can't be a claim's header`},
		"skew too large":          {[]string{"gateway.yaml", "tokenVersions: [v2]", "tokenVersions: [v2], clockSkew: 10m"}, `gateway.yaml:4:45: error: is over 5m0s`},
		"issuer over plain http":  {[]string{"gateway.yaml", "tokenVersions: [v2]", "tokenVersions: [v2], issuers: [ { name: p, issuer: \"http://idp.example\" } ]"}, `gateway.yaml:4:64: error: "http://idp.example" is plain http`},
		"unknown issuer":          {[]string{"orders.yaml", "owner: o", "owner: o\nissuers: [entre]"}, `orders.yaml:4:11: error: unknown issuer "entre"; did you mean "entra"?`},
		"unknown placeholder":     {[]string{"orders.yaml", "${backend.orders}", "${backends.orders}"}, `orders.yaml:5:17: error: ${backends.orders} is unknown`},
		"unbound placeholder":     {[]string{"environments/prod.yaml", "{ orders: \"https", "{ order: \"https"}, `orders.yaml:5:17: error: ${backend.orders} has no value in environments/prod.yaml`},
		"placeholder elsewhere":   {[]string{"orders.yaml", "owner: o", "owner: ${tenant}"}, `orders.yaml:3:8: error: can't take a value of the environment`},
		"v2 without a client id":  {[]string{"environments/prod.yaml", "clientId: { orders: 22222222-2222-2222-2222-222222222222 }\n", ""}, `orders.yaml:2:7: error: v2 tokens carry the registration's client id in aud, and environments/prod.yaml binds none`},
		"client id of no API":     {[]string{"environments/prod.yaml", "clientId: { orders", "clientId: { order: 22222222-2222-2222-2222-222222222222, orders"}, `environments/prod.yaml:4:13: error: there is no API "order"; did you mean "orders"?`},
		"tenant that is no GUID":  {[]string{"environments/prod.yaml", "11111111-1111", "contoso"}, `environments/prod.yaml:2:9: error: "contoso-1111-1111-111111111111" must match`},
		"backend with a query":    {[]string{"environments/prod.yaml", "internal.example", "internal.example?x=1"}, `orders.yaml:5:17: error: "https://orders.internal.example?x=1" must not hold credentials, a query`},
		"backend over plain http": {[]string{"environments/prod.yaml", "https://orders", "http://orders"}, `orders.yaml:5:17: warning: "http://orders.internal.example" is plain http`},
		"public URL with a path":  {[]string{"environments/prod.yaml", "backend:", "publicURL: https://api.example/base\nbackend:"}, `environments/prod.yaml:3:12: error: "https://api.example/base" has a path`},
		"audience Entra refuses":  {[]string{"orders.yaml", "api://${tenant}/orders", "api://orders"}, `orders.yaml:6:11: warning: Entra refuses "api://orders"`},
		"stale before refreshed":  {[]string{"gateway.yaml", "tokenVersions: [v2]", "tokenVersions: [v2], keys: { maxStale: 1m }"}, `gateway.yaml:4:40: error: maxStale (1m0s) is shorter than refresh`},
		"guests: true":            {[]string{"orders.yaml", "owner: o", "owner: o\nguests: true"}, `orders.yaml:4:9: error: true says nothing`},
		"unknown tenant":          {[]string{"orders.yaml", "owner: o", "owner: o\ntenants: [hom]"}, `orders.yaml:4:11: error: environments/prod.yaml binds no tenant "hom"; did you mean "home"?`},
		"a tenant called home":    {[]string{"environments/prod.yaml", "backend:", "tenants: { home: 11111111-1111-1111-1111-111111111111 }\nbackend:"}, `environments/prod.yaml:3:12: error: home is the environment's own tenant`},
		"unknown client":          {[]string{"orders.yaml", "owner: o", "owner: o\nclients: [billing]"}, `orders.yaml:4:11: error: there is no client "billing"`},
		"step up without users":   {[]string{"orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "stepUp: c1, allow: { roles: [DataReader] }"}, `orders.yaml:10:44: error: only a user can step up`},
		"unused role":             {[]string{"orders.yaml", "roles: [ { name: DataReader }", "roles: [ { name: DataReader }, { name: Other }"}, `orders.yaml:8:32: warning: no operation uses the role "Other"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			assertFault(t, faultsOf(estate(c.edits...)), c.want)
		})
	}
	t.Run("clients", func(t *testing.T) {
		client := "kind: Client\nname: billing\nowner: o\nuses: [ { api: orders, roles: [DataReader] } ]\ncredential: { kind: certificate }\n"
		for name, c := range map[string]struct{ old, new, want string }{
			"of an unknown API":    {"api: orders", "api: order", `billing.yaml:4:16: error: there is no API "order"; did you mean "orders"?`},
			"with an unknown role": {"[DataReader]", "[DataRaeder]", `billing.yaml:4:32: error: the API "orders" declares no role "DataRaeder"; did you mean "DataReader"?`},
			"with a bare secret":   {"certificate", "secret", `billing.yaml:5:13: error: a secret needs expires: and reason:`},
			"that isn't bound":     {"", "", `orders.yaml:4:11: error: environments/prod.yaml binds no app id to the client "billing"`},
			"that doesn't use it":  {"uses: [ { api: orders, roles: [DataReader] } ]", "uses: [ { api: other, roles: [X] } ]", `orders.yaml:4:11: error: the client "billing" doesn't say that it uses "orders"`},
		} {
			fsys := estate("orders.yaml", "owner: o", "owner: o\nclients: [billing]").(fstest.MapFS)
			fsys["billing.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(client, c.old, c.new, 1))}
			t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(fsys), c.want) })
		}
	})
	t.Run("two APIs on one path", func(t *testing.T) {
		fsys := estate().(fstest.MapFS)
		fsys["other.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(second.Replace(apiFile), "path: /orders", "path: /Orders/archive", 1))}
		assertFault(t, faultsOf(fsys), `other.yaml:4:7: error: "/Orders/archive" overlaps "/orders" of orders.yaml`)
	})
	t.Run("two APIs with one audience", func(t *testing.T) {
		fsys := estate().(fstest.MapFS)
		fsys["other.yaml"] = &fstest.MapFile{Data: []byte(strings.NewReplacer("name: orders", "name: other", "path: /orders", "path: /other").Replace(apiFile))}
		assertFault(t, faultsOf(fsys), `other.yaml:6:11: error: is also that of orders.yaml`)
	})
	t.Run("two APIs with one client id", func(t *testing.T) {
		fsys := estate("environments/prod.yaml", "{ orders: 22222222-2222-2222-2222-222222222222 }", "{ orders: 22222222-2222-2222-2222-222222222222, other: 22222222-2222-2222-2222-222222222222 }").(fstest.MapFS)
		fsys["other.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(second.Replace(apiFile), "path: /orders", "path: /other", 1))}
		assertFault(t, faultsOf(fsys), `other.yaml:6:11: error: in environments/prod.yaml, "22222222-2222-2222-2222-222222222222" is also an audience of the API "orders"`)
	})
}

func assertFault(t *testing.T, faults contract.Faults, want string) {
	t.Helper()
	if !slices.ContainsFunc(faults, func(f contract.Fault) bool { return strings.HasPrefix(f.String(), want) }) {
		t.Errorf("got:\n  %v\nwant one that starts with\n  %s", faults, want)
	}
}

func TestAllFaultsAreReportedTogether(t *testing.T) {
	faults := faultsOf(estate("orders.yaml", "owner: o", "ownr: o", "orders.yaml", "path: /orders", "path: /orders/", "gateway.yaml", "claimsContract: 1", "claimsContract: x"))
	if got := len(faults.Errors()); got != 4 { // unknown field, missing field, path, number
		t.Errorf("got %d errors, want 4:\n%v", got, faults)
	}
}

func TestAnUnknownEnvironmentNamesTheNearest(t *testing.T) {
	e, _ := contract.Load(estate())
	_, faults := e.Plan("prd")
	assertFault(t, faults, `environments: error: there is no environment "prd"; did you mean "prod"?`)
}

func TestAPlanHoldsWhatEntraReallySends(t *testing.T) {
	e, faults := contract.Load(estate("gateway.yaml", "[v2]", "[v1, v2]"))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p, faults := e.Plan("prod")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	const tenant, client = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	want := []contract.Accepted{
		{Issuer: contract.TrustedIssuer{Name: "entra", Profile: "entra", Issuer: "https://sts.windows.net/" + tenant + "/", Discovery: "https://login.microsoftonline.com/" + tenant, Tenant: tenant, TokenVersion: "1.0"},
			Audiences: []string{"api://" + tenant + "/orders", client}},
		{Issuer: contract.TrustedIssuer{Name: "entra", Profile: "entra", Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", Discovery: "https://login.microsoftonline.com/" + tenant + "/v2.0", Tenant: tenant, TokenVersion: "2.0"},
			Audiences: []string{client}},
	}
	if diff := cmp.Diff(want, p.APIs[0].Accepts); diff != "" {
		t.Error(diff)
	}
}

func TestTheExampleEstateIsRight(t *testing.T) {
	e, faults := contract.Load(os.DirFS("../../contracts"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, name := range e.Environments() {
		if _, faults := e.Plan(name); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		if _, faults := e.Registrations(name); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}
