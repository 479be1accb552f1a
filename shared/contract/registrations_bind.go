package contract

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// registration binds one API's.
func (b *binder) registration(d *document, a *API, planned *PlannedAPI) Registration {
	env := b.env.doc.file
	r := Registration{
		Name: a.Name, DisplayName: b.displayName(a.Name), Description: a.Description,
		Audience: b.identifierURI(d, a), ClientID: b.env.ClientID[a.Name], Owners: b.owned(d, a.Owner),
		TokenVersion: 1, MultiTenant: slices.ContainsFunc(a.Tenants, func(t string) bool { return t != Home }),
		Scopes: slices.Clone(a.Scopes), Groups: b.groups(d, "groups", a.Groups), AssignmentRequired: a.Assignment == AssignmentRequired,
		OptionalClaims: b.optionalClaims(a, planned), GroupClaims: slices.Contains(planned.Reads, "groups"),
		OwnKeys: a.SigningKeys == "application", Lifetime: time.Duration(a.TokenLifetime), File: d.file, Line: d.at[""].line,
	}
	if slices.Contains(b.estate.Gateway.Identity.TokenVersions, "v2") {
		r.TokenVersion = 2
	}
	if auth := a.Backend.Authenticate; auth != nil && auth.OnBehalfOf != nil && auth.OnBehalfOf.Federated != nil {
		r.Gateway = &Federated{Issuer: b.cloud().signIn + "/" + strings.ToLower(b.env.Tenant) + "/v2.0", Audience: exchangeAudience(b.env.Cloud)}
	}
	for i, role := range a.Roles {
		if slices.ContainsFunc(a.Scopes, func(s Scope) bool { return s.Name == role.Name }) {
			d.fault(fmt.Sprintf("roles.%d.name", i), "Entra lets a role and a scope of one registration have no name in common; %q is both", role.Name)
		}
		r.Roles = append(r.Roles, RegisteredRole{
			Name: role.Name, Description: role.Description, Members: a.members(role.Name),
			Groups: b.groups(d, fmt.Sprintf("roles.%d.groups", i), role.Groups),
		})
	}
	if !r.AssignmentRequired && len(r.Groups) > 0 && !r.GroupClaims {
		d.warn("groups", "assignment: open lets the whole tenant in, so the groups change nothing; remove one of the two")
	}
	if r.OwnKeys {
		d.warn("signingKeys", "Terraform can't give the registration keys of its own, so in %s somebody must (Graph, servicePrincipal: addTokenSigningCertificate)", env)
	}
	return r
}

func (b *binder) displayName(name string) string {
	file := path.Base(b.env.doc.file)
	return b.estate.Gateway.Name + " " + name + " (" + strings.TrimSuffix(file, path.Ext(file)) + ")"
}

// identifierURI: what Entra makes up when it registers can't be in what it is asked to register.
func (b *binder) identifierURI(d *document, a *API) string {
	if strings.Contains(string(a.Audience), "${clientId."+a.Name+"}") && b.env.ClientID[a.Name] == "" {
		d.fault("audience", "the client id is known only once the API is registered, and %s binds none; name the API by ${tenant}, as in \"api://${tenant}/%s\"", b.env.doc.file, a.Name)
		return ""
	}
	audience := b.bind(d, "audience", a.Audience)
	b.warnAudience(d, a, audience)
	return audience
}

// members: who may hold a role follows from the rules that ask for it. One that no rule asks for may be anyone's.
func (a *API) members(role string) (out []string) {
	var application, user bool
	for _, op := range a.Operations {
		if op.Allow != nil {
			application = application || slices.Contains(op.Allow.Roles, role)
			user = user || slices.Contains(op.Allow.UserRoles, role)
		}
	}
	if !application && !user {
		application, user = true, true
	}
	if application && a.Principals != "users" {
		out = append(out, MemberApplication)
	}
	if user && a.Principals != "applications" {
		out = append(out, MemberUser)
	}
	if len(out) == 0 { // the rule can never be met; Entra wants one all the same
		out = []string{MemberUser}
		if a.Principals == "applications" {
			out = []string{MemberApplication}
		}
	}
	return out
}

// owned are the object ids of an owner.
func (b *binder) owned(d *document, owner string) []string {
	if id := b.env.Owners[owner]; id != "" {
		return []string{strings.ToLower(id)}
	}
	d.warn("owner", "%s binds no object id to %q, so the registration has no owner in Entra; add it under owners:", b.env.doc.file, owner)
	return nil
}

// groups are the object ids of groups.
func (b *binder) groups(d *document, at string, names []string) (ids []string) {
	for i, name := range names {
		id := b.env.Groups[name]
		if id == "" {
			d.fault(fmt.Sprintf("%s.%d", at, i), "%s binds no group %q%s; add its object id under groups:", b.env.doc.file, name, mean(name, sortedKeys(b.env.Groups)))
			continue
		}
		ids = append(ids, strings.ToLower(id))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// clientRegistration binds one client's.
func (b *binder) clientRegistration(d *document, c *Client) ClientRegistration {
	given := b.env.Credentials[c.Name]
	r := ClientRegistration{
		Name: c.Name, DisplayName: b.displayName(c.Name), Description: c.Description, ClientID: b.env.Client[c.Name],
		Owners: b.owned(d, c.Owner), Kind: c.Credential.Kind, Federated: given.federated(b.env.Cloud),
		Redirects: platforms(c.Credential.Kind, b.env.RedirectURIs[c.Name]), File: d.file, Line: d.at[""].line,
	}
	for _, text := range given.Certificates {
		if cert, _ := clientCertificate(string(text)); cert != nil {
			r.Certificates = append(r.Certificates, registeredCertificate(string(text), cert))
		}
	}
	if len(r.Federated)+len(r.Certificates) == 0 && (r.Kind == CredentialFederated || r.Kind == CredentialCertificate) {
		d.warn("credential", "%s has nothing by which %q can prove itself, so it gets no token; add it under credentials:", b.env.doc.file, c.Name)
	}
	for i := range c.Uses {
		if use, ok := b.use(d, fmt.Sprintf("uses.%d", i), &c.Uses[i]); ok {
			r.Uses = append(r.Uses, use)
		}
	}
	slices.SortFunc(r.Uses, func(a, b RegisteredUse) int { return strings.Compare(a.API, b.API) })
	return r
}

// use is what Entra gives a client of one API.
func (b *binder) use(d *document, at string, u *Use) (RegisteredUse, bool) {
	i := slices.IndexFunc(b.estate.APIs, func(a API) bool { return a.Name == u.API })
	if i < 0 || !b.estate.APIs[i].registered() {
		return RegisteredUse{}, false
	}
	a := &b.estate.APIs[i]
	out := RegisteredUse{API: u.API, Scopes: sortedNames(u.Scopes), Roles: sortedNames(u.Roles)}
	for j, role := range u.Roles {
		if !slices.Contains(a.members(role), MemberApplication) {
			d.fault(fmt.Sprintf("%s.roles.%d", at, j), "no operation of %q lets an application in by %q, so Entra can't give it to one; remove it here, or name it under roles: there", u.API, role)
		}
	}
	if u.Preauthorized != nil {
		out.Preauthorized = out.Scopes
		return out, true
	}
	for _, s := range a.Scopes {
		if s.Consent == "admin" && slices.Contains(u.Scopes, s.Name) {
			out.AdminConsent = append(out.AdminConsent, s.Name)
		}
	}
	slices.Sort(out.AdminConsent)
	return out, true
}

func sortedNames(names []string) []string { return slices.Sorted(slices.Values(names)) }

// checkNeighbours: Entra registers an Application ID URI once in a tenant.
func (b *binder) checkNeighbours(faults *Faults) {
	for _, name := range b.estate.Environments() {
		other := b.estate.environments[name]
		if other.doc == b.env.doc || !strings.EqualFold(other.Tenant, b.env.Tenant) {
			continue
		}
		var ignored Faults
		theirs := &binder{estate: b.estate, env: other, used: map[string]bool{}}
		for i := range b.estate.APIs {
			a, d := &b.estate.APIs[i], b.view(b.estate.apis[i], faults)
			mine := b.bind(b.view(d, &ignored), "audience", a.Audience)
			if a.registered() && mine == theirs.bind(b.view(d, &ignored), "audience", a.Audience) {
				d.warn("audience", "%s and %s have one tenant, where Entra registers %q only once; take a tenant for each, or put something of the environment into it", b.env.doc.file, other.doc.file, mine)
			}
		}
	}
}
