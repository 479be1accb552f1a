package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/subscription"
)

// idle is one thing that nobody used, as --json prints it. Its names are kept.
type idle struct {
	Kind  string `json:"kind"` // operation, scope, role, client, client's permission, product or subscription
	Name  string `json:"name"`
	API   string `json:"api,omitempty"`
	Owner string `json:"owner,omitempty"`
	Place string `json:"place,omitempty"` // file:line
	Note  string `json:"note,omitempty"`
}

// ending is a credential that is about to end, or has.
type expiring struct {
	Kind  string    `json:"kind"` // client secret, subscription, or key
	Name  string    `json:"name"`
	Owner string    `json:"owner,omitempty"`
	Ends  time.Time `json:"ends"`
	Over  bool      `json:"over"`
	Place string    `json:"place,omitempty"`
}

// idle are the things of the contracts that no granted call used.
func (u *uses) idle(b book) (out []idle) {
	add := func(what use, one idle, place string) {
		if one.Kind = what.kind; !u.wasUsed(what) && u.blind(what.kind) == "" {
			one.Place = place
			out = append(out, one)
		}
	}
	for _, api := range u.plan.APIs {
		for _, op := range api.Operations {
			add(use{useOperation, api.Name, op.ID, ""}, idle{API: api.Name, Name: op.ID}, b.place(api.Name, "operations."+op.ID))
		}
	}
	for _, api := range u.plan.APIs {
		for i, name := range api.Scopes {
			add(use{useScope, api.Name, name, ""}, idle{API: api.Name, Name: name, Note: opens(&api, name, false)}, b.place(api.Name, fmt.Sprintf("scopes.%d", i)))
		}
		for i, name := range api.Roles {
			add(use{useRole, api.Name, name, ""}, idle{API: api.Name, Name: name, Note: opens(&api, name, true)}, b.place(api.Name, fmt.Sprintf("roles.%d", i)))
		}
	}
	for _, c := range u.plan.Clients {
		u.idleClient(b, &c, add)
	}
	for _, p := range u.plan.Products {
		add(use{useProduct, "", p.Name, ""}, idle{Name: p.Name}, b.place("", "gateway.products."+p.Name))
	}
	return out
}

func (u *uses) idleClient(b book, c *contract.PlannedClient, add func(use, idle, string)) {
	at := func(rule string) string {
		file, line := c.Place(rule)
		return fmt.Sprintf("%s:%d", filepath.Join(b.source, file), line)
	}
	if c.ID == "" {
		return // the environment binds no id: nothing can be told of it
	}
	add(use{useClient, "", "", c.ID}, idle{Name: c.Name, Owner: c.Owner}, at("name"))
	if !u.wasUsed(use{useClient, "", "", c.ID}) {
		return // with the client, all that it may do
	}
	for i, one := range c.Uses {
		own := func(kind string, names []string) {
			for j, name := range names {
				what := kind + " " + name
				add(use{useClientsOwn, one.API, what, c.ID}, idle{API: one.API, Name: c.Name + ": " + what, Owner: c.Owner}, at(fmt.Sprintf("uses.%d.%ss.%d", i, kind, j)))
			}
		}
		own(useScope, one.Scopes)
		own(useRole, one.Roles)
	}
}

// opens says where a permission opens nothing: then nobody can use it.
func opens(api *contract.PlannedAPI, name string, role bool) string {
	for _, op := range api.Operations {
		if op.Allow == nil {
			continue
		}
		for _, list := range [][]string{op.Allow.Scopes, op.Allow.Roles, op.Allow.UserRoles} {
			for _, one := range list {
				if one == name {
					return ""
				}
			}
		}
	}
	return "no operation asks for it"
}

// keys asks the store which subscriptions there are.
func keysOf(ctx context.Context, s *openStore) (all []*subscription.Record, err error) {
	for r, err := range s.office(rand.Reader).List(ctx) {
		if err != nil {
			return nil, err
		}
		if len(all) < maxKeys {
			all = append(all, r)
		}
	}
	return all, nil
}

// idleKeys are the subscriptions that could have been used and were not.
func (u *uses) idleKeys(all []*subscription.Record, now time.Time) (out []idle) {
	for _, r := range all {
		if state := r.At(now); state != subscription.Active && state != subscription.Suspended || u.wasUsed(use{useKey, "", r.ID, ""}) || u.blind(useKey) != "" {
			continue
		}
		out = append(out, idle{Kind: useKey, Name: r.ID, API: r.API, Owner: r.Owner, Note: purpose(r) + ", made " + r.Created.UTC().Format(time.DateOnly)})
	}
	return out
}

// expiringIn are the credentials that end before that time.
func expiringIn(b book, keys []*subscription.Record, now, before time.Time) []expiring {
	out := []expiring{}
	add := func(one expiring) {
		if !one.Ends.IsZero() && one.Ends.Before(before) {
			one.Over = !now.Before(one.Ends)
			out = append(out, one)
		}
	}
	for _, c := range b.plan.Clients {
		last, err := time.Parse(time.DateOnly, c.Credential.Expires)
		if err != nil {
			continue // it has no end
		}
		file, line := c.Place("credential.expires")
		add(expiring{Kind: "client secret", Name: c.Name, Owner: c.Owner, Ends: last.AddDate(0, 0, 1), Place: fmt.Sprintf("%s:%d", filepath.Join(b.source, file), line)})
	}
	for _, r := range keys {
		if r.State == subscription.Cancelled {
			continue
		}
		add(expiring{Kind: useKey, Name: r.ID, Owner: r.Owner, Ends: r.Expires})
		for i, s := range r.Slots {
			if s.Digest != "" {
				add(expiring{Kind: subscription.SlotName(i) + " key", Name: r.ID, Owner: r.Owner, Ends: s.Ends})
			}
		}
	}
	return out
}
