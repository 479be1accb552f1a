package guard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"tollgate/infra/planned"
)

const (
	gatewayModule = "gateway"
	backendModule = "private-backend"
)

// exposure: only the gateway may answer the Internet.
func (g *guard) exposure() {
	for i := range g.all {
		c := &g.all[i]
		if c.After != nil && backend(c) {
			if why := g.open(c); why != "" {
				g.find(PublicBackend, c.Address, "", shutHow, "This backend would answer the Internet, past the gateway: %s.", why)
			}
		}
		if !c.Nothing() || g.facts.Private {
			g.inbound(c)
		}
		if c.Type == "azurerm_private_endpoint" && (c.Removed() || c.Forgotten() || c.Replaced()) {
			g.wayIn(c)
		}
	}
}

const shutHow = "Set public network access off, or let the default action deny and name the gateway's subnet."

// backend tells what is a backend's, or answers HTTP and isn't the gateway.
func backend(c *planned.Change) bool {
	return c.In(backendModule) != nil || c.In(gatewayModule) == nil && (host(c) || c.Type == "azurerm_container_app" || c.Type == "azurerm_container_group")
}

// host tells an app, or a slot of one, that answers HTTP, from what is only about one.
func host(c *planned.Change) bool {
	named := strings.Contains(c.Type, "web_app") || strings.Contains(c.Type, "function_app")
	return strings.HasPrefix(c.Type, "azurerm_") && named && !strings.Contains(c.Type, "static_web_app") &&
		(has(c, "site_config") || has(c, "public_network_access_enabled"))
}

// open says how a resource can be reached publicly, "" if it can't.
func (g *guard) open(c *planned.Change) string {
	switch {
	case host(c):
		return openHost(c)
	case c.Type == "azurerm_container_app":
		return g.openContainer(c)
	case c.Type == "azurerm_storage_account", c.Type == "azurerm_key_vault", c.Type == "azurerm_cosmosdb_account",
		c.Type == "azurerm_servicebus_namespace", c.Type == "azurerm_eventhub_namespace", c.Type == "azurerm_container_registry":
		return g.openStore(c)
	case strings.HasPrefix(c.Type, "azurerm_managed_redis"), c.Type == "azurerm_container_app_environment":
		if c.WillText("public_network_access") == "Enabled" {
			return "public network access is on"
		}
	case c.Type == "azurerm_container_group":
		if kind := c.WillText("ip_address_type"); kind != "Private" && kind != "None" {
			return "its address is public"
		}
	case c.Type == "azurerm_network_interface":
		return frontEnd(c, "ip_configuration")
	case c.Type == "azurerm_lb", c.Type == "azurerm_application_gateway":
		return frontEnd(c, "frontend_ip_configuration")
	case strings.HasPrefix(c.Type, "azurerm_") && has(c, "public_network_access_enabled"):
		if c.Will("public_network_access_enabled") != false {
			return "public network access is on"
		}
	}
	return ""
}

// frontEnd: a public address in one of its blocks. One that apply makes isn't known yet.
func frontEnd(c *planned.Change, block string) string {
	for i, b := range planned.List(c.Will(block)) {
		unknown := c.Undecided(fmt.Sprintf("%s.%d.public_ip_address_id", block, i)) &&
			planned.Value(b, "subnet_id") == nil && !c.Undecided(fmt.Sprintf("%s.%d.subnet_id", block, i))
		if unknown || planned.Text(planned.Value(b, "public_ip_address_id")) != "" {
			return "it has a public address"
		}
	}
	return ""
}

func openHost(c *planned.Change) string {
	if c.Will("public_network_access_enabled") == false {
		return ""
	}
	if c.WillText("site_config.0.ip_restriction_default_action") != "Deny" {
		return "public network access is on, and the default action lets in whom no rule names"
	}
	if c.Undecided("site_config.0.ip_restriction") {
		return "public network access is on, and whom its restrictions let in can't be known before apply"
	}
	for i, r := range planned.List(c.Will("site_config.0.ip_restriction")) {
		if planned.Value(r, "action") == "Deny" {
			continue
		}
		if tag := planned.Text(planned.Value(r, "service_tag")); tag != "" && tag != "VirtualNetwork" {
			return "a restriction of its own lets " + tag + " in, which is every tenant's"
		}
		if at := planned.Text(planned.Value(r, "ip_address")); many(at) {
			return "a restriction of its own lets " + at + " in"
		}
		if c.Undecided(fmt.Sprintf("site_config.0.ip_restriction.%d.ip_address", i)) || c.Undecided(fmt.Sprintf("site_config.0.ip_restriction.%d.service_tag", i)) {
			return "whom a restriction of its own lets in can't be known before apply"
		}
	}
	return ""
}

// many tells a range of the Internet that is more than a NAT gateway's own addresses.
func many(source string) bool {
	p, err := netip.ParsePrefix(source)
	return internet(source) || err == nil && !p.Addr().IsPrivate() && p.Addr().BitLen()-p.Bits() > 4
}

func (g *guard) openContainer(c *planned.Change) string {
	if c.Will("ingress.0.external_enabled") != true {
		return ""
	}
	allowed, wide := 0, false
	for _, r := range planned.List(c.Will("ingress.0.ip_security_restriction")) {
		if planned.Value(r, "action") == "Allow" {
			allowed++
			wide = wide || many(planned.Text(planned.Value(r, "ip_address_range")))
		}
	}
	if allowed > 0 && !wide { // with one Allow, everything else is denied
		return ""
	}
	internal := func(o planned.Change) bool {
		return o.Type == "azurerm_container_app_environment" && slices.Equal(o.Modules, c.Modules) && o.Will("internal_load_balancer_enabled") == true
	}
	if slices.ContainsFunc(g.all, internal) {
		return ""
	}
	return "its ingress is external"
}

// openStore: storage, vaults and the like deny by one of two switches.
func (g *guard) openStore(c *planned.Change) string {
	if c.Will("public_network_access_enabled") == false {
		return ""
	}
	for _, rules := range []string{"network_rules.0", "network_acls.0", "network_rule_set.0", "network_rulesets.0"} {
		if c.WillText(rules+".default_action") == "Deny" {
			return namesAddresses(c, rules)
		}
	}
	for i := range g.all {
		o := &g.all[i]
		if o.Type == c.Type+"_network_rules" && g.ofStore(o, c) && o.WillText("default_action") == "Deny" {
			return namesAddresses(o, "")
		}
	}
	return "public network access is on, and the default action doesn't deny"
}

// ofStore tells whether rules of their own are those of this account.
func (g *guard) ofStore(rules, store *planned.Change) bool {
	if id := rules.WillText("storage_account_id"); id != "" {
		return id == store.WillText("id")
	}
	refers := g.refersTo(rules, "storage_account_id")
	return slices.Equal(rules.Modules, store.Modules) && rules.Key == store.Key && (len(refers) == 0 || refers[withoutKeys(store.Address)])
}

func namesAddresses(c *planned.Change, rules string) string {
	addresses := planned.Texts(c.Will(strings.TrimPrefix(rules+".ip_rules", ".")))
	for _, r := range planned.List(c.Will(rules + ".ip_rule")) { // of Event Hubs
		addresses = append(addresses, planned.Text(planned.Value(r, "ip_mask")))
	}
	if len(addresses) > 0 {
		return "addresses of the Internet may come in: " + strings.Join(addresses, ", ")
	}
	return ""
}

// internet tells a source that takes in (nearly) the whole Internet. A prefix shorter
// than the shortest private one, 10.0.0.0/8, does.
func internet(source string) bool {
	tag, _, _ := strings.Cut(strings.ToLower(source), ".") // AzureCloud.westeurope
	switch tag {
	case "*", "internet", "any", "azurecloud": // AzureCloud is every tenant's machines
		return true
	}
	p, err := netip.ParsePrefix(source)
	return err == nil && (p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 7)
}

// inbound: a rule of a network security group lets the Internet in.
func (g *guard) inbound(c *planned.Change) {
	rules := []any{}
	switch c.Type {
	case "azurerm_network_security_rule":
		if c.After != nil {
			rules = append(rules, map[string]any(c.After))
		}
	case "azurerm_network_security_group":
		rules = planned.List(c.Will("security_rule"))
	}
	for _, r := range rules {
		if planned.Value(r, "direction") != "Inbound" || planned.Value(r, "access") != "Allow" {
			continue
		}
		sources := append(planned.Texts(planned.Value(r, "source_address_prefixes")), planned.Text(planned.Value(r, "source_address_prefix")))
		for _, s := range sources {
			if internet(s) {
				g.find(InternetInbound, c.Address, planned.Text(planned.Value(r, "name")), "Name the gateway's subnet, or VirtualNetwork, as the source.",
					"The rule %q lets %s in.", planned.Text(planned.Value(r, "name")), s)
			}
		}
	}
}

// wayIn: without its private endpoint a resource can be reached publicly or not at all.
func (g *guard) wayIn(c *planned.Change) {
	target := planned.Text(c.Was("private_service_connection.0.private_connection_resource_id"))
	parts := planned.Texts(c.Was("private_service_connection.0.subresource_names"))
	if g.goes(target) {
		return
	}
	other := func(o planned.Change) bool {
		return o.Type == c.Type && o.After != nil && o.WillText("private_service_connection.0.private_connection_resource_id") == target &&
			slices.Equal(planned.Texts(o.Will("private_service_connection.0.subresource_names")), parts)
	}
	if !slices.ContainsFunc(g.all, other) {
		g.find(OnlyWayIn, c.Address, "", "Keep it, or make its successor in a plan of its own first.",
			"This private endpoint is the only private way to %s, which stays.", orUnnamed(target))
	}
}

func orUnnamed(id string) string {
	if id == "" {
		return "its resource"
	}
	return id
}
