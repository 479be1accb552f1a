package guard

import (
	"slices"
	"strconv"
	"strings"

	"tollgate/infra/planned"
)

// lock is an attribute whose value shuts something.
type lock struct {
	kind    string // the type of the resource, or its beginning with a * at the end
	at      string
	shut    func(v any) bool
	what    string // that it does when it is shut
	private bool   // in a private environment it must be shut, not only stay so
}

func is(want any) func(any) bool { return func(v any) bool { return v == want } }

// locks is the whole table. Where an attribute isn't in a resource's schema, the row says nothing of it.
var locks = []lock{
	{"azuread_service_principal", "app_role_assignment_required", is(true), "only those assigned get tokens", false},
	{"azuread_conditional_access_policy", "state", is("enabled"), "the policy is enforced", false},
	{"azurerm_*", "public_network_access_enabled", is(false), "public network access is off", false},
	{"azurerm_*", "public_network_access", is("Disabled"), "public network access is off", false},
	{"azurerm_*", "shared_access_key_enabled", is(false), "shared keys are off", true},
	{"azurerm_*", "local_authentication_enabled", is(false), "only Entra identities are accepted", true},
	{"azurerm_*", "local_auth_enabled", is(false), "only Entra identities are accepted", true},
	{"azurerm_*", "access_keys_authentication_enabled", is(false), "only Entra identities are accepted", true},
	{"azurerm_*", "rbac_authorization_enabled", is(true), "access is by role assignments", true},
	{"azurerm_*", "purge_protection_enabled", is(true), "what is deleted can be had back", true},
	{"azurerm_storage_account", "network_rules.0.default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_storage_account_network_rules", "default_action", is("Deny"), "who isn't named is kept out", true},
	{"azurerm_key_vault", "network_acls.0.default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_servicebus_namespace", "network_rule_set.0.default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_*", "site_config.0.ip_restriction_default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_*", "site_config.0.scm_ip_restriction_default_action", is("Deny"), "who isn't named can't deploy", true},
	{"azurerm_*", "https_only", is(true), "plain HTTP is refused", true},
	{"azurerm_storage_account", "https_traffic_only_enabled", is(true), "plain HTTP is refused", true},
	{"azurerm_storage_account", "allow_nested_items_to_be_public", is(false), "nothing in it can be made public", true},
	{"azurerm_storage_account", "sftp_enabled", is(false), "SFTP, which knows passwords, is off", true},
	{"azurerm_container_registry", "anonymous_pull_enabled", is(false), "images are for those who sign in", true},
	{"azurerm_*", "ftp_publish_basic_authentication_enabled", is(false), "nobody deploys by password", true},
	{"azurerm_*", "webdeploy_publish_basic_authentication_enabled", is(false), "nobody deploys by password", true},
	{"azurerm_*", "client_certificate_enabled", is(true), "callers show a certificate", false},
	{"azurerm_*", "auth_settings_v2.0.require_authentication", is(true), "callers sign in", false},
	{"azurerm_container_app", "ingress.0.external_enabled", is(false), "its ingress is internal", false},
	{"azurerm_container_app_environment", "internal_load_balancer_enabled", is(true), "it has no public address", false},
	{"azurerm_subnet", "private_endpoint_network_policies", heldPolicies, "the network's rules hold for private endpoints", false},
	{"aws_lambda_function_url", "authorization_type", is("AWS_IAM"), "callers sign their requests", false},
	{"azurerm_storage_account", "min_tls_version", modernTLS, tlsWhat, true},
	{"azurerm_*", "minimum_tls_version", modernTLS, tlsWhat, true},
	{"azurerm_*", "minimal_tls_version", modernTLS, tlsWhat, true},
	{"azurerm_*", "site_config.0.minimum_tls_version", modernTLS, tlsWhat, true},
	{"azurerm_*", "site_config.0.scm_minimum_tls_version", modernTLS, tlsWhat, true},
}

const tlsWhat = "TLS is 1.2 or newer"

func heldPolicies(v any) bool { return v == "Enabled" || v == "NetworkSecurityGroupEnabled" }

// tls is the version in TLS1_2, Tls12 or 1.2 as a number, 0 where there is none.
func tls(v any) int {
	text := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, planned.Text(v))
	n, _ := strconv.Atoi(text) // digits or nothing
	return n
}

func modernTLS(v any) bool { return tls(v) >= 12 }

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
		if c.Before != nil && c.After != nil {
			g.loosened(c)
			g.denies(c)
			g.unrecorded(c)
		}
		if c.Removed() || c.Forgotten() {
			g.rulesThatGo(c)
		}
	}
}

func (g *guard) loosened(c *planned.Change) {
	for _, l := range locks {
		was, will := c.Was(l.at), c.Will(l.at)
		lowered := l.what == tlsWhat && tls(will) < tls(was)
		if !l.fits(c.Type) || !l.shut(was) || l.shut(will) && !lowered || c.Undecided(l.at) {
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
