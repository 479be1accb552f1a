package guard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tollgate/infra/planned"
)

// audiences: two registrations whose identifier URIs are one to whoever compares
// them loosely. Those of before count too: what is taken over while the other still
// has it, or while tokens for the other are still good, is shared for that time.
func (g *guard) audiences() {
	owner := map[string]string{}
	for i := range g.all {
		owner[g.all[i].Address] = g.all[i].Owner()
		if m := g.all[i].In("entra-api"); m == nil && g.all[i].Type == "azuread_application_identifier_uri" {
			owner[g.all[i].Address] = g.all[i].Address
		}
	}
	will, was := planned.Audiences(g.all, false), planned.Audiences(g.all, true)
	for _, address := range slices.Sorted(maps.Keys(will)) {
		for _, uri := range will[address] {
			g.sharedWith(address, uri, owner, will, false)
			if !slices.Contains(was[address], uri) {
				g.sharedWith(address, uri, owner, lost(was, will), true)
			}
		}
	}
}

// lost is what was and won't be.
func lost(was, will map[string][]string) map[string][]string {
	out := map[string][]string{}
	for address, uris := range was {
		for _, uri := range uris {
			if !slices.Contains(will[address], uri) {
				out[address] = append(out[address], uri)
			}
		}
	}
	return out
}

func (g *guard) sharedWith(address, uri string, owner map[string]string, others map[string][]string, before bool) {
	for _, other := range slices.Sorted(maps.Keys(others)) {
		// Of a pair that both will have it, one is told.
		if owner[other] == owner[address] && (before || g.oneRegistration(other, address)) || !before && other < address {
			continue
		}
		for _, o := range others[other] {
			if planned.SameAudience(o) != planned.SameAudience(uri) {
				continue
			}
			if before {
				g.find(SharedAudience, address, uri, "Take it from there in a plan of its own, wait until tokens for it have ended (an hour), and only then give it to another.",
					"%s would get the audience %s, which %s has until this plan is applied: tokens issued for one would be good at the other.", owner[address], uri, owner[other])
				continue
			}
			g.find(SharedAudience, address, uri, "Give each API an audience of its own, such as api://${tenant}/NAME.",
				"%s (%s) and %s (%s) would share an audience: a token for one would be good at the other.", owner[address], uri, owner[other], o)
		}
	}
}

// oneRegistration tells whether both resources are parts of one registration: in one place, and not two registrations.
func (g *guard) oneRegistration(a, b string) bool {
	if a == b {
		return true
	}
	find := func(address string) *planned.Change {
		return &g.all[slices.IndexFunc(g.all, func(c planned.Change) bool { return c.Address == address })] // it is one of them
	}
	one, other := find(a), find(b)
	return slices.Equal(one.Modules, other.Modules) && one.Type != other.Type
}

// used: what goes or is disabled must not be what somebody still uses.
func (g *guard) used() {
	will := planned.Permissions(g.all, false)
	grants := planned.Grants(g.all, false)
	for _, p := range planned.Permissions(g.all, true) {
		if !p.Enabled {
			continue
		}
		// Clients ask for it, and tokens tell it, by its name; it is granted by its id.
		stays := slices.IndexFunc(will, func(o planned.Permission) bool {
			return o.Kind == p.Kind && o.ID == p.ID && o.Name == p.Name && o.API == p.API && o.Enabled
		})
		users := g.usersOf(p, grants)
		if stays >= 0 {
			users = users.without(p.Members, will[stays].Members)
		}
		if len(users.names()) == 0 {
			continue
		}
		rule := RoleInUse
		if p.Kind == planned.Scope {
			rule = ScopeInUse
		}
		g.find(rule, p.Address, p.Name, fmt.Sprintf("Take the %s from those who use it first, in contracts and in Entra, then drop it.", p.Kind),
			"%s: the %s %s would go for %s, who still use it.", p.API, p.Kind, p.Name, strings.Join(users.names(), ", "))
	}
}

// users are those who use a permission: by name, and whether they are clients.
type users map[string]bool

func (u users) names() []string { return slices.Sorted(maps.Keys(u)) }

// without are those who lose a role that stays, because only others may still hold it.
func (u users) without(was, will []string) users {
	out := users{}
	for name, client := range u {
		member := "User"
		if client {
			member = "Application"
		}
		if slices.Contains(was, member) && !slices.Contains(will, member) {
			out[name] = client
		}
	}
	return out
}

// usersOf are those who by contract or by plan still use it.
func (g *guard) usersOf(p planned.Permission, grants []planned.Grant) users {
	out := users{}
	for _, u := range g.facts.Uses {
		names := u.Roles
		if p.Kind == planned.Scope {
			names = u.Scopes
		}
		if u.API == p.API && slices.Contains(names, p.Name) {
			out[u.Client] = true
		}
	}
	for _, gr := range grants {
		if gr.ID == "" || gr.ID != p.ID {
			continue
		}
		if gr.Client != "" {
			out[gr.Client] = true
		} else {
			out[gr.Address] = false
		}
	}
	return out
}
