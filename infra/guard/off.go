package guard

import (
	"slices"
	"strings"

	"tollgate/infra/planned"
)

func (l lock) fits(kind string) bool {
	if prefix, ok := strings.CutSuffix(l.kind, "*"); ok {
		return strings.HasPrefix(kind, prefix)
	}
	return l.kind == kind
}

// has tells that the resource has the attribute, whatever its value.
func has(c *planned.Change, at string) bool {
	parent, name := "", at
	if i := strings.LastIndexByte(at, '.'); i >= 0 {
		parent, name = at[:i], at[i+1:]
	}
	in, ok := c.Will(parent).(map[string]any)
	if !ok {
		return c.Undecided(at)
	}
	_, ok = in[name]
	return ok || c.Undecided(at)
}

// turnedOff: was shut, and won't be.
func (g *guard) turnedOff() {
	for i := range g.all {
		c := &g.all[i]
		if c.Nothing() {
			continue
		}
		if o := g.predecessor(c); o != nil {
			// Made anew under another name, it is held to what it was.
			renamed := *c
			renamed.Before = o.Before
			g.compared(&renamed)
		} else if c.Before != nil && c.After != nil {
			g.compared(c)
			g.unrecorded(c)
		}
		if c.Removed() || c.Forgotten() {
			g.rulesThatGo(c)
		}
	}
}

func (g *guard) compared(c *planned.Change) {
	g.loosened(c)
	g.denies(c)
	g.overruled(c)
	g.widened(c)
	g.weakened(c)
	g.consents(c)
}

// predecessor is what goes while c comes, and c seems to stand for: of the same type, and of
// the same name, or alone in the same place. nil where there is none.
func (g *guard) predecessor(c *planned.Change) *planned.Change {
	if c.Before != nil || c.After == nil {
		return nil
	}
	var here []*planned.Change
	for i := range g.all {
		o := &g.all[i]
		if o.Type != c.Type || o.Before == nil || o.After != nil {
			continue
		}
		for _, name := range []string{"name", "display_name"} {
			if text := c.WillText(name); text != "" && text == o.Was(name) {
				return o
			}
		}
		if slices.EqualFunc(o.Modules, c.Modules, func(a, b planned.Module) bool {
			return a.Key == b.Key && (a.Call == b.Call || a.Source != "" && a.Source == b.Source)
		}) {
			here = append(here, o)
		}
	}
	for _, o := range here {
		if len(here) == 1 || o.Key == c.Key {
			return o
		}
	}
	return nil
}

func (g *guard) loosened(c *planned.Change) {
	for _, l := range locks {
		was, will := c.Was(l.at), c.Will(l.at)
		lowered := l.what == tlsWhat && tls(will) < tls(was)
		if !l.fits(c.Type) || !l.shut(was) || l.shut(will) && !lowered {
			continue
		}
		if c.Undecided(l.at) {
			if !g.computed(c, l.at) {
				g.find(RuleOff, c.Address, l.at, "Give it a value that doesn't hang on what apply creates.",
					"%s is %v today, and what it would be can't be known before apply; today %s.", l.at, was, l.what)
			}
			continue
		}
		g.find(RuleOff, c.Address, l.at, "Leave it as it is.", "%s would go from %v to %v; today %s.", l.at, was, orNothing(will), l.what)
	}
}

func orNothing(v any) any {
	if v == nil {
		return "nothing"
	}
	return v
}

// denies: a deny of a network security group that goes.
func (g *guard) denies(c *planned.Change) {
	if c.Type == "azurerm_network_security_rule" && deny(c.Before) && !deny(c.After) {
		g.find(RuleOff, c.Address, "", "Leave it as it is.", "The deny rule %q would no longer deny.", planned.Text(c.Was("name")))
	}
	if c.Type != "azurerm_network_security_group" || c.Undecided("security_rule") {
		return
	}
	for _, r := range planned.List(c.Was("security_rule")) {
		same := func(o any) bool { return deny(o) && planned.Value(o, "name") == planned.Value(r, "name") }
		if deny(r) && !slices.ContainsFunc(planned.List(c.Will("security_rule")), same) {
			name := planned.Text(planned.Value(r, "name"))
			g.find(RuleOff, c.Address, name, "Keep the rule.", "The deny rule %q would go.", name)
		}
	}
}

func deny(rule any) bool { return planned.Value(rule, "access") == "Deny" }

// consents: a scope that users may grant by themselves from now on.
func (g *guard) consents(c *planned.Change) {
	types := func(side map[string]any) map[string]any {
		out := map[string]any{}
		for _, b := range append(planned.List(planned.Value(side, "api.0.oauth2_permission_scope")), any(side)) {
			if name := planned.Text(planned.Value(b, "value")); name != "" {
				out[name] = planned.Value(b, "type")
			}
		}
		return out
	}
	if c.Type != "azuread_application" && c.Type != "azuread_application_permission_scope" {
		return
	}
	will := types(c.After)
	for name, was := range types(c.Before) {
		if was == "Admin" && will[name] == "User" {
			g.find(RuleOff, c.Address, name, "Leave it as it is.", "Users could grant %s by themselves; today that takes an administrator.", name)
		}
	}
}

// unrecorded: a diagnostic setting that records less.
func (g *guard) unrecorded(c *planned.Change) {
	if c.Type != "azurerm_monitor_diagnostic_setting" {
		return
	}
	for _, member := range []string{"category", "category_group"} {
		will := logs(c.Will("enabled_log"), member)
		for _, category := range logs(c.Was("enabled_log"), member) {
			if !slices.Contains(will, category) {
				g.find(RuleOff, c.Address, category, "Keep the category.", "The log %s would no longer be recorded.", category)
			}
		}
	}
}

func logs(list any, member string) []string {
	var out []string
	for _, l := range planned.List(list) {
		if s := planned.Text(planned.Value(l, member)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// themselves are resources that are access rules: where one goes, what it does goes,
// unless what it guards (the attribute) goes too.
var themselves = []struct{ kind, guards, what string }{
	{"azuread_conditional_access_policy", "", "a policy of Conditional Access"},
	{"azurerm_monitor_diagnostic_setting", "target_resource_id", "what records who did what to a resource"},
	{"azurerm_subnet_network_security_group_association", "subnet_id", "what puts a subnet under the network's rules"},
	{"azurerm_storage_account_network_rules", "storage_account_id", "what keeps others out of the storage account"},
	{"azurerm_cdn_frontdoor_security_policy", "cdn_frontdoor_profile_id", "what puts Front Door behind its firewall"},
	{"azurerm_management_lock", "scope", "what keeps a resource from being deleted"},
}

func (g *guard) rulesThatGo(c *planned.Change) {
	if c.Type == "azurerm_network_security_rule" && deny(c.Before) && !g.groupGoes(c) {
		g.find(RuleOff, c.Address, "", "Keep the rule.", "The deny rule %q would go.", planned.Text(c.Was("name")))
	}
	for _, t := range themselves {
		if t.kind != c.Type || t.guards != "" && g.goes(within(planned.Text(c.Was(t.guards)))) {
			continue
		}
		g.find(RuleOff, c.Address, "", "Keep it.", "This is %s, and it would go.", t.what)
	}
}

// within is the resource that a part such as the table service of a storage account is in.
func within(id string) string {
	for _, part := range []string{"/blobServices/", "/tableServices/", "/queueServices/", "/fileServices/"} {
		id, _, _ = strings.Cut(id, part)
	}
	return id
}

func (g *guard) groupGoes(rule *planned.Change) bool {
	return slices.ContainsFunc(g.all, func(o planned.Change) bool {
		return o.Type == "azurerm_network_security_group" && o.Removed() && o.Was("name") == rule.Was("network_security_group_name")
	})
}
