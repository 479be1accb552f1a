// Package variables turns the contracts, bound to one environment, into the
// variables of the Terraform modules: what infra/environments/ENVIRONMENT reads
// as contracts.auto.tfvars.json. Nothing here is a secret, and nothing depends on
// anything but the contracts, so the same contracts give the same bytes.
package variables

import (
	"bytes"
	"encoding/json"
	"time"

	"tollgate/shared/contract"
)

// Variables are those that come from the contracts. The tags are the names in Terraform.
type Variables struct {
	Gateway     Gateway           `json:"gateway"`
	Environment string            `json:"environment"`
	TenantID    string            `json:"tenant_id"`
	APIs        map[string]API    `json:"apis"`    // by name
	Clients     map[string]Client `json:"clients"` // by name
}

// Gateway is what Terraform is told of the gateway's contract.
type Gateway struct {
	Name          string           `json:"name"`
	ClientAddress string           `json:"client_address"` // its source, "" where there is none
	Grants        []contract.Grant `json:"grants"`         // of clients the names
}

// API is what modules/entra-api makes a registration from.
type API struct {
	IdentifierURI      string           `json:"identifier_uri"`
	DisplayName        string           `json:"display_name"`
	Description        string           `json:"description"`
	Owners             []string         `json:"owners"`
	TokenVersion       int              `json:"token_version"`
	SignInAudience     string           `json:"sign_in_audience"`
	Scopes             map[string]Scope `json:"scopes"`
	Roles              map[string]Role  `json:"roles"`
	Groups             []string         `json:"groups"`
	AssignmentRequired bool             `json:"assignment_required"`
	OptionalClaims     []string         `json:"optional_claims"`
	GroupClaims        bool             `json:"group_claims"`
	// Federated has "gateway" where the gateway's managed identity is the registration's
	// credential; the subject, its object id, is for Terraform to fill in.
	Federated map[string]Federated `json:"federated"`
}

// Scope is a delegated permission.
type Scope struct {
	Consent     string `json:"consent"`
	Description string `json:"description"`
}

// Role is an app role.
type Role struct {
	Description string   `json:"description"`
	Members     []string `json:"members"`
	Groups      []string `json:"groups"`
}

// Client is what modules/entra-client makes a registration from.
type Client struct {
	DisplayName  string                 `json:"display_name"`
	Description  string                 `json:"description"`
	Owners       []string               `json:"owners"`
	Kind         string                 `json:"kind"`
	Certificates map[string]Certificate `json:"certificates"` // by fingerprint
	Federated    map[string]Federated   `json:"federated"`    // by platform
	RedirectURIs RedirectURIs           `json:"redirect_uris"`
	Uses         map[string]Use         `json:"uses"` // by API
}

// Certificate is the public part of one.
type Certificate struct {
	PEM     string `json:"pem"`
	EndDate string `json:"end_date"` // RFC 3339: its own end
}

// Federated is another platform's identity.
type Federated struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	Audience string `json:"audience"`
}

// RedirectURIs are by platform.
type RedirectURIs struct {
	SPA    []string `json:"spa"`
	Web    []string `json:"web"`
	Public []string `json:"public"`
}

// Use is what a client is given of an API.
type Use struct {
	Scopes        []string `json:"scopes"`
	Roles         []string `json:"roles"`
	AdminConsent  []string `json:"admin_consent"`
	Preauthorized []string `json:"preauthorized"`
}

// Of are the variables of an environment. Warnings stay with the contracts; an error holds every fault.
func Of(estate *contract.Estate, environment string) (*Variables, error) {
	r, faults := estate.Registrations(environment)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	g := Gateway{r.Gateway, estate.Gateway.ClientAddress.Source, estate.Grants()}
	v := &Variables{Gateway: g, Environment: environment, TenantID: r.Tenant, APIs: map[string]API{}, Clients: map[string]Client{}}
	for _, a := range r.APIs {
		v.APIs[a.Name] = apiOf(a)
	}
	for _, c := range r.Clients {
		v.Clients[c.Name] = clientOf(c)
	}
	return v, nil
}

func apiOf(a contract.Registration) API {
	out := API{
		IdentifierURI: a.Audience, DisplayName: a.DisplayName, Description: a.Description, Owners: list(a.Owners),
		TokenVersion: a.TokenVersion, SignInAudience: "AzureADMyOrg", Scopes: map[string]Scope{}, Roles: map[string]Role{},
		Groups: list(a.Groups), AssignmentRequired: a.AssignmentRequired, OptionalClaims: list(a.OptionalClaims),
		GroupClaims: a.GroupClaims, Federated: map[string]Federated{},
	}
	if g := a.Gateway; g != nil {
		out.Federated["gateway"] = Federated{g.Issuer, g.Subject, g.Audience}
	}
	if a.MultiTenant {
		out.SignInAudience = "AzureADMultipleOrgs"
	}
	for _, s := range a.Scopes {
		out.Scopes[s.Name] = Scope{s.Consent, s.Description}
	}
	for _, r := range a.Roles {
		out.Roles[r.Name] = Role{r.Description, list(r.Members), list(r.Groups)}
	}
	return out
}

func clientOf(c contract.ClientRegistration) Client {
	out := Client{
		DisplayName: c.DisplayName, Description: c.Description, Owners: list(c.Owners), Kind: c.Kind,
		Certificates: map[string]Certificate{}, Federated: map[string]Federated{}, Uses: map[string]Use{},
		RedirectURIs: RedirectURIs{list(c.Redirects.SPA), list(c.Redirects.Web), list(c.Redirects.Public)},
	}
	for _, cert := range c.Certificates {
		out.Certificates[cert.Fingerprint] = Certificate{cert.PEM, cert.Ends.UTC().Format(time.RFC3339)}
	}
	for platform, f := range c.Federated {
		out.Federated[platform] = Federated{f.Issuer, f.Subject, f.Audience}
	}
	for _, u := range c.Uses {
		out.Uses[u.API] = Use{list(u.Scopes), list(u.Roles), list(u.AdminConsent), list(u.Preauthorized)}
	}
	return out
}

// list is [] rather than null: the modules' variables are not nullable.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// File is the text of contracts.auto.tfvars.json.
func (v *Variables) File() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
