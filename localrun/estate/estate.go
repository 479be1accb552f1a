// Package estate makes a local run out of a folder of contracts: an environment
// bound to stand-ins, and what the stand-in for Entra must know.
package estate

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
)

// Name is the environment that a local run generates for itself.
const Name = "local"

// Client is the stand-in client that holds every role, for the client-credentials flow.
const Client = "local-client"

// Addresses are where the stand-ins listen.
type Addresses struct {
	Gateway string // public URL
	Issuer  string
	Backend string // serves every ${backend.NAME}
	Secure  string // serves those that demand a client certificate; "": Backend, by https
	CA      string // PEM: every private authority that contracts name; "": one that vouches for nobody
	Vault   string // serves every vault; "": one that doesn't exist
	Tables  string // keeps what must be kept; "": one that doesn't exist

	// Client ids of APIs and clients by name, as a directory gave them; those that are missing are made up.
	ClientIDs, Clients map[string]string
}

func (a Addresses) api(name string) string { return cmp.Or(a.ClientIDs[name], GUID("api", name)) }

func (a Addresses) client(name string) string { return cmp.Or(a.Clients[name], GUID("client", name)) }

// Local is a local run, prepared.
type Local struct {
	Dir     string // copy of the contracts with environments/local.yaml in it
	Plan    *contract.Plan
	Options issuer.Options
}

// Prepare copies the contracts of from into dir, adds environments/local.yaml,
// and binds them to it. It reports the faults of the contracts as check does.
func Prepare(from, dir string, a Addresses) (*Local, contract.Faults, error) {
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		return nil, nil, fmt.Errorf("there is no folder of contracts at %s", from)
	}
	source, faults := contract.Load(os.DirFS(from))
	if source == nil {
		return nil, faults, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, nil, fmt.Errorf("clear %s: %w", dir, err)
	}
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		return nil, nil, fmt.Errorf("copy the contracts: %w", err)
	}
	if err := writeEnvironment(dir, source, a); err != nil {
		return nil, nil, err
	}
	bound, faults := contract.Load(os.DirFS(dir))
	if bound == nil {
		return nil, faults, nil
	}
	plan, faults := bound.Plan(Name)
	if plan == nil {
		return nil, faults, nil
	}
	return &Local{Dir: dir, Plan: plan, Options: options(bound, plan, a)}, faults, nil
}

func writeEnvironment(dir string, source *contract.Estate, a Addresses) error {
	text, err := yaml.Dump(environment(source, a))
	if err != nil {
		return fmt.Errorf("write the local environment: %w", err)
	}
	environments := filepath.Join(dir, "environments")
	if err := os.MkdirAll(environments, 0o755); err != nil {
		return err
	}
	header := "# Made by tollgate up; a new one is made at each start.\n"
	return os.WriteFile(filepath.Join(environments, Name+".yaml"), append([]byte(header), text...), 0o644)
}

// environment binds everything that the contracts ask for to a stand-in.
func environment(source *contract.Estate, a Addresses) map[string]any {
	groups := map[string]map[string]string{"backend": {}, "issuer": {}, "clientId": {}, "client": {}, "tenants": {}, "ca": {}}
	for _, c := range source.Clients {
		groups["client"][c.Name] = a.client(c.Name)
	}
	for _, api := range source.APIs {
		groups["clientId"][api.Name] = a.api(api.Name)
		if api.Backend.CA != "" {
			groups["ca"][api.Backend.CA] = cmp.Or(a.CA, authority)
		}
		for _, tenant := range api.Tenants {
			if tenant != contract.Home {
				groups["tenants"][tenant] = GUID("tenant", tenant)
			}
		}
	}
	for _, name := range source.Placeholders() {
		switch group, key, _ := strings.Cut(name, "."); group {
		case "backend":
			groups["backend"][key] = a.backend(source, name)
		case "issuer":
			groups["issuer"][key] = a.Issuer + "/" + GUID("issuer", key) + "/v2.0"
		}
	}
	a.credentials(source, groups)
	env := map[string]any{
		"kind": contract.KindEnvironment, "tenant": Tenant(), "authority": a.Issuer, "publicURL": a.Gateway,
	}
	if source.Gateway.ClientAddress.Source == contract.SourceFrontDoor {
		env["frontDoorId"] = GUID("front-door")
	}
	if slices.ContainsFunc(source.APIs, func(a contract.API) bool { return a.Backend.Assertion != nil }) {
		env["assertionKey"] = map[string]string{"keptIn": contract.KeptInProcess}
	}
	if source.NeedsStore() {
		env["store"] = a.store(source, groups)
	}
	if len(source.Gateway.Audit.Pseudonymise) > 0 {
		groups["vaults"][digestVault] = cmp.Or(a.Vault, "https://vault.invalid")
		env["audit"] = map[string]any{"pseudonymKey": map[string]string{"vault": digestVault, "name": pseudonymSecret}}
	}
	for group, values := range groups {
		if len(values) > 0 {
			env[group] = values
		}
	}
	return env
}

// options are what the stand-in for Entra must know of the plan.
func options(source *contract.Estate, plan *contract.Plan, a Addresses) issuer.Options {
	o := issuer.Options{Tenants: []string{Tenant(), Stranger()}}
	client := issuer.Client{Name: Client, ID: GUID("client", Client), Secret: "local-secret", Roles: map[string][]string{}}
	for _, is := range plan.Issuers {
		tenant := is.Tenant
		if is.Name != contract.Entra {
			tenant = tenantOf(is.Issuer)
		}
		if tenant != "" && !slices.Contains(o.Tenants, tenant) {
			o.Tenants = append(o.Tenants, tenant)
		}
	}
	for _, api := range plan.APIs {
		o.APIs = append(o.APIs, issuer.API{Name: api.Name, AppIDURI: api.Audience, ClientID: api.ClientID, Scopes: api.Scopes, Roles: api.Roles})
		if len(api.Roles) > 0 {
			client.Roles[api.Name] = api.Roles
		}
	}
	o.Clients = append([]issuer.Client{client}, clients(source, a)...)
	trust(&o, plan)
	trustRole(&o, plan)
	return o
}

// clients are the estate's own clients, with the roles that they say they use.
// One with a certificate has no secret, so its tokens say so (azpacr 2).
func clients(source *contract.Estate, a Addresses) []issuer.Client {
	var out []issuer.Client
	for _, c := range source.Clients {
		client := issuer.Client{Name: c.Name, ID: a.client(c.Name), Roles: map[string][]string{}}
		if c.Credential.Kind == "secret" {
			client.Secret = "local-secret"
		}
		for _, u := range c.Uses {
			if len(u.Roles) > 0 {
				client.Roles[u.API] = u.Roles
			}
		}
		out = append(out, client)
	}
	return out
}

// tenantOf is the tenant segment of an issuer that environment made, "" of any other.
func tenantOf(iss string) string {
	parts := strings.Split(strings.TrimSuffix(iss, "/v2.0"), "/")
	if last := parts[len(parts)-1]; len(last) == len(Tenant()) && strings.HasSuffix(iss, "/v2.0") {
		return last
	}
	return ""
}

// Tenant is the local run's own tenant.
func Tenant() string { return GUID("tenant", "home") }

// Stranger is a tenant that the local run's contracts don't trust.
func Stranger() string { return GUID("tenant", "stranger") }

// GUID derives a stable id from words, so that the local run's ids are the same
// after each start.
func GUID(words ...string) string {
	s := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	s[6], s[8] = s[6]&0x0f|0x40, s[8]&0x3f|0x80 // RFC 9562: version 4, variant 10
	return fmt.Sprintf("%x-%x-%x-%x-%x", s[0:4], s[4:6], s[6:8], s[8:10], s[10:16])
}
