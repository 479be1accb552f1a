package contract

import (
	"net/url"
	"strings"
)

// authenticate binds how the gateway proves itself to the API's backend.
func (b *binder) authenticate(d *document, a *API, target *url.URL) *PlannedAuth {
	auth := a.Backend.Authenticate
	if auth == nil || len(auth.chosen()) != 1 {
		return nil
	}
	p, at := &PlannedAuth{Kind: auth.chosen()[0], Identity: b.env.Identity[GatewayIdentity]}, "backend.authenticate."
	for where, s := range auth.secrets() {
		p.Secret = b.secret(d, where, s)
	}
	switch p.Kind {
	case AuthManagedIdentity:
		p.Scope = b.scope(d, at+"managedIdentity.resource", auth.ManagedIdentity.Resource)
		if auth.ManagedIdentity.ClientID != "" {
			p.Identity = b.id(d, at+"managedIdentity.clientId", auth.ManagedIdentity.ClientID)
		}
	case AuthFederated:
		p.Scope = b.scope(d, at+"federated.resource", auth.Federated.Resource)
		p.ClientID = b.id(d, at+"federated.clientId", auth.Federated.ClientID)
		p.Endpoint = b.tokenEndpoint(d, at+"federated.tenant", auth.Federated.Tenant)
		b.needsUserAssigned(d, at+"federated", p)
	case AuthCertificate:
		if target != nil && target.Scheme != "https" {
			d.fault("backend.url", "is plain http, where a client certificate can't be shown; use https")
		}
	case AuthHeader:
		p.Header = auth.Header.Name
	case AuthBasic:
		p.Username = auth.Basic.Username
	case AuthOnBehalfOf:
		b.onBehalfOf(d, a, auth.OnBehalfOf, p)
	}
	return p
}

// onBehalfOf: the exchange is made by the API's own registration, for which the user's token was issued.
func (b *binder) onBehalfOf(d *document, a *API, o *ByOnBehalfOf, p *PlannedAuth) {
	at := "backend.authenticate.onBehalfOf"
	p.Scope, p.SignIn, p.ClientID = b.scope(d, at+".resource", o.Resource), b.cloud().signIn, b.env.ClientID[a.Name]
	if len(o.Scopes) > 0 {
		resource := strings.TrimSuffix(p.Scope, "/.default")
		scopes := make([]string, len(o.Scopes))
		for i, s := range o.Scopes {
			scopes[i] = resource + "/" + s
		}
		p.Scope = strings.Join(scopes, " ")
	}
	if p.ClientID == "" {
		d.fault(at, "the API's registration exchanges the token, and %s binds no client id to %q; add it under clientId:", b.env.doc.file, a.Name)
	}
	switch {
	case o.ClientSecret != "":
		p.Proof = BySecret
	case o.Certificate != "":
		p.Proof = ByCertificate
	default:
		p.Proof = ByIdentity
		b.needsUserAssigned(d, at+".federated", p)
	}
}

// needsUserAssigned: Entra takes only user-assigned managed identities as federated credentials.
func (b *binder) needsUserAssigned(d *document, at string, p *PlannedAuth) {
	if p.Identity == "" {
		d.fault(at, "a registration can trust a user-assigned identity only, and %s binds none; add %s under identity:", b.env.doc.file, GatewayIdentity)
	}
}

// reference is how a contract takes a value.
func reference(group, name string) string {
	if group == "vaults" {
		return "${secret:" + name + "/…}"
	}
	return "${" + group + "." + name + "}"
}

func (b *binder) scope(d *document, at string, resource Text) string {
	return strings.TrimSuffix(b.bind(d, at, resource), "/") + "/.default"
}

func (b *binder) id(d *document, at string, t Text) string {
	id := b.bind(d, at, t)
	if id != "" && !guid.MatchString(id) {
		d.fault(at, "%q is not a client id (a GUID)", id)
	}
	return id
}

func (b *binder) tokenEndpoint(d *document, at, tenant string) string {
	id := b.env.Tenant
	if tenant != Home {
		id = b.env.Tenants[tenant]
		b.used["tenants."+tenant] = true
		if id == "" {
			d.fault(at, "%s binds no tenant %q; add it under tenants:", b.env.doc.file, tenant)
		}
	}
	return TokenEndpoint(b.cloud().signIn, id)
}

// TokenEndpoint is where a tenant issues tokens to applications.
func TokenEndpoint(signIn, tenant string) string { return signIn + "/" + tenant + "/oauth2/v2.0/token" }

// secret binds a reference. A malformed one was reported when it was read.
func (b *binder) secret(d *document, at string, s Secret) SecretRef {
	vault, name := s.parts()
	address := b.env.Vaults[vault]
	b.used["vaults."+vault] = true
	if vault != "" && address == "" {
		d.fault(at, "%s binds no vault %q%s", b.env.doc.file, vault, suggest(vault, sortedKeys(b.env.Vaults)))
	}
	return SecretRef{Vault: strings.TrimSuffix(address, "/"), Name: name, Identity: b.env.Identity[GatewayIdentity]}
}

// checkIdentities checks what an environment says of the gateway's own credentials.
func (b *binder) checkIdentities() {
	b.checkIDs("identity", "", b.env.Identity, nil)
	b.used["identity."+GatewayIdentity] = true
	for _, name := range sortedKeys(b.env.Vaults) {
		u := checkURL(b.envDoc, "vaults."+name, b.env.Vaults[name], plainLoopback)
		if u != nil && strings.Trim(u.Path, "/") != "" {
			b.envDoc.fault("vaults."+name, "%q has a path; it is the vault's address alone, such as https://contoso.vault.azure.net", b.env.Vaults[name])
		}
	}
}
