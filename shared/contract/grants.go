package contract

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

func (a *PlannedAPI) grants() (all []Grant) {
	opened := map[[2]string]bool{}
	open := func(op, kind, principal string, names []string) {
		for _, name := range names {
			opened[[2]string{kind, name}] = true
			all = append(all, Grant{kind, a.Name, name, op, principal})
		}
	}
	for _, op := range a.Operations {
		all = append(all, Grant{Kind: GrantOperation, API: a.Name, Name: op.ID})
		if op.Allow == nil {
			continue
		}
		open(op.ID, GrantScope, GrantUser, op.Allow.Scopes)
		open(op.ID, GrantRole, GrantApplication, op.Allow.Roles)
		open(op.ID, GrantRole, GrantUser, op.Allow.UserRoles)
	}
	idle := func(kind string, names []string) {
		for _, name := range names {
			if !opened[[2]string{kind, name}] {
				all = append(all, Grant{Kind: kind, API: a.Name, Name: name})
			}
		}
	}
	idle(GrantScope, a.Scopes)
	idle(GrantRole, a.Roles)
	return all
}
