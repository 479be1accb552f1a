package guard

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"tollgate/infra/planned"
)

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
		g.literals(c)
	}
}

// literals: what a provider calls sensitive, written out in the configuration.
func (g *guard) literals(c *planned.Change) {
	way, _ := g.way(c)
	res := written(way, c)
	if res == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(res.Expressions)) {
		e := res.Expressions[name]
		if planned.Value(c.Secret, name) == true && e != nil && e.ExpressionData != nil && planned.Text(e.ConstantValue) != "" {
			g.find(SecretInState, c.Address, name, "Name the secret instead of writing it.", "%s is sensitive, and is written out in the configuration.", name)
		}
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
