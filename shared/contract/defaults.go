package contract

import (
	"slices"
	"time"
)

// Defaults, as the schema states them. A test holds the two equal.
const (
	DefaultClockSkew = 60 * time.Second
	DefaultTimeout   = 30 * time.Second
	DefaultMaxBody   = 10 << 20
	DefaultRefresh   = time.Hour
	DefaultRefetch   = 60 * time.Second
	DefaultMaxStale  = 24 * time.Hour
	DefaultRefused   = 100
	DefaultWindow    = time.Minute
	DefaultErrors    = ErrorsProblem
	// Home is the name of the environment's own tenant.
	Home = "home"
	// Entra is the name by which an API accepts tokens of the environment's tenant.
	Entra = "entra"
)

func (e *Estate) setDefaults() {
	g := &e.Gateway
	g.setDefaults()
	for i := range e.APIs {
		e.APIs[i].setDefaults(g)
	}
	for _, env := range e.environments {
		orElseText(&env.Cloud, "global")
		if env.Store != nil {
			orElse(&env.Store.Try, DefaultTry)
		}
	}
}

func (g *Gateway) setDefaults() {
	if g.Identity.TokenVersions == nil {
		g.Identity.TokenVersions = []string{"v2"}
	}
	orElse(&g.Identity.ClockSkew, DefaultClockSkew)
	if g.Identity.Algorithms == nil {
		g.Identity.Algorithms = []string{"RS256"}
	}
	orElse(&g.Identity.Keys.Refresh, DefaultRefresh)
	orElse(&g.Identity.Keys.Refetch, DefaultRefetch)
	orElse(&g.Identity.Keys.MaxStale, DefaultMaxStale)
	g.setAddressDefaults()
	g.SubscriptionKeys.setDefaults()
	for i := range g.Identity.Issuers {
		orElseText(&g.Identity.Issuers[i].Profile, ProfileOAuth)
	}
	if g.MaxBody == 0 {
		g.MaxBody = DefaultMaxBody
	}
	orElseText(&g.Errors, DefaultErrors)
	orElseText(&g.Audit.Unavailable, OutageRefuse)
	orElseText(&g.Health.Detail, HealthNone)
	for _, product := range g.Products {
		setLimitDefaults(product.Limits) // the slice is the map's own
	}
}

// setDefaults comes after the gateway's: some are its.
func (a *API) setDefaults(g *Gateway) {
	orElseText(&a.Errors, g.Errors)
	if a.Issuers == nil {
		a.Issuers = []string{Entra}
	}
	if a.Tenants == nil {
		a.Tenants = []string{Home}
	}
	orElseText(&a.SigningKeys, "tenant")
	orElseText(&a.Principals, "both")
	orElseText(&a.ClientAuth, "any")
	orElseText(&a.Assignment, AssignmentRequired)
	a.Backend.setDefaults()
	a.Backend.Authenticate.setDefaults()
	if a.Backend.Assertion != nil {
		orElse(&a.Backend.Assertion.Lifetime, DefaultAssertion)
	}
	if a.MaxBody == 0 {
		a.MaxBody = g.MaxBody
	}
	setLimitDefaults(a.Limits)
	for j := range a.Operations {
		setLimitDefaults(a.Operations[j].Limits)
	}
}

func orElse(d *Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = Duration(otherwise)
	}
}

func orElseText(s *string, otherwise string) {
	if *s == "" {
		*s = otherwise
	}
}

// How refusals are written.
const (
	ErrorsProblem = "problem" // RFC 9457
	ErrorsAPIM    = "apim"    // API Management's envelope
)

// protected tells whether any operation asks for a token.
func (a *API) protected() bool {
	return slices.ContainsFunc(a.Operations, func(o Operation) bool { return o.token() })
}
