package guard

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"tollgate/infra/planned"
)

// publicPaths: in a private environment nothing but the gateway itself answers the Internet.
func (g *guard) publicPaths() {
	for i := range g.all {
		c := &g.all[i]
		// The gateway's own front is what its module's inbound says; a backend's finding is told already.
		if c.After == nil || host(c) && c.In(gatewayModule) != nil || backend(c) {
			continue
		}
		if why := g.open(c); why != "" {
			g.find(PublicPath, c.Address, "", shutHow, "The environment is private, and this could be reached from the Internet: %s.", why)
		} else if slices.Contains(endpointed, c.Type) && c.Will("public_network_access_enabled") != false {
			g.find(PublicPath, c.Address, "", "Give it a private endpoint and set public network access off.",
				"The environment is private, and this has a public side, though it denies: its name answers the Internet.")
		}
	}
}

// endpointed are the types that private endpoints reach: what denies but answers isn't private.
var endpointed = []string{"azurerm_storage_account", "azurerm_key_vault", "azurerm_eventhub_namespace", "azurerm_servicebus_namespace", "azurerm_cosmosdb_account", "azurerm_container_registry"}

// callsOut: in a private environment the gateway's subnet calls what a rule names, and nothing else.
func (g *guard) callsOut() {
	for i := range g.all {
		c := &g.all[i]
		if c.Type != "azurerm_network_security_group" || c.After == nil || c.In(backendModule) == nil {
			continue
		}
		everywhere := func(access string) float64 { return first(planned.List(c.Will("security_rule")), "Outbound", access) }
		if denied := everywhere("Deny"); denied == never || everywhere("Allow") < denied {
			g.find(NotShut, c.Address, "outbound", "Restrict egress, and name what is called.", "The environment is private, and whatever is in this subnet may call the whole Internet.")
		}
	}
}

// notShut: whatever the plan changes, in a private environment each lock is on.
func (g *guard) notShut() {
	for i := range g.all {
		c := &g.all[i]
		if c.After == nil {
			continue
		}
		for _, l := range locks {
			if !l.fits(c.Type) || !has(c, l.at) {
				continue
			}
			if c.Undecided(l.at) {
				if !g.computed(c, l.at) {
					g.find(NotKnown, c.Address, l.at, "Give it a value that doesn't hang on what apply creates.",
						"Whether %s can't be known before apply: %s has no value yet.", l.what, l.at)
				}
				continue
			}
			if l.private && !l.shut(c.Will(l.at)) {
				g.find(NotShut, c.Address, l.at, "Mend the module or its variables so that "+l.what+".",
					"The environment is private, and %s is %v; wanted is that %s.", l.at, orNothing(c.Will(l.at)), l.what)
			}
		}
	}
}

// computed tells that the provider fills the attribute in by itself, so that it is unknown at first:
// nobody wrote it, or it is one that a module may leave to the provider.
func (g *guard) computed(c *planned.Change, at string) bool {
	name, _, _ := strings.Cut(at, ".")
	if name == "public_network_access" || name == "network_rulesets" {
		return true
	}
	way, _ := g.way(c)
	res := written(way, c)
	return res != nil && res.Expressions[name] == nil
}

// recordable are the types that can record who did what to them, of those that modules here make.
var recordable = []string{
	"azurerm_key_vault", "azurerm_storage_account", "azurerm_function_app_flex_consumption", "azurerm_linux_web_app",
	"azurerm_eventhub_namespace", "azurerm_log_analytics_workspace", "azurerm_virtual_network", "azurerm_network_security_group",
	"azurerm_public_ip", "azurerm_cdn_frontdoor_profile", "azurerm_servicebus_namespace", "azurerm_container_app_environment",
}

func (g *guard) diagnostics() {
	recorded := g.recorded()
	for i := range g.all {
		c := &g.all[i]
		if c.After == nil || !slices.Contains(recordable, c.Type) {
			continue
		}
		if id := c.WillText("id"); id != "" && recorded[id] || recorded[withoutKeys(c.Address)] {
			continue
		}
		g.find(NoDiagnostics, c.Address, "", "Give it a diagnostic setting.", "The environment is private, and nothing records what happens to this.")
	}
}

// recorded are the targets of diagnostic settings: ids where they are known, else
// addresses without keys, as the configuration refers to them.
func (g *guard) recorded() map[string]bool {
	out := map[string]bool{}
	for i := range g.all {
		c := &g.all[i]
		if c.Type != "azurerm_monitor_diagnostic_setting" || c.After == nil {
			continue
		}
		if id := c.WillText("target_resource_id"); id != "" {
			out[within(id)] = true
			continue
		}
		maps.Copy(out, g.targets(c))
	}
	return out
}

var keyed = regexp.MustCompile(`\[("(\\.|[^"\\])*"|[0-9]+)\]`)

func withoutKeys(address string) string { return keyed.ReplaceAllString(address, "") }
