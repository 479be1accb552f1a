package issuer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check finds everything that is wrong with the options, not only the first fault.
func (o Options) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if len(o.Tenants) == 0 {
		fault("at least one tenant is required")
	}
	seen := map[string]bool{}
	for _, tenant := range o.Tenants {
		if !isGUID(tenant) {
			fault("tenant %q is not a GUID", tenant)
		}
		if seen[strings.ToLower(tenant)] {
			fault("tenant %q is listed twice", tenant)
		}
		seen[strings.ToLower(tenant)] = true
	}
	faults = append(faults, checkAPIs(o.APIs)...)
	for at, c := range o.Clients {
		if c.ID == "" {
			fault("client %q has no ID", c.Name)
		}
		if slices.ContainsFunc(o.Clients[:at], func(d Client) bool { return strings.EqualFold(d.ID, c.ID) }) {
			fault("client id %q is registered twice", c.ID)
		}
		faults = append(faults, checkAssignments(o.APIs, c)...)
	}
	return errors.Join(faults...)
}

func checkAPIs(apis []API) []error {
	var faults []error
	for at, a := range apis {
		if a.Name == "" || a.ClientID == "" {
			faults = append(faults, fmt.Errorf("api %q (%s) needs a name and a client id", a.Name, a.AppIDURI))
		}
		for _, b := range apis[:at] {
			if a.Name == b.Name || a.ClientID == b.ClientID || a.AppIDURI != "" && a.AppIDURI == b.AppIDURI {
				faults = append(faults, fmt.Errorf("apis %q and %q share a name, a client id or an app id URI", b.Name, a.Name))
			}
		}
	}
	return faults
}

// checkAssignments holds a client to roles that exist: an administrator can't
// assign any other, and a misspelt one would only show as a refusal much later.
func checkAssignments(apis []API, c Client) []error {
	var faults []error
	for name, roles := range c.Roles {
		at := slices.IndexFunc(apis, func(a API) bool { return a.Name == name })
		if at < 0 {
			faults = append(faults, fmt.Errorf("client %q is assigned roles of the unknown api %q; known: %s", c.Name, name, list(names(apis))))
			continue
		}
		if err := declared("role", apis[at], roles, apis[at].Roles); err != nil {
			faults = append(faults, fmt.Errorf("client %q: %w", c.Name, err))
		}
	}
	return faults
}

// declared reports the words that an API doesn't declare, and those it does.
func declared(kind string, a API, asked, known []string) error {
	var faults []error
	for _, word := range asked {
		if !slices.Contains(known, word) {
			faults = append(faults, fmt.Errorf("%s %q is not declared by api %q; known: %s", kind, word, a.Name, list(known)))
		}
	}
	return errors.Join(faults...)
}

// isGUID accepts the 8-4-4-4-12 form in either case.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for at, c := range []byte(s) {
		if at == 8 || at == 13 || at == 18 || at == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}
