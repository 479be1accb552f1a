package main

import (
	"slices"
	"strings"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// use is one thing that a contract grants, and that calls may use.
type use struct{ kind, api, name, client string }

// The kinds of a use.
const (
	useOperation  = "operation"
	useScope      = "scope"
	useRole       = "role"
	useClient     = "client"
	useClientsOwn = "client's permission"
	useProduct    = "product"
	useKey        = "subscription"
)

// maxKeys bounds the subscriptions that are kept in mind; everything else is
// bounded by the contracts.
const maxKeys = 1 << 17

// uses is when each thing of the contracts was last used by a granted call.
type uses struct {
	plan   *contract.Plan
	allows map[[2]string]*contract.Allow
	known  map[string]contract.PlannedClient
	last   map[use]time.Time
	hidden map[string]bool // what some events kept out, or hold as a pseudonym
	keys   int
	cut    bool // some event's claims are not whole
}

func usesBy(plan *contract.Plan) *uses {
	u := &uses{
		plan: plan, allows: map[[2]string]*contract.Allow{},
		known: namesOf(plan).clients, last: map[use]time.Time{}, hidden: map[string]bool{},
	}
	for i := range plan.APIs {
		api := &plan.APIs[i]
		for _, op := range api.Operations {
			u.allows[[2]string{api.Name, op.ID}] = op.Allow
		}
	}
	return u
}

// add counts what a call used. Only a granted call uses what let it in.
func (u *uses) add(e *audit.Event) {
	for _, name := range slices.Concat(e.Omitted, e.Pseudonyms) {
		if len(u.hidden) < maxHidden {
			u.hidden[name] = true
		}
	}
	if e.Verdict != audit.Granted {
		return
	}
	at := e.Time
	allow, declared := u.allows[[2]string{e.API, e.Operation}]
	if declared {
		u.used(use{useOperation, e.API, e.Operation, ""}, at)
	}
	if _, known := u.known[e.App]; known {
		u.used(use{useClient, "", "", e.App}, at)
	}
	if e.Product != "" && slices.ContainsFunc(u.plan.Products, func(p contract.PlannedProduct) bool { return p.Name == e.Product }) {
		u.used(use{useProduct, "", e.Product, ""}, at)
	}
	if e.Subscription != "" {
		key := use{useKey, "", e.Subscription, ""}
		if _, known := u.last[key]; known || u.keys < maxKeys {
			if !known {
				u.keys++
			}
			u.used(key, at)
		}
	}
	if allow != nil {
		u.permissions(e, allow)
	}
}

const maxHidden = 256

// permissions are those of the token that the operation asks for: any other that
// the token held was not what let the call in.
func (u *uses) permissions(e *audit.Event, allow *contract.Allow) {
	scopes, roles := []string(nil), allow.Roles
	if e.Principal == "user" {
		scopes, roles = allow.Scopes, allow.UserRoles
	}
	for _, c := range e.Claims {
		u.cut = u.cut || slices.ContainsFunc(c.Values, func(v string) bool { return strings.HasSuffix(v, "…") })
		switch c.Name {
		case "scp", "scope":
			u.held(e, useScope, strings.Fields(strings.Join(c.Values, " ")), scopes)
		case "roles":
			u.held(e, useRole, c.Values, roles)
		}
	}
}

func (u *uses) held(e *audit.Event, kind string, held, asked []string) {
	for _, name := range asked {
		if !slices.Contains(held, name) {
			continue
		}
		u.used(use{kind, e.API, name, ""}, e.Time)
		if _, known := u.known[e.App]; known {
			u.used(use{useClientsOwn, e.API, kind + " " + name, e.App}, e.Time)
		}
	}
}

func (u *uses) used(what use, at time.Time) {
	if at.After(u.last[what]) {
		u.last[what] = at
	}
}

func (u *uses) wasUsed(what use) bool { return !u.last[what].IsZero() }

// blind is why nothing can be said of a kind, "" if something can.
func (u *uses) blind(kind string) string {
	for _, h := range map[string][]string{
		useScope: {"claim:scp", "claim:scope"}, useRole: {"claim:roles"}, useClient: {"client"},
		useClientsOwn: {"client", "claim:scp", "claim:roles"}, useKey: {"subscription"}, useProduct: {"product"},
	}[kind] {
		if u.hidden[h] {
			return h
		}
	}
	return ""
}
