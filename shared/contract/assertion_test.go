package contract_test

import (
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"tollgate/shared/contract"
)

const (
	processKey = "assertionKey: { keptIn: process }\n"
	vaultKey   = "vaults: { main: \"https://contoso.vault.azure.net/\" }\nassertionKey: { keptIn: vault, vault: main, name: tollgate-root }\n"
)

// asserted is the base estate with those words on the backend, and lines more in its environment.
func asserted(words, environment string) []string {
	return []string{
		"orders.yaml", `"${backend.orders}"`, `"${backend.orders}", assertion: ` + words,
		"environments/prod.yaml", "kind: Environment", "kind: Environment\npublicURL: https://api.example\n" + environment,
	}
}

func TestFaultsOfAssertions(t *testing.T) {
	const good = `{ audience: "${backend.orders}" }`
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"no audience":             {asserted(`{ lifetime: 60s }`, processKey), `orders.yaml:5:49: error: "audience" is missing`},
		"an unknown value":        {asserted(`{ audience: "${backend.payments}" }`, processKey), `orders.yaml:5:61: error: ${backend.payments} has no value in environments/prod.yaml`},
		"an unknown group":        {asserted(`{ audience: "${vault.x}" }`, processKey), `orders.yaml:5:61: error: ${vault.x} is unknown`},
		"four seconds":            {asserted(`{ audience: a, lifetime: 4s }`, processKey), `orders.yaml:5:74: error: must be whole seconds, from 5s to 5m`},
		"six minutes":             {asserted(`{ audience: a, lifetime: 6m }`, processKey), `orders.yaml:5:74: error: must be whole seconds, from 5s to 5m`},
		"half a second more":      {asserted(`{ audience: a, lifetime: 10.5s }`, processKey), `orders.yaml:5:74: error: must be whole seconds`},
		"no public address":       {[]string{"orders.yaml", `"${backend.orders}"`, `"${backend.orders}", assertion: ` + good}, `orders.yaml:5:49: error: an assertion names the gateway by its public address, and environments/prod.yaml has no publicURL`},
		"no key":                  {asserted(good, ""), `orders.yaml:5:49: error: assertions need a key, and environments/prod.yaml has no assertionKey`},
		"a key for nobody":        {[]string{"environments/prod.yaml", "kind: Environment", "kind: Environment\n" + processKey}, `environments/prod.yaml:2:15: warning: no API asks for assertions`},
		"a process's in public":   {asserted(good, processKey), `environments/prod.yaml:3:25: warning: each process makes its own key`},
		"a key kept elsewhere":    {asserted(good, "assertionKey: { keptIn: table }\n"), `environments/prod.yaml:3:25: error: "table" is not one of vault, process`},
		"a vault without a name":  {asserted(good, "assertionKey: { keptIn: vault, vault: main }\n"), `environments/prod.yaml:3:15: error: a key that is kept in a vault needs vault: and name:`},
		"an unknown vault":        {asserted(good, "assertionKey: { keptIn: vault, vault: main, name: k }\n"), `environments/prod.yaml:3:39: error: there is no vault "main" under vaults:`},
		"a process with a vault":  {asserted(good, "assertionKey: { keptIn: process, vault: main }\n"), `environments/prod.yaml:3:15: error: vault and name are about a key that is kept in a vault`},
		"a claim's header":        {[]string{"gateway.yaml", "X-User-Id:", "X-Gateway-Assertion:"}, `gateway.yaml:6:3: error: X-Gateway-Assertion can't be a claim's header: the gateway sets it`},
		"a header of the answers": {gatewayWith("responseHeaders: { X-Gateway-Assertion-Key: a }"), `gateway.yaml:4:20: error: X-Gateway-Assertion-Key can't be set: the gateway sets it`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestAnAssertionIsBound(t *testing.T) {
	e, faults := contract.Load(estate(asserted(`{ audience: "${backend.orders}", lifetime: 30s }`, vaultKey)...))
	if faults.Err() != nil {
		t.Fatal(faults)
	}
	plan, faults := e.Plan("prod")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := contract.PlannedAssertion{Audience: "https://orders.internal.example", Lifetime: 30 * time.Second}
	if got := plan.APIs[0].Backend.Assertion; got == nil || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	key := contract.PlannedAssertionKey{KeptIn: contract.KeptInVault, Vault: "https://contoso.vault.azure.net", Name: "tollgate-root"}
	if got := plan.AssertionKey; got == nil || *got != key {
		t.Errorf("got %+v, want %+v", got, key)
	}
	if !slices.Contains(e.Placeholders(), "backend.orders") {
		t.Error("the audience's value isn't asked for")
	}
}

// What proves a call to one backend would prove it to the other.
func TestOneAudienceForTwoBackendsIsWarnedOf(t *testing.T) {
	files := estate(asserted(`{ audience: same }`, vaultKey)...).(fstest.MapFS)
	files["payments.yaml"] = &fstest.MapFile{Data: []byte(`kind: API
name: payments
owner: o
path: /payments
backend: { url: "https://payments.internal.example", assertion: { audience: same } }
audience: "api://${tenant}/payments"
operations:
  - { id: get, match: "GET /{id}", public: true }
`)}
	assertFault(t, faultsOf(files), `payments.yaml:5:77: warning: "same" is also the audience of orders, whose backend is another`)
}
