package summary

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
)

type reader struct {
	all   []planned.Change
	facts Facts
	names map[string]bool               // of APIs and clients
	ids   map[string]planned.Permission // by id, before or after
}

func newReader(plan *tfjson.Plan, facts Facts) *reader {
	r := &reader{all: planned.Of(plan), facts: facts, names: map[string]bool{}, ids: map[string]planned.Permission{}}
	for _, before := range []bool{true, false} {
		for _, p := range planned.Permissions(r.all, before) {
			if p.ID != "" {
				r.ids[p.ID] = p
			}
		}
	}
	for i := range r.all {
		for _, source := range []string{"entra-api", "entra-client"} {
			if m := r.all[i].In(source); m != nil && m.Key != "" {
				r.names[m.Key] = true
			}
		}
	}
	for _, u := range facts.Uses {
		r.names[u.API], r.names[u.Client] = true, true
	}
	delete(r.names, "")
	return r
}

// Names tells the plain name of each resource, for progress.
func Names(plan *tfjson.Plan) func(address string) string {
	r := newReader(plan, Facts{})
	names := map[string]string{}
	for i := range r.all {
		c := &r.all[i]
		names[c.Address] = r.about(c) + ": " + r.short(c)
	}
	return func(address string) string {
		if n := names[address]; n != "" {
			return n
		}
		return address
	}
}

func (r *reader) line(c *planned.Change, format string, args ...any) Line {
	return Line{About: r.about(c), Text: fmt.Sprintf(format, args...), Address: c.Address}
}

// lines tell a change, none where it needs no words.
func (r *reader) lines(c *planned.Change) []Line {
	switch {
	case c.Replaced() && c.Type == "azurerm_log_analytics_saved_search":
		return nil // a text that Azure doesn't change in place; nothing is lost
	case c.Removed() || c.Forgotten() || c.Replaced():
		return r.gone(c)
	case strings.HasPrefix(c.Type, "azuread_app") && c.Type != "azuread_application_certificate" && c.Type != "azuread_application_federated_identity_credential":
		return r.identity(c)
	case c.Type == "azuread_service_principal_delegated_permission_grant":
		return r.identity(c)
	case slices.Contains(quiet, c.Type) && !guarded(c):
		return nil
	case c.Created():
		return []Line{r.line(c, "%s added", r.short(c))}
	}
	return r.updated(c)
}

// short leaves the name of whom it is told under away.
func (r *reader) short(c *planned.Change) string {
	if c.Type == "azurerm_private_endpoint" {
		return thing(c)
	}
	return strings.TrimSuffix(thing(c), " "+r.about(c))
}

// loud are attributes whose change is told in words.
var loud = []struct {
	at   string
	open any
	text [2]string // when it opens, when it shuts
}{
	{"public_network_access_enabled", true, [2]string{"can be reached from the Internet now", "can't be reached from the Internet any more"}},
	{"app_role_assignment_required", false, [2]string{"gives tokens to anybody now, assigned or not", "gives tokens only to those assigned now"}},
	{"shared_access_key_enabled", true, [2]string{"accepts shared keys now", "accepts no shared keys any more"}},
	{"https_only", false, [2]string{"answers plain HTTP now", "answers HTTPS only now"}},
}

// guarded tells a change of a quiet type that is told all the same: who gets tokens, and where a backend's name leads.
func guarded(c *planned.Change) bool {
	return c.Updated() && c.Type == "azurerm_private_dns_a_record" || c.Updated() && slices.ContainsFunc(slices.Collect(maps.Keys(c.After)), func(k string) bool {
		return k == "app_role_assignment_required" && !reflect.DeepEqual(c.Was(k), c.Will(k))
	})
}

func (r *reader) updated(c *planned.Change) []Line {
	var out []Line
	changed := differing(c)
	for _, l := range loud {
		i := slices.Index(changed, l.at)
		if i < 0 {
			continue
		}
		changed = slices.Delete(changed, i, i+1)
		text := l.text[1]
		if c.Will(l.at) == l.open {
			text = l.text[0]
		}
		who := r.short(c)
		if c.Type == "azuread_service_principal" {
			who = "Entra" // issues them
		}
		out = append(out, r.line(c, "%s %s", who, text))
	}
	changed = slices.DeleteFunc(changed, func(k string) bool { return slices.Contains([]string{"tags", "notes", "description"}, k) })
	if len(changed) > 0 {
		out = append(out, r.line(c, "%s changed (%s)", r.short(c), listed(changed, 4)))
	}
	return out
}

// differing are the attributes that the plan changes or may change.
func differing(c *planned.Change) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.After)) {
		if !reflect.DeepEqual(c.Was(k), c.Will(k)) {
			out = append(out, k)
		}
	}
	unknown, _ := c.Unknown.(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(unknown)) {
		if unknown[k] == true && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// lost are what somebody loses with a resource, beside the resource.
var lost = map[string]string{
	"azurerm_key_vault":               "its keys and secrets go to its bin, and its name stays taken",
	"azurerm_storage_account":         "subscriptions, counts of limits and revocations in it are lost",
	"azurerm_storage_table":           "what is in it is lost",
	"azurerm_log_analytics_workspace": "events in it are lost",
	"azurerm_user_assigned_identity":  "what it was allowed goes with it",
}

func (r *reader) gone(c *planned.Change) []Line {
	if strings.HasPrefix(c.Type, "azuread_app") || c.Type == "azuread_service_principal_delegated_permission_grant" {
		if lines := r.identity(c); len(lines) > 0 {
			return lines
		}
	}
	if c.Type == "azuread_service_principal" && c.Removed() && r.withItsRegistration(c) {
		return nil
	}
	verb := "goes"
	switch {
	case c.Replaced():
		verb = "is made anew"
	case c.Forgotten():
		verb = "stays, but Terraform forgets it"
	}
	text := r.short(c) + " " + verb
	if l := lost[c.Type]; l != "" && !c.Forgotten() {
		text += ": " + l
	}
	return []Line{r.line(c, "%s", text)}
}

func (r *reader) withItsRegistration(c *planned.Change) bool {
	return slices.ContainsFunc(r.all, func(o planned.Change) bool {
		return o.Removed() && strings.HasPrefix(o.Type, "azuread_application") && slices.Equal(o.Modules, c.Modules)
	})
}

func (r *reader) outside(c *planned.Change) Line {
	if c.Removed() {
		return r.line(c, "%s was deleted", r.short(c))
	}
	changed := differing(c)
	if len(changed) == 0 {
		return Line{}
	}
	return r.line(c, "%s was changed (%s)", r.short(c), listed(changed, 4))
}

// listed names the first few.
func listed(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
