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
		if c.After == nil || host(c.Type) && c.In(gatewayModule) != nil || c.In(backendModule) != nil {
			continue
		}
		if why := g.open(c); why != "" {
			g.find(PublicPath, c.Address, "", shutHow, "The environment is private, and this could be reached from the Internet: %s.", why)
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
				if !computed(l.at) {
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

// computed are guarded attributes that the provider fills in by itself, so that they are unknown at first.
func computed(at string) bool { return at == "public_network_access" }

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

// secretTypes hold a secret in the state, whatever is done.
var secretTypes = regexp.MustCompile(`_password$|_sas_token|^azuread_synchronization_secret$|^tls_private_key$`)

// secretShapes are texts that open something for whoever reads them.
var secretShapes = regexp.MustCompile(`AccountKey=|SharedAccessKey=|[?&]sig=|-----BEGIN [A-Z ]*PRIVATE KEY-----`)

// secretFields are set by nobody who uses identities.
var secretFields = []string{
	"storage_access_key", "storage_account_access_key", "storage_account.0.access_key", "administrator_password", "admin_password",
	"auth_settings.0.active_directory.0.client_secret", "password.0.value",
}

func (g *guard) secrets() {
	for i := range g.all {
		c := &g.all[i]
		if c.After == nil {
			continue
		}
		how := "Use an identity, a certificate or a federated credential; a secret that must be belongs into the vault, by hand."
		switch {
		case secretTypes.MatchString(c.Type):
			g.find(SecretInState, c.Address, "", how, "A %s keeps its secret in the state, for whoever can read that.", c.Type)
		case c.Type == "azurerm_key_vault_secret" && (c.WillText("value") != "" || c.Undecided("value")):
			g.find(SecretInState, c.Address, "value", "Write it by value_wo, which isn't kept, or by hand.", "The secret's value would stand in the state.")
		case len(planned.List(c.Will("password"))) > 0:
			g.find(SecretInState, c.Address, "password", how, "The registration's password would stand in the state.")
		}
		for _, at := range secretFields {
			if c.WillText(at) != "" {
				g.find(SecretInState, c.Address, at, how, "%s would stand in the state.", at)
			}
		}
		g.shapes(c)
	}
}

// shapes looks at what this plan writes; what a provider reads of its own accord
// (a storage account's keys) stands in the state whatever anybody does.
func (g *guard) shapes(c *planned.Change) {
	forced := func(at string) bool {
		return strings.HasPrefix(at, "primary_") || strings.HasPrefix(at, "secondary_") || at == "custom_data" || at == "site_credential"
	}
	for _, name := range slices.Sorted(maps.Keys(c.After)) {
		if !forced(name) && contains(c.After[name]) {
			g.find(SecretInState, c.Address, name, "Name the secret instead of writing it.", "%s holds what looks like a key, and would stand in the state.", name)
		}
	}
}

func contains(v any) bool {
	switch v := v.(type) {
	case string:
		return secretShapes.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, contains)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), contains)
	}
	return false
}
