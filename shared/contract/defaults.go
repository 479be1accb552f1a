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
	// Entra is the name by which an API accepts tokens of the environment's tenant.
	Entra = "entra"
)

func (e *Estate) setDefaults() {
	g := &e.Gateway
	if g.Identity.TokenVersions == nil {
		g.Identity.TokenVersions = []string{"v2"}
	}
	if g.Identity.ClockSkew == 0 {
		g.Identity.ClockSkew = Duration(DefaultClockSkew)
	}
	if g.Identity.Algorithms == nil {
		g.Identity.Algorithms = []string{"RS256"}
	}
	if g.MaxBody == 0 {
		g.MaxBody = DefaultMaxBody
	}
	for i := range e.APIs {
		a := &e.APIs[i]
		if a.Issuers == nil {
			a.Issuers = []string{Entra}
		}
		if a.Backend.Timeout == 0 {
			a.Backend.Timeout = Duration(DefaultTimeout)
		}
		if a.MaxBody == 0 {
			a.MaxBody = g.MaxBody
		}
	}
	for _, env := range e.environments {
		if env.Cloud == "" {
			env.Cloud = "global"
		}
	}
}

// protected tells whether any operation asks for a token.
func (a *API) protected() bool {
	return slices.ContainsFunc(a.Operations, func(o Operation) bool { return o.Allow != nil })
}
