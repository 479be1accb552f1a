package summary

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tollgate/infra/planned"
)

// identity tells a change of a registration, or of what one may do.
func (r *reader) identity(c *planned.Change) []Line {
	switch c.Type {
	case "azuread_application", "azuread_application_registration":
		return r.registration(c)
	case "azuread_application_app_role", "azuread_application_permission_scope":
		return r.permissions(c)
	case "azuread_app_role_assignment", "azuread_service_principal_delegated_permission_grant":
		return r.granted(c)
	case "azuread_application_pre_authorized":
		if c.Created() {
			return []Line{r.line(c, "its users aren't asked for consent to %s", c.Key)}
		}
		if c.Updated() {
			return []Line{r.line(c, "its users aren't asked for consent to %s, now for %s instead of %d", c.Key, plural(len(planned.List(c.Will("permission_ids"))), "scope"), len(planned.List(c.Was("permission_ids"))))}
		}
		return []Line{r.line(c, "its users are asked for consent to %s again", c.Key)}
	case "azuread_application_identifier_uri":
		return []Line{r.line(c, "audience %s %s", either(c, "identifier_uri"), verb(c))}
	case "azuread_application_api_access":
		return r.asked(c)
	}
	return nil
}

func either(c *planned.Change, at string) string {
	if s := c.WillText(at); s != "" {
		return s
	}
	return planned.Text(c.Was(at))
}

func verb(c *planned.Change) string {
	switch {
	case c.Created():
		return "added"
	case c.Replaced():
		return "made anew"
	case c.Updated():
		return "changed"
	}
	return "goes"
}

func (r *reader) registration(c *planned.Change) []Line {
	was, will := planned.Permissions([]planned.Change{*c}, true), planned.Permissions([]planned.Change{*c}, false)
	switch {
	case c.Created():
		text := "registration added"
		if uris := planned.Texts(c.Will("identifier_uris")); len(uris) > 0 {
			text += ", audience " + strings.Join(uris, ", ")
		}
		return append(append([]Line{r.line(c, "%s", text)}, r.permissionsOf(c, nil, will)...), r.asked(c)...)
	case c.Replaced():
		return []Line{r.line(c, "registration is made anew: its client id changes, and tokens for the old one are refused from then on%s", r.affected(r.usersOf(r.about(c))))}
	case c.Removed(), c.Forgotten():
		return []Line{r.line(c, "registration %s%s%s", verb(c), held(was), r.affected(r.usersOf(r.about(c))))}
	}
	out := r.permissionsOf(c, was, will)
	changed := slices.DeleteFunc(differing(c), func(k string) bool {
		return slices.Contains([]string{"app_role", "app_role_ids", "oauth2_permission_scope_ids", "tags", "notes"}, k) ||
			k == "api" && len(out) > 0
	})
	if slices.Contains(changed, "identifier_uris") {
		out = append(out, r.line(c, "audience is %s now", strings.Join(planned.Texts(c.Will("identifier_uris")), ", ")))
		changed = slices.DeleteFunc(changed, func(k string) bool { return k == "identifier_uris" })
	}
	if slices.Contains(changed, "required_resource_access") {
		out = append(out, r.asked(c)...)
		changed = slices.DeleteFunc(changed, func(k string) bool { return k == "required_resource_access" })
	}
	if len(changed) > 0 {
		out = append(out, r.line(c, "registration changed (%s)", listed(changed, 4)))
	}
	return out
}

func held(ps []planned.Permission) string {
	var scopes, roles int
	for _, p := range ps {
		if p.Kind == planned.Scope {
			scopes++
		} else {
			roles++
		}
	}
	var parts []string
	if scopes > 0 {
		parts = append(parts, plural(scopes, "scope"))
	}
	if roles > 0 {
		parts = append(parts, plural(roles, "role"))
	}
	if len(parts) == 0 {
		return ""
	}
	return ", with " + strings.Join(parts, " and ")
}

func (r *reader) permissions(c *planned.Change) []Line {
	one := []planned.Change{*c}
	return r.permissionsOf(c, planned.Permissions(one, true), planned.Permissions(one, false))
}

// permissionsOf tells what came, went, and was switched.
func (r *reader) permissionsOf(c *planned.Change, was, will []planned.Permission) []Line {
	find := func(in []planned.Permission, p planned.Permission) *planned.Permission {
		for i := range in {
			if in[i].Kind == p.Kind && in[i].Name == p.Name {
				return &in[i]
			}
		}
		return nil
	}
	var out []Line
	tell := func(p planned.Permission, what string) {
		name := p.Kind + " " + p.Name
		if p.Name == "" {
			name = "access without a role" // for groups that may get tokens and no more
		}
		l := r.line(c, "%s %s%s", name, what, r.affected(r.usersOfPermission(r.about(c), p)))
		l.gone = what != "added" && what != "switched on"
		out = append(out, l)
	}
	for _, p := range will {
		switch before := find(was, p); {
		case before == nil:
			tell(p, "added")
		case before.Enabled && !p.Enabled:
			tell(p, "switched off")
		case !before.Enabled && p.Enabled:
			tell(p, "switched on")
		case before.ID != p.ID:
			tell(p, "gets another id, so that what was granted of it is lost")
		}
	}
	for _, p := range was {
		if find(will, p) == nil {
			tell(p, "goes")
		}
	}
	return out
}

func (r *reader) usersOf(api string) []string {
	users := map[string]bool{}
	for _, u := range r.facts.Uses {
		if u.API == api {
			users[u.Client] = true
		}
	}
	return slices.Sorted(maps.Keys(users))
}

func (r *reader) usersOfPermission(api string, p planned.Permission) []string {
	users := map[string]bool{}
	for _, u := range r.facts.Uses {
		names := u.Roles
		if p.Kind == planned.Scope {
			names = u.Scopes
		}
		if u.API == api && slices.Contains(names, p.Name) {
			users[u.Client] = true
		}
	}
	for _, before := range []bool{true, false} {
		for _, g := range planned.Grants(r.all, before) {
			if g.Client != "" && g.ID != "" && g.ID == p.ID {
				users[g.Client] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(users))
}

func (r *reader) affected(users []string) string {
	if len(users) == 0 {
		return ""
	}
	return fmt.Sprintf(", %s affected (%s)", plural(len(users), "client"), listed(users, 3))
}

// granted: who may call what.
func (r *reader) granted(c *planned.Change) []Line {
	word, to := "may now", c.After
	if c.Removed() || c.Forgotten() {
		word, to = "may no longer", c.Before
	}
	if names := planned.Texts(to["claim_values"]); len(names) > 0 {
		api := c.Key
		for _, p := range r.ids {
			if p.Kind == planned.Scope && slices.Contains(names, p.Name) && (api == "" || !r.names[api]) {
				api = p.API
			}
		}
		return []Line{r.line(c, "%s call %s for every user of the tenant, by an administrator's consent (%s)", word, api, strings.Join(names, ", "))}
	}
	p, known := r.ids[planned.Text(to["app_role_id"])]
	what := c.Key
	if known {
		what = fmt.Sprintf("%s (%s)", p.API, p.Name)
	}
	if c.In("entra-client") != nil {
		return []Line{r.line(c, "%s call %s", word, what)}
	}
	// A group's, or a user's.
	who := strings.TrimPrefix(c.Key, p.Name+"/")
	if who == "" {
		who = planned.Text(to["principal_object_id"])
	}
	role := "access without a role"
	if p.Name != "" {
		role = "role " + p.Name
	}
	if word == "may now" {
		return []Line{r.line(c, "group %s gets %s", who, role)}
	}
	return []Line{r.line(c, "group %s loses %s", who, role)}
}

// asked: what a client will ask for that it didn't, of scopes; roles are told where they are granted.
func (r *reader) asked(c *planned.Change) []Line {
	one := []planned.Change{*c}
	ids := func(before bool) map[string]bool {
		out := map[string]bool{}
		for _, g := range planned.Grants(one, before) {
			out[g.ID] = true
		}
		return out
	}
	was, will := ids(true), ids(false)
	var out []Line
	for _, id := range slices.Sorted(maps.Keys(will)) {
		if p := r.ids[id]; !was[id] && p.Kind == planned.Scope {
			out = append(out, r.line(c, "may now ask its users for %s of %s", p.Name, p.API))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		if p := r.ids[id]; !will[id] && p.Kind == planned.Scope {
			out = append(out, r.line(c, "no longer asks its users for %s of %s", p.Name, p.API))
		}
	}
	return out
}
