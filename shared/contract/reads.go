package contract

import (
	"slices"
	"strconv"
)

func itoa(i int) string { return strconv.Itoa(i) }

// reads notes of each API which claims its rules read: its events hold those.
func (p *Plan) reads() {
	for i := range p.APIs {
		api := &p.APIs[i]
		api.Reads = api.reads(p)
		slices.Sort(api.Reads)
		api.Reads = slices.Compact(api.Reads)
	}
}

func (a *PlannedAPI) reads(p *Plan) (names []string) {
	for _, h := range p.Forward {
		names = append(names, h.Claims...)
	}
	for _, r := range a.Require {
		names = append(names, r.Claim)
	}
	names = append(names, a.Callers.reads()...)
	entra := slices.ContainsFunc(a.Accepts, func(acc Accepted) bool { return acc.Issuer.Profile == ProfileEntra })
	oauth := slices.ContainsFunc(a.Accepts, func(acc Accepted) bool { return acc.Issuer.Profile != ProfileEntra })
	for _, op := range a.Operations {
		if op.Allow != nil {
			names = append(names, op.Allow.reads(entra, oauth)...)
		}
		if op.StepUp != "" {
			names = append(names, "acrs")
		}
		names = append(names, counted(op.Limits)...)
	}
	for _, product := range p.Products {
		if !slices.Contains(a.Products, product.Name) {
			continue
		}
		names = append(names, counted(product.Limits)...)
		if product.BindClient {
			names = append(names, "azp", "appid", "client_id")
		}
		if product.BindTenant {
			names = append(names, "tid")
		}
	}
	return names
}

func (c Callers) reads() (names []string) {
	if c.Clients != nil {
		names = append(names, "azp", "appid", "client_id")
	}
	strong := c.Certificate
	for _, listed := range c.Clients {
		strong = strong || listed.Strong
	}
	if strong {
		names = append(names, "azpacr", "appidacr")
	}
	if c.MembersOnly {
		names = append(names, "acct")
	}
	return names
}

func (a *Allow) reads(entra, oauth bool) (names []string) {
	if len(a.Roles)+len(a.UserRoles) > 0 {
		names = append(names, "roles")
	}
	if len(a.Scopes) > 0 && entra {
		names = append(names, "scp")
	}
	if len(a.Scopes) > 0 && oauth {
		names = append(names, "scope")
	}
	return names
}

func counted(limits []PlannedLimit) (names []string) {
	for _, l := range limits {
		for _, part := range l.By {
			if part.Kind == PerClaim {
				names = append(names, part.Names...)
			}
		}
	}
	return names
}
