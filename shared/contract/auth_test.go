package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

// provedBy is the base estate with authenticate: in its backend, and edits besides.
func provedBy(authenticate string, edits ...string) []string {
	return append([]string{
		"orders.yaml", `backend: { url: "${backend.orders}" }`, `backend: { url: "${backend.orders}", authenticate: ` + authenticate + ` }`,
		"environments/prod.yaml", "kind: Environment", "kind: Environment\nvaults: { main: \"https://contoso.vault.azure.net\" }\nidentities: { gateway: 33333333-3333-3333-3333-333333333333, orders: 44444444-4444-4444-4444-444444444444 }",
	}, edits...)
}

const usersOnly = "principals: users"

func TestFaultsOfAuthenticate(t *testing.T) {
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"nothing":                     {provedBy("{}"), "is empty"},
		"two ways":                    {provedBy(`{ certificate: "${secret:main/c}", basic: { username: u, password: "${secret:main/p}" } }`), "names basic and certificate; a call is proved in one way"},
		"a literal secret":            {provedBy(`{ header: { name: X-Api-Key, value: hunter2 } }`), "is not a reference to a secret; put the secret into Key Vault and write"},
		"a number":                    {provedBy(`{ header: { name: X-Api-Key, value: 4711 } }`), "is not a reference to a secret"},
		"a list":                      {provedBy(`{ header: { name: X-Api-Key, value: [hunter2] } }`), "is not a reference to a secret"},
		"a reference and more":        {provedBy(`{ header: { name: X-Api-Key, value: "ApiKey ${secret:main/k}" } }`), "is not a reference to a secret"},
		"a name that can't be":        {provedBy(`{ certificate: "${secret:main/a_b}" }`), "is not a reference to a secret"},
		"a version":                   {provedBy(`{ certificate: "${secret:main/a/b}" }`), "is not a reference to a secret"},
		"an unknown vault":            {provedBy(`{ certificate: "${secret:mian/a}" }`), `environments/prod.yaml binds no vault "mian"; did you mean "main"?`},
		"a scope for a resource":      {provedBy(`{ managedIdentity: { resource: "api://x/.default" } }`), "write the resource alone"},
		"an id that is none":          {provedBy(`{ managedIdentity: { resource: "api://x", clientId: x } }`), `"x" is not a client id`},
		"an unbound identity":         {provedBy(`{ managedIdentity: { resource: "api://x", clientId: "${identities.x}" } }`), "${identities.x} has no value"},
		"an unbound tenant":           {provedBy(`{ federated: { tenant: partner, clientId: "${identities.orders}", resource: "api://x" } }`), `binds no tenant "partner"`},
		"a system-assigned identity":  {provedBy(`{ federated: { clientId: "${identities.orders}", resource: "api://x" } }`, "environments/prod.yaml", "gateway: 33333333-3333-3333-3333-333333333333, ", ""), "a registration can trust a user-assigned identity only"},
		"a header of the claims":      {provedBy(`{ header: { name: x-user-id, value: "${secret:main/k}" } }`), "x-user-id can't carry a secret: the gateway sends a claim under it"},
		"a header of the platform":    {provedBy(`{ header: { name: X-Forwarded-For, value: "${secret:main/k}" } }`), "X-Forwarded-For can't carry a secret"},
		"a header of the connection":  {provedBy(`{ header: { name: Upgrade, value: "${secret:main/k}" } }`), "Upgrade can't carry a secret"},
		"a proof":                     {provedBy(`{ header: { name: DPoP, value: "${secret:main/k}" } }`), "DPoP can't carry a secret"},
		"a header about the body":     {provedBy(`{ header: { name: Content-Type, value: "${secret:main/k}" } }`), "Content-Type can't carry a secret"},
		"a header that callers send":  {provedBy(`{ header: { name: X-Api-Key, value: "${secret:main/k}" } }`, "orders.yaml", "owner: o", "owner: o\nheaders: { X-API-KEY: [a] }"), "X-Api-Key is demanded of callers too"},
		"a colon in the name":         {provedBy(`{ basic: { username: "a:b", password: "${secret:main/k}" } }`), "must match"},
		"a certificate in the clear":  {provedBy(`{ certificate: "${secret:main/c}" }`, "environments/prod.yaml", "https://orders", "http://orders"), "is plain http, where a client certificate can't be shown"},
		"no proof for the exchange":   {provedBy(`{ onBehalfOf: { resource: "api://x" } }`), "needs exactly one of clientSecret, certificate and federated: true"},
		"two proofs":                  {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true, certificate: "${secret:main/c}" } }`), "needs exactly one of"},
		"federated: false":            {provedBy(`{ onBehalfOf: { resource: "api://x", federated: false } }`), "false says nothing"},
		"applications may try":        {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`), "warning: an application's call will be refused (user_required)"},
		"nobody could call it":        {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`, "orders.yaml", "scopes: [Orders.Read], roles", "roles"), `"get" lets no user in`},
		"the public can't be a user":  {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`, "orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "public: true"), `"get" is public, but the backend is called on behalf of a user`},
		"bound tokens":                {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`, "orders.yaml", "owner: o", "owner: o\nproof: { dpop: accepted }"), "bound to a key can't be exchanged"},
		"own signing keys":            {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`, "orders.yaml", "owner: o", "owner: o\nsigningKeys: application"), "Entra exchanges no token that was signed"},
		"programs only":               {provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`, "orders.yaml", "owner: o", "owner: o\nprincipals: applications"), "there is no user to act for"},
		"a secret as a header demand": {append(provedBy(`{ certificate: "${secret:main/c}" }`), "orders.yaml", "owner: o", "owner: o\nheaders: { X-A: [\"${secret:main/k}\"] }"), "stands only where the gateway needs a secret"},
		"a secret as an audience":     {append(provedBy(`{ certificate: "${secret:main/c}" }`), "orders.yaml", `"api://${tenant}/orders"`, `"${secret:main/k}"`), "stands only where the gateway needs a secret"},
		"a secret in an environment":  {append(provedBy(`{ certificate: "${secret:main/c}" }`), "environments/prod.yaml", "https://orders.internal.example", "${secret:main/k}"), "stands only where the gateway needs a secret"},
		"a vault in the clear":        {provedBy(`{ certificate: "${secret:main/c}" }`, "environments/prod.yaml", "https://contoso.vault", "http://contoso.vault"), "is plain http"},
		"a vault with a path":         {provedBy(`{ certificate: "${secret:main/c}" }`, "environments/prod.yaml", "vault.azure.net", "vault.azure.net/secrets"), "has a path"},
		"a vault nobody reads":        {provedBy(`{ managedIdentity: { resource: "api://x" } }`), "warning: no contract takes ${secret:main/…}"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []string
			for _, f := range faultsOf(estate(c.edits...)) {
				all = append(all, f.String())
			}
			text := strings.Join(all, "\n")
			if !strings.Contains(text, c.want) {
				t.Errorf("got %q, want one that says %q", text, c.want)
			}
			if strings.Contains(text, "hunter2") || strings.Contains(text, "4711") {
				t.Errorf("got %q: a literal secret must not be repeated", text)
			}
		})
	}
}

// An answer of the gateway's own is nobody's business at the backend.
func TestAnAnswerNeedsNoUser(t *testing.T) {
	faults := faultsOf(estate(provedBy(`{ onBehalfOf: { resource: "api://x", federated: true } }`, "orders.yaml", "owner: o", "owner: o\n"+usersOnly,
		"orders.yaml", "{ id: get,", "{ id: health, match: \"GET /x/health\", public: true, answer: { status: 204 } }\n  - { id: get,")...))
	for _, f := range faults {
		if !f.Warning {
			t.Errorf("got %s, want none", f)
		}
	}
}

func TestAPlanHoldsHowTheGatewayProvesItself(t *testing.T) {
	const entra, home = "https://login.microsoftonline.com", "11111111-1111-1111-1111-111111111111"
	const gateway, orders, api = "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444", "22222222-2222-2222-2222-222222222222"
	in := func(name string) contract.SecretRef {
		return contract.SecretRef{Vault: "https://contoso.vault.azure.net", Name: name, Identity: gateway}
	}
	for text, want := range map[string]contract.PlannedAuth{
		`{ managedIdentity: { resource: "api://${tenant}/b/" } }`:                                  {Kind: "managedIdentity", Identity: gateway, Scope: "api://" + home + "/b/.default"},
		`{ managedIdentity: { resource: "api://b", clientId: "${identities.orders}" } }`:           {Kind: "managedIdentity", Identity: orders, Scope: "api://b/.default"},
		`{ federated: { clientId: "${identities.orders}", resource: "api://b" } }`:                 {Kind: "federated", Identity: gateway, ClientID: orders, Scope: "api://b/.default", Endpoint: entra + "/" + home + "/oauth2/v2.0/token"},
		`{ certificate: "${secret:main/c}" }`:                                                      {Kind: "certificate", Identity: gateway, Secret: in("c")},
		`{ header: { name: X-Functions-Key, value: "${secret:main/k}" } }`:                         {Kind: "header", Identity: gateway, Header: "X-Functions-Key", Secret: in("k")},
		`{ header: { name: Authorization, value: "${secret:main/k}" } }`:                           {Kind: "header", Identity: gateway, Header: "Authorization", Secret: in("k")},
		`{ basic: { username: svc-orders, password: "${secret:main/p}" } }`:                        {Kind: "basic", Identity: gateway, Username: "svc-orders", Secret: in("p")},
		`{ onBehalfOf: { resource: "api://b", federated: true } }`:                                 {Kind: "onBehalfOf", Identity: gateway, ClientID: api, SignIn: entra, Scope: "api://b/.default", Proof: contract.ByIdentity},
		`{ onBehalfOf: { resource: "api://b", scopes: [R, W], certificate: "${secret:main/c}" } }`: {Kind: "onBehalfOf", Identity: gateway, ClientID: api, SignIn: entra, Scope: "api://b/R api://b/W", Proof: contract.ByCertificate, Secret: in("c")},
		`{ onBehalfOf: { resource: "api://b", clientSecret: "${secret:main/s}" } }`:                {Kind: "onBehalfOf", Identity: gateway, ClientID: api, SignIn: entra, Scope: "api://b/.default", Proof: contract.BySecret, Secret: in("s")},
	} {
		e, faults := contract.Load(estate(provedBy(text, "orders.yaml", "owner: o", "owner: o\n"+usersOnly)...))
		if e == nil {
			t.Errorf("%s: %v", text, faults)
			continue
		}
		plan, faults := e.Plan("prod")
		if plan == nil {
			t.Errorf("%s: %v", text, faults)
			continue
		}
		if diff := cmp.Diff(&want, plan.APIs[0].Backend.Auth); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
