package contract

import (
	"maps"
	"slices"
)

// Grant is one thing that the contracts grant and calls may use, as a query over
// events is told of it: what no event uses, nobody needs. Its JSON is what stands in
// the query (infra/modules/observability/queries).
type Grant struct {
	Kind      string `json:"kind"`      // one of those below
	API       string `json:"api"`       // "" of a client and a product
	Name      string `json:"name"`      // of a client the id that the environment binds
	Operation string `json:"operation"` // of a scope or a role: one that asks for it, "" where none does
	Principal string `json:"principal"` // and in whose token: GrantUser or GrantApplication
}

// Kinds of a Grant, and whose token an operation asks for a scope or a role.
const (
	GrantOperation   = "operation"
	GrantScope       = "scope"
	GrantRole        = "role"
	GrantClient      = "client"
	GrantProduct     = "product"
	GrantUser        = "user"
	GrantApplication = "application"
)

// Grants are all of them, in the contracts' order. A scope or a role stands there
// once for each operation and principal that it opens, and once if it opens nothing.
// A client without an id in this environment is left out: no event can name it.
func (p *Plan) Grants() (all []Grant) {
	for i := range p.APIs {
		all = append(all, p.APIs[i].grants()...)
	}
	for _, c := range p.Clients {
		if c.ID != "" {
			all = append(all, Grant{Kind: GrantClient, Name: c.ID})
		}
	}
	for _, product := range p.Products {
		all = append(all, Grant{Kind: GrantProduct, Name: product.Name})
	}
	return all
}

// Grants are what the contracts grant whatever the environment, so a client stands
// there by its name: whoever knows its id puts that in its place.
func (e *Estate) Grants() (all []Grant) {
	for i := range e.APIs {
		a := &e.APIs[i]
		g := granted{api: a.Name, opened: map[[2]string]bool{}}
		for j := range a.Operations {
			g.operation(a.Operations[j].ID, a.Operations[j].Allow)
		}
		all = append(all, g.rest(a.scopeNames(), a.roleNames())...)
	}
	for _, c := range e.Clients {
		all = append(all, Grant{Kind: GrantClient, Name: c.Name})
	}
	for _, name := range slices.Sorted(maps.Keys(e.Gateway.Products)) {
		all = append(all, Grant{Kind: GrantProduct, Name: name})
	}
	return all
}

func (a *PlannedAPI) grants() []Grant {
	g := granted{api: a.Name, opened: map[[2]string]bool{}}
	for i := range a.Operations {
		g.operation(a.Operations[i].ID, a.Operations[i].Allow)
	}
	return g.rest(a.Scopes, a.Roles)
}

// granted gathers what one API grants.
type granted struct {
	api    string
	opened map[[2]string]bool // kind and name of what some operation asks for
	all    []Grant
}

func (g *granted) operation(id string, allow *Allow) {
	g.all = append(g.all, Grant{Kind: GrantOperation, API: g.api, Name: id})
	if allow == nil {
		return
	}
	g.open(id, GrantScope, GrantUser, allow.Scopes)
	g.open(id, GrantRole, GrantApplication, allow.Roles)
	g.open(id, GrantRole, GrantUser, allow.UserRoles)
}

func (g *granted) open(op, kind, principal string, names []string) {
	for _, name := range names {
		g.opened[[2]string{kind, name}] = true
		g.all = append(g.all, Grant{kind, g.api, name, op, principal})
	}
}

// rest adds the scopes and roles that nothing asks for.
func (g *granted) rest(scopes, roles []string) []Grant {
	idle := func(kind string, names []string) {
		for _, name := range names {
			if !g.opened[[2]string{kind, name}] {
				g.all = append(g.all, Grant{Kind: kind, API: g.api, Name: name})
			}
		}
	}
	idle(GrantScope, scopes)
	idle(GrantRole, roles)
	return g.all
}
