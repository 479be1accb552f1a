package contract

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The words of assignment.
const (
	AssignmentRequired = "required"
	AssignmentOpen     = "open"
)

// BreakGlass is the name, under an environment's groups, of the accounts that conditional access never shuts out.
const BreakGlass = "breakGlass"

// Bounds of tokenLifetime (entra-docs configurable-token-lifetimes.md), and how
// far before the moment of issue Entra dates iat: its own samples have an exp of iat plus 65 minutes for an hour.
const (
	minTokenLifetime = 10 * time.Minute
	maxTokenLifetime = 24 * time.Hour
	entraBackdating  = 5 * time.Minute
)

// checkIdentity checks what only Entra enforces: what registrations and policies are made from.
func (e *Estate) checkIdentity() {
	used := map[string]bool{}
	for i := range e.APIs {
		c := &apiCheck{document: e.apis[i], api: &e.APIs[i], gateway: &e.Gateway}
		c.checkTokenLifetime()
		c.checkGroups()
		c.checkContexts(used)
	}
	d := e.gateway
	for _, id := range sortedKeys(e.Gateway.AuthenticationContexts) {
		at := "authenticationContexts." + id
		if every := time.Duration(e.Gateway.AuthenticationContexts[id].Every); every != 0 && !frequency(every) {
			d.fault(at+".every", "%s is neither whole hours up to 23h nor whole days up to 8760h", every)
		}
		if !used[id] {
			d.warn(at+"#", "no operation says stepUp: %s", id)
		}
	}
}

// frequency: Graph's signInFrequency counts in hours or in days.
func frequency(d time.Duration) bool {
	const day = 24 * time.Hour
	return d%time.Hour == 0 && d > 0 && d < day || d%day == 0 && d > 0 && d <= 365*day
}

func (c *apiCheck) checkTokenLifetime() {
	life, most := time.Duration(c.api.TokenLifetime), time.Duration(c.gateway.Identity.MaxLifetime)
	switch {
	case life == 0:
	case !slices.Contains(c.api.Issuers, Entra):
		c.fault("tokenLifetime", "is about Entra's tokens, which this API doesn't accept")
	case life < minTokenLifetime || life > maxTokenLifetime:
		c.fault("tokenLifetime", "%s is not from 10m to 24h", life)
	case life%time.Second != 0:
		c.fault("tokenLifetime", "%s is not whole seconds", life)
	case most > 0 && life+entraBackdating > most:
		c.fault("tokenLifetime", "Entra dates tokens back by 5m, so they would live for %s, and the gateway's maxLifetime refuses those over %s; make one of them fit", life+entraBackdating, most)
	}
}

// checkGroups: groups hold users. What a group is given to must be for users too.
func (c *apiCheck) checkGroups() {
	if len(c.api.Groups) > 0 && c.api.Principals == "applications" {
		c.fault("groups", "groups hold users, and principals: applications lets none in")
	}
	for i := range c.api.Roles {
		r, at := &c.api.Roles[i], fmt.Sprintf("roles.%d.groups", i)
		if len(r.Groups) > 0 && !slices.Contains(c.api.members(r.Name), MemberUser) {
			c.fault(at, "groups hold users, and no operation lets users in by the role %q: name it under userRoles, or remove the groups", r.Name)
		}
	}
}

func (c *apiCheck) checkContexts(used map[string]bool) {
	known := sortedKeys(c.gateway.AuthenticationContexts)
	for i, op := range c.api.Operations {
		used[op.StepUp] = true
		if op.StepUp != "" && len(known) > 0 && !slices.Contains(known, op.StepUp) {
			c.fault(operationAt(i)+".stepUp", "the gateway's authenticationContexts have no %s%s", op.StepUp, suggest(op.StepUp, known))
		}
	}
}

func checkPreauthorized(d *document, at string, u *Use) {
	switch {
	case u.Preauthorized == nil:
	case !*u.Preauthorized:
		d.fault(at+".preauthorized", "false says nothing; remove the line")
	case len(u.Scopes) == 0:
		d.fault(at+".preauthorized", "is about consent to scopes, and this use names none")
	}
}

// checkIdentityValues checks what an environment says of Entra: names that contracts have, and ids.
func (b *binder) checkIdentityValues() {
	env, named := b.env, b.estate.groupNames()
	b.checkIDs("groups", "", env.Groups, nil)
	b.checkIDs("owners", "owner", env.Owners, b.estate.owners())
	for _, name := range sortedKeys(env.Groups) {
		if name != BreakGlass && !slices.Contains(named, name) {
			b.envDoc.warn("groups."+name+"#", "no contract names the group %q%s", name, mean(name, named))
		}
	}
	for _, name := range sortedKeys(env.Credentials) {
		if c := b.client("credentials", name); c != nil {
			b.checkCredentials("credentials."+name, c.Credential.Kind, env.Credentials[name])
		}
	}
	b.checkShared()
	for _, name := range sortedKeys(env.RedirectURIs) {
		if c := b.client("redirectURIs", name); c != nil {
			b.checkRedirects("redirectURIs."+name, c, env.RedirectURIs[name])
		}
	}
}

// checkShared: what proves two clients makes each of them the other.
func (b *binder) checkShared() {
	first := map[string]string{}
	for _, name := range sortedKeys(b.env.Credentials) {
		given := b.env.Credentials[name]
		proofs := map[string]string{} // by where they stand
		for at, f := range given.federated(b.env.Cloud) {
			proofs[at] = f.Issuer + " " + f.Subject
		}
		for i, text := range given.Certificates {
			if cert, _ := clientCertificate(string(text)); cert != nil {
				proofs[fmt.Sprintf("certificates.%d", i)] = fingerprint(cert)
			}
		}
		for _, at := range sortedKeys(proofs) {
			if other := first[proofs[at]]; other != "" && other != name {
				b.envDoc.warn("credentials."+name+"."+at, "%q proves itself by the same, so each can get the other's tokens; give each client its own", other)
				continue
			}
			first[proofs[at]] = name
		}
	}
}

// mean is suggest without the whole choice.
func mean(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// client is the contract that a value of the environment is about; nil, and a fault, if there is none.
func (b *binder) client(group, name string) *Client {
	var known []string
	for i := range b.estate.Clients {
		if b.estate.Clients[i].Name == name {
			return &b.estate.Clients[i]
		}
		known = append(known, b.estate.Clients[i].Name)
	}
	b.envDoc.fault(group+"."+name+"#", "there is no client %q%s", name, suggest(name, known))
	return nil
}

// groupNames are the groups that some contract names.
func (e *Estate) groupNames() (names []string) {
	for _, a := range e.APIs {
		names = append(names, a.Groups...)
		for _, r := range a.Roles {
			names = append(names, r.Groups...)
		}
	}
	return names
}

// owners are the texts under owner:.
func (e *Estate) owners() (names []string) {
	for _, a := range e.APIs {
		names = append(names, a.Owner)
	}
	for _, c := range e.Clients {
		names = append(names, c.Owner)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkRedirects: what the provider and Entra refuse, said before either is asked.
func (b *binder) checkRedirects(at string, c *Client, uris []string) {
	for i, uri := range uris {
		where := fmt.Sprintf("%s.%d", at, i)
		if why := unredirectable(uri, c.Credential.Kind); why != "" {
			b.envDoc.fault(where, "%q %s", uri, why)
		}
	}
	if !slices.ContainsFunc(c.Uses, func(u Use) bool { return len(u.Scopes) > 0 }) {
		b.envDoc.warn(at+"#", "%q asks for no scopes, so no user signs in to it", strings.TrimSpace(c.Name))
	}
}
