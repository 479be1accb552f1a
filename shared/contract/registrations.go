package contract

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Registrations is what the identity plane of one environment is made of: what
// Entra is told, so that the tokens which the gateway asks for can be had. It
// needs no client id: the first deployment makes those.
type Registrations struct {
	Gateway     string // its name
	Environment string
	Tenant      string // in lower case
	Cloud       string // global, usgov or china
	APIs        []Registration
	Clients     []ClientRegistration
	Contexts    []RegisteredContext // by number
	BreakGlass  string              // object id of the group that no policy shuts out; "" for none
}

// Who may hold a role.
const (
	MemberApplication = "Application"
	MemberUser        = "User"
)

// Registration is the one of an API. Lists are sorted, but for Scopes and Roles, which are as the contract has them.
type Registration struct {
	Name, DisplayName, Description string
	Audience                       string   // its Application ID URI
	ClientID                       string   // "" where the environment binds none yet
	Owners                         []string // object ids
	TokenVersion                   int      // 1 or 2
	MultiTenant                    bool     // other tenants' tokens are accepted
	Scopes                         []Scope
	Roles                          []RegisteredRole
	Groups                         []string // object ids, assigned without a role
	AssignmentRequired             bool
	OptionalClaims                 []string   // of access tokens
	GroupClaims                    bool       // groups that are assigned to it, in groups
	Gateway                        *Federated // the gateway's managed identity proves it (onBehalfOf by federation); its object id, the subject, isn't known here
	OwnKeys                        bool       // Entra signs with keys of its own
	Lifetime                       time.Duration
	File                           string // its contract
	Line                           int
}

// RegisteredRole is an app role.
type RegisteredRole struct {
	Name, Description string
	Members           []string // MemberApplication, MemberUser
	Groups            []string // object ids
}

// ClientRegistration is the one of a client.
type ClientRegistration struct {
	Name, DisplayName, Description string
	ClientID                       string // "" where the environment binds none yet
	Owners                         []string
	Kind                           string               // of its credential
	Federated                      map[string]Federated // by platform
	Certificates                   []RegisteredCertificate
	Redirects                      RedirectURIs
	Uses                           []RegisteredUse // by API
	File                           string
	Line                           int
}

// RegisteredCertificate is the public part that a client is known by.
type RegisteredCertificate struct {
	Fingerprint string // the first 16 digits of its SHA-256
	PEM         string
	Ends        time.Time
}

// RegisteredUse is what a client is given of an API.
type RegisteredUse struct {
	API           string
	Scopes, Roles []string
	AdminConsent  []string // scopes that an administrator consents to for everybody
	Preauthorized []string // scopes that nobody is asked for
}

// RegisteredContext is an authentication context.
type RegisteredContext struct {
	ID string
	AuthenticationContext
}

// Outdated warns of clients' certificates that have expired or will within 30 days.
func (r *Registrations) Outdated(now time.Time) (out Faults) {
	for _, c := range r.Clients {
		for _, cert := range c.Certificates {
			when := "expired"
			if now.Before(cert.Ends) {
				when = "expires"
			}
			if now.Add(30 * 24 * time.Hour).After(cert.Ends) {
				out = append(out, Fault{
					File: c.File, Line: c.Line, Column: 1, Width: 1, Warning: true,
					Message: fmt.Sprintf("in %s, the certificate %s of %q %s on %s; add its successor under credentials:", r.Environment, cert.Fingerprint, c.Name, when, cert.Ends.UTC().Format(time.DateOnly)),
				})
			}
		}
	}
	return out
}

// BindsIdentity tells whether an environment says anything that only registrations are made from.
func (e *Estate) BindsIdentity(name string) bool {
	env := e.environments[name]
	return env != nil && len(env.Groups)+len(env.Owners)+len(env.Credentials)+len(env.RedirectURIs) > 0
}

// Registrations binds the estate to one environment, as far as Entra is concerned, and reports all faults of that.
func (e *Estate) Registrations(name string) (*Registrations, Faults) {
	env, ok := e.environments[name]
	if !ok {
		return nil, Faults{{File: "environments", Message: fmt.Sprintf("there is no environment %q%s", name, suggest(name, e.Environments()))}}
	}
	plan, used := e.draft(name)
	var faults Faults
	b := &binder{estate: e, env: env, used: used}
	b.envDoc = b.view(env.doc, &faults)
	r := &Registrations{Gateway: e.Gateway.Name, Environment: name, Tenant: strings.ToLower(env.Tenant), Cloud: env.Cloud, BreakGlass: env.Groups[BreakGlass]}
	for i := range e.APIs {
		if a := &e.APIs[i]; a.registered() {
			r.APIs = append(r.APIs, b.registration(b.view(e.apis[i], &faults), a, &plan.APIs[i]))
		}
	}
	for i := range e.Clients {
		r.Clients = append(r.Clients, b.clientRegistration(b.view(e.clients[i], &faults), &e.Clients[i]))
	}
	r.Contexts = e.contexts()
	b.checkEnvironment()
	b.checkNeighbours(&faults)
	r.sort()
	faults = faults.sorted()
	if len(faults.Errors()) > 0 {
		return nil, faults
	}
	return r, faults
}

// draft is the plan as it will be once every registration exists: client ids that
// aren't bound yet are made up, and what else is missing is the plan's own matter.
func (e *Estate) draft(name string) (*Plan, map[string]bool) {
	env := *e.environments[name]
	env.ClientID, env.Client = madeUp(env.ClientID, e.apiNames(), 0), madeUp(env.Client, e.clientNames(), 1)
	var ignored Faults
	b := &binder{estate: e, env: &env, used: map[string]bool{}}
	b.envDoc = b.view(env.doc, &ignored)
	return b.plan(name, &ignored), b.used
}

func madeUp(bound map[string]string, names []string, kind int) map[string]string {
	out := map[string]string{}
	for i, name := range names {
		out[name] = bound[name]
		if out[name] == "" {
			out[name] = fmt.Sprintf("00000000-0000-4000-800%d-%012x", kind, i)
		}
	}
	return out
}

func (e *Estate) clientNames() (names []string) {
	for _, c := range e.Clients {
		names = append(names, c.Name)
	}
	return names
}

// registered: an API whose tokens come from Entra, if it takes any.
func (a *API) registered() bool {
	return slices.Contains(a.Issuers, Entra) && (a.protected() || len(a.Scopes)+len(a.Roles) > 0)
}

func (e *Estate) contexts() (out []RegisteredContext) {
	for _, id := range sortedKeys(e.Gateway.AuthenticationContexts) {
		out = append(out, RegisteredContext{id, e.Gateway.AuthenticationContexts[id]})
	}
	return out
}

// sort: by name; contexts by number, c2 before c10.
func (r *Registrations) sort() {
	slices.SortFunc(r.APIs, func(a, b Registration) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Clients, func(a, b ClientRegistration) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Contexts, func(a, b RegisteredContext) int {
		if len(a.ID) != len(b.ID) {
			return len(a.ID) - len(b.ID)
		}
		return strings.Compare(a.ID, b.ID)
	})
}

func registeredCertificate(text string, cert *x509.Certificate) RegisteredCertificate {
	return RegisteredCertificate{Fingerprint: fingerprint(cert), PEM: strings.TrimSpace(text) + "\n", Ends: cert.NotAfter}
}
