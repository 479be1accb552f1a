package contract

import (
	"fmt"
	"slices"
)

// keyRequired and keyOptional are Product.Key's words; keyAnd and keyAlone are Allow.Key's.
const (
	keyRequired = "required"
	keyOptional = "optional"
	keyAnd      = "and"
	keyAlone    = "alone"
)

func (e *Estate) checkProducts() {
	d, optional := e.gateway, map[string]string{}
	for _, name := range sortedKeys(e.Gateway.Products) {
		p, at := e.Gateway.Products[name], "products."+name
		if p.Approval != nil && !*p.Approval {
			d.fault(at+".approval", "false says nothing; remove the line")
		}
		for i, api := range p.APIs {
			where := fmt.Sprintf("%s.apis.%d", at, i)
			if !slices.Contains(e.apiNames(), api) {
				d.fault(where, "there is no API %q%s", api, suggest(api, e.apiNames()))
			}
			if p.Key != keyOptional {
				continue
			}
			if first := optional[api]; first != "" {
				d.fault(where, "%q holds %q too, and both let calls in without a key: no rule says whose limits those have; make one's key required", first, api)
			}
			optional[api] = name
		}
	}
}

// checkAllowKey checks the key that an operation asks for against the token that it asks for.
func (c *apiCheck) checkAllowKey(a *Allow, at string) {
	tokens := len(a.Scopes) + len(a.Roles) + len(a.UserRoles)
	switch {
	case a.Key == keyAnd && tokens == 0:
		c.fault(at+".key", "and means a token as well: say which, by scopes, roles or userRoles; or write key: alone")
	case a.Key == keyAlone && tokens > 0:
		c.fault(at+".key", "alone means a key and no token, so scopes, roles and userRoles are never looked at; remove them, or write key: and")
	case a.Key == keyAlone:
		for _, name := range sortedKeys(c.gateway.Products) {
			if p := c.gateway.Products[name]; len(p.Bind) > 0 && slices.Contains(p.APIs, c.api.Name) {
				c.fault(at+".key", "the product %q binds its keys to a token, and this operation takes none; remove bind: there, or write key: and", name)
			}
		}
	}
}

// token tells whether the operation asks for one.
func (o *Operation) token() bool { return o.Allow != nil && o.Allow.Key != keyAlone }

// products binds the products, and what each operation asks of a key.
func (b *binder) products(p *Plan) {
	g := &b.estate.Gateway
	for _, name := range sortedKeys(g.Products) {
		said := g.Products[name]
		p.Products = append(p.Products, PlannedProduct{
			Name: name, APIs: said.APIs, Optional: said.Key == keyOptional, Approval: said.Approval != nil,
			BindClient: slices.Contains(said.Bind, "client"), BindTenant: slices.Contains(said.Bind, "tenant"),
		})
	}
	names := b.estate.keyNames()
	for i := range p.APIs {
		api, otherwise := &p.APIs[i], KeyUnused
		api.Keys, api.KeyNames = b.estate.keysOf(&b.estate.APIs[i]), names
		for _, product := range p.Products {
			if !slices.Contains(product.APIs, api.Name) {
				continue
			}
			api.Products = append(api.Products, product.Name)
			switch {
			case !product.Optional:
				otherwise = KeyAnd
			case otherwise == KeyUnused:
				otherwise = KeyOptional
			}
		}
		for j := range api.Operations {
			api.Operations[j].Key = demand(api.Operations[j].Allow, otherwise)
		}
	}
}

// demand is what an operation asks of a key. One that says nothing follows the
// products that hold its API.
func demand(a *Allow, otherwise KeyDemand) KeyDemand {
	switch {
	case a == nil:
		return KeyUnused
	case a.Key == keyAnd:
		return KeyAnd
	case a.Key == keyAlone:
		return KeyAlone
	}
	return otherwise
}

// UsesKeys tells whether some operation may be called with a subscription key.
func (e *Estate) UsesKeys() bool {
	return len(e.Gateway.Products) > 0 || slices.ContainsFunc(e.APIs, func(a API) bool {
		return slices.ContainsFunc(a.Operations, func(o Operation) bool { return o.Allow != nil && o.Allow.Key != "" })
	})
}

// NeedsStore tells whether some contract has what must be kept.
func (e *Estate) NeedsStore() bool {
	return e.UsesKeys() || e.Gateway.Revocation != nil || slices.ContainsFunc(e.APIs, func(a API) bool {
		return len(a.Limits) > 0 || slices.ContainsFunc(a.Operations, func(o Operation) bool { return len(o.Limits) > 0 })
	})
}
