package contract_test

import (
	"slices"
	"testing"

	"tollgate/shared/contract"
)

func inEnvironment(words string) []string {
	return []string{"environments/prod.yaml", "backend:", words + "\nbackend:"}
}

func bound(t *testing.T, edits ...string) *contract.Plan {
	t.Helper()
	e, faults := contract.Load(estate(edits...))
	if e == nil {
		t.Fatal(faults)
	}
	plan, faults := e.Plan("prod")
	if plan == nil {
		t.Fatal(faults)
	}
	return plan
}

func TestFaultsOfAudit(t *testing.T) {
	vaults := "vaults: { main: \"https://v.vault.azure.net\" }\n"
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"an unknown name":           {gatewayWith("audit: { omit: [users] }"), `gateway.yaml:4:17: error: `},
		"a path as a pseudonym":     {gatewayWith("audit: { pseudonymise: [path] }"), `gateway.yaml:4:25: error: `},
		"both":                      {gatewayWith("audit: { omit: [user], pseudonymise: [user] }"), `gateway.yaml:4:39: error: "user" is under omit too`},
		"a claim that nobody reads": {gatewayWith("audit: { omit: [\"claim:shoeSize\"] }"), `gateway.yaml:4:17: warning: no rule reads the claim "shoeSize"`},
		"pseudonyms without a key":  {gatewayWith("audit: { pseudonymise: [user] }"), `gateway.yaml:4:24: error: pseudonyms are made with a secret`},
		"a key without pseudonyms":  {inEnvironment(vaults + "audit: { pseudonymKey: { vault: main, name: p } }"), `environments/prod.yaml:4:24: warning: nothing is pseudonymised`},
		"no such vault": {slices.Concat(gatewayWith("audit: { pseudonymise: [user] }"), inEnvironment("audit: { pseudonymKey: { vault: mine, name: p } }")),
			`environments/prod.yaml:3:33: error: there is no vault "mine"`},
		"plain http":      {inEnvironment("audit: { eventHub: { namespace: \"http://n.servicebus.windows.net\", name: a } }"), `environments/prod.yaml:3:33: error: `},
		"a path":          {inEnvironment("audit: { eventHub: { namespace: \"https://n.servicebus.windows.net/a\", name: a } }"), `environments/prod.yaml:3:33: error: "https://n.servicebus.windows.net/a" has a path`},
		"not a rule's id": {inEnvironment("audit: { logs: { endpoint: \"https://e.example\", rule: mine, stream: Custom-A } }"), `environments/prod.yaml:3:55: error: `},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestAuditIsBound(t *testing.T) {
	p := bound(t, slices.Concat(gatewayWith("audit: { pseudonymise: [user] }"),
		inEnvironment("vaults: { main: \"https://v.vault.azure.net/\" }\naudit: { pseudonymKey: { vault: main, name: p }, eventHub: { namespace: \"https://n.example/\", name: a } }"))...)
	if a := p.Audit; a.Allow || a.Secret != (contract.SecretRef{Vault: "https://v.vault.azure.net", Name: "p"}) || a.EventHub.Namespace != "https://n.example" || a.Logs != nil {
		t.Errorf("got %+v, want silence to refuse, the key and the event hub", a)
	}
}

// The claims of events are those that some rule reads, and no others.
func TestTheClaimsThatRulesRead(t *testing.T) {
	p := bound(t)
	for _, api := range p.APIs {
		if api.Name == "orders" && (!slices.Contains(api.Reads, "scp") || !slices.Contains(api.Reads, "roles") || slices.Contains(api.Reads, "iat") || !slices.IsSorted(api.Reads)) {
			t.Errorf("got %v", api.Reads)
		}
	}
}
