package estate

import (
	"cmp"
	"slices"
	"strings"

	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
)

// backend is the stand-in for ${backend.NAME}.
func (a Addresses) backend(source *contract.Estate, name string) string {
	secure := cmp.Or(a.Secure, strings.Replace(a.Backend, "http://", "https://", 1))
	for _, api := range source.APIs {
		auth := api.Backend.Authenticate
		if auth != nil && auth.Certificate != "" && strings.Contains(string(api.Backend.URL), "${"+name+"}") {
			return secure
		}
	}
	return a.Backend
}

// credentials binds what the gateway proves itself by.
func (a Addresses) credentials(source *contract.Estate, groups map[string]map[string]string) {
	groups["vaults"], groups["identities"] = map[string]string{}, map[string]string{}
	for _, vault := range source.Vaults() {
		groups["vaults"][vault] = cmp.Or(a.Vault, "https://vault.invalid")
	}
	for _, api := range source.APIs {
		if api.Backend.Authenticate != nil {
			groups["identities"][contract.GatewayIdentity] = GUID("identity", contract.GatewayIdentity)
		}
		if auth := api.Backend.Authenticate; auth != nil && auth.Federated != nil && auth.Federated.Tenant != contract.Home {
			groups["tenants"][auth.Federated.Tenant] = GUID("tenant", auth.Federated.Tenant)
		}
	}
	if source.NeedsStore() || len(source.Gateway.Audit.Pseudonymise) > 0 || len(groups["vaults"]) > 0 { // on AWS Lambda there is no system-assigned identity to fall back to
		groups["identities"][contract.GatewayIdentity] = GUID("identity", contract.GatewayIdentity)
	}
	for _, name := range source.Placeholders() {
		if key, ok := strings.CutPrefix(name, "identities."); ok {
			groups["identities"][key] = GUID("identity", key)
		}
	}
}

// trust tells the stand-in for Entra who may get tokens for backends.
func trust(o *issuer.Options, plan *contract.Plan) {
	for i, api := range plan.APIs {
		auth := api.Backend.Auth
		if auth == nil {
			continue
		}
		for scope := range strings.FieldsSeq(auth.Scope) {
			if at := strings.LastIndexByte(scope, '/'); at > 0 && !slices.Contains(o.Foreign, scope[:at]) {
				o.Foreign = append(o.Foreign, scope[:at])
			}
		}
		switch {
		case auth.Kind == contract.AuthFederated:
			registered(o, auth)
		case auth.Proof == contract.ByIdentity:
			o.APIs[i].Trusts = []string{auth.Identity}
		}
	}
}

// Role is the client that the stand-in for Entra takes a function's role on AWS for.
func Role() string { return GUID("identity", "role on aws") }

// trustRole has every registration trust the role too that would trust the
// gateway's identity, or is it: on AWS there is no managed identity.
func trustRole(o *issuer.Options, plan *contract.Plan) {
	own := []string{GUID("identity", contract.GatewayIdentity)}
	for i, api := range plan.APIs {
		if auth := api.Backend.Auth; auth != nil && auth.Identity != "" && !slices.Contains(own, auth.Identity) {
			own = append(own, auth.Identity)
		}
		if len(o.APIs[i].Trusts) > 0 {
			o.APIs[i].Trusts = append(o.APIs[i].Trusts, Role())
		}
	}
	for i := range o.Clients {
		if len(o.Clients[i].Trusts) > 0 {
			o.Clients[i].Trusts = append(o.Clients[i].Trusts, Role())
		}
	}
	for _, id := range own {
		o.Clients = append(o.Clients, issuer.Client{Name: "gateway-" + id, ID: id, Trusts: []string{Role()}})
	}
	o.Foreign = append(o.Foreign, storage, vaults)
}

// What the gateway asks tokens for besides backends.
const (
	storage = "https://storage.azure.com"
	vaults  = "https://vault.azure.net"
)

// registered is the registration that trusts the gateway's identity, in its tenant.
func registered(o *issuer.Options, auth *contract.PlannedAuth) {
	tenant := strings.TrimSuffix(auth.Endpoint, "/oauth2/v2.0/token")
	tenant = tenant[strings.LastIndexByte(tenant, '/')+1:]
	if !slices.Contains(o.Tenants, tenant) {
		o.Tenants = append(o.Tenants, tenant)
	}
	if at := slices.IndexFunc(o.Clients, func(c issuer.Client) bool { return c.ID == auth.ClientID }); at >= 0 {
		o.Clients[at].Trusts = append(o.Clients[at].Trusts, auth.Identity)
		return
	}
	o.Clients = append(o.Clients, issuer.Client{Name: "gateway-" + auth.ClientID, ID: auth.ClientID, Trusts: []string{auth.Identity}})
}
