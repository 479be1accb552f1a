package contract

import (
	"fmt"
	"slices"
)

// checkClients checks each client by itself and against the APIs it uses, and
// the APIs' lists against the clients.
func (e *Estate) checkClients() {
	names := map[string]bool{}
	for i := range e.Clients {
		c, d := &e.Clients[i], e.clients[i]
		if names[c.Name] {
			d.fault("name", "the name %q is taken by another client", c.Name)
		}
		names[c.Name] = true
		checkCredential(d, c.Credential)
		for j := range c.Uses {
			e.checkUse(d, fmt.Sprintf("uses.%d", j), &c.Uses[j])
		}
	}
	for i := range e.APIs {
		e.checkListed(e.apis[i], &e.APIs[i])
	}
}

// The kinds of a client's credential.
const (
	CredentialCertificate = "certificate"
	CredentialFederated   = "federated"
	CredentialSecret      = "secret"
	CredentialNone        = "none"
)

func checkCredential(d *document, c Credential) {
	secret := c.Kind == CredentialSecret
	if secret && (c.Expires == "" || c.Reason == "") {
		d.fault("credential", "a secret needs expires: and reason:; better, use a certificate or a federated credential")
	}
	if !secret && (c.Expires != "" || c.Reason != "") {
		d.fault("credential", "expires: and reason: are for secrets")
	}
}

func (e *Estate) checkUse(d *document, at string, u *Use) {
	i := slices.IndexFunc(e.APIs, func(a API) bool { return a.Name == u.API })
	if i < 0 {
		d.fault(at+".api", "there is no API %q%s", u.API, suggest(u.API, e.apiNames()))
		return
	}
	if len(u.Scopes)+len(u.Roles) == 0 {
		d.fault(at, "names neither scopes nor roles of %q", u.API)
	}
	check := func(what, list string, used, known []string) {
		for j, name := range used {
			if !slices.Contains(known, name) {
				d.fault(fmt.Sprintf("%s.%s.%d", at, list, j), "the API %q declares no %s %q%s", u.API, what, name, suggest(name, known))
			}
		}
	}
	checkPreauthorized(d, at, u)
	check("scope", "scopes", u.Scopes, e.APIs[i].scopeNames())
	check("role", "roles", u.Roles, e.APIs[i].roleNames())
}

// checkListed: an API lists clients that exist and say that they use it.
func (e *Estate) checkListed(d *document, a *API) {
	var known []string
	for _, c := range e.Clients {
		known = append(known, c.Name)
	}
	for i, name := range a.Clients {
		at := fmt.Sprintf("clients.%d", i)
		j := slices.Index(known, name)
		switch {
		case j < 0:
			d.fault(at, "there is no client %q%s", name, suggest(name, known))
		case !slices.ContainsFunc(e.Clients[j].Uses, func(u Use) bool { return u.API == a.Name }):
			d.fault(at, "the client %q doesn't say that it uses %q; add it under uses: in %s", name, a.Name, e.clients[j].file)
		}
	}
}

func (e *Estate) apiNames() (names []string) {
	for _, a := range e.APIs {
		names = append(names, a.Name)
	}
	return names
}

func (a *API) scopeNames() (names []string) {
	for _, s := range a.Scopes {
		names = append(names, s.Name)
	}
	return names
}

func (a *API) roleNames() (names []string) {
	for _, r := range a.Roles {
		names = append(names, r.Name)
	}
	return names
}

// callers binds who may call an API at all.
func (b *binder) callers(d *document, a *API) Callers {
	c := Callers{Principals: a.Principals, Certificate: a.ClientAuth == "certificate", MembersOnly: a.Guests != nil && !*a.Guests}
	for i, name := range a.Clients {
		id := b.env.Client[name]
		b.used["client."+name] = true
		if id == "" {
			d.fault(fmt.Sprintf("clients.%d", i), "%s binds no app id to the client %q; add it under client:", b.env.doc.file, name)
			continue
		}
		if c.Clients == nil {
			c.Clients = map[string]ListedClient{}
		}
		if other, taken := c.Clients[id]; taken {
			d.fault(fmt.Sprintf("clients.%d", i), "in %s, %q and %q have one app id", b.env.doc.file, other.Name, name)
		}
		c.Clients[id] = ListedClient{Name: name, Strong: b.strong(name)}
	}
	return c
}

// strong tells whether the client's contract rules a secret out.
func (b *binder) strong(name string) bool {
	i := slices.IndexFunc(b.estate.Clients, func(c Client) bool { return c.Name == name })
	return i >= 0 && slices.Contains([]string{CredentialCertificate, CredentialFederated}, b.estate.Clients[i].Credential.Kind)
}
