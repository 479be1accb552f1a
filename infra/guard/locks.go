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

// isNot is for what is shut where nothing is said.
func isNot(open any) func(any) bool { return func(v any) bool { return v != open } }

// locks is the whole table. Where an attribute isn't in a resource's schema, the row says nothing of it.
var locks = []lock{
	{"azuread_service_principal", "app_role_assignment_required", is(true), "only those assigned get tokens", false},
	{"azuread_application", "sign_in_audience", is("AzureADMyOrg"), "only this tenant's accounts sign in", false},
	{"azuread_application", "api.0.mapped_claims_enabled", isNot(true), "nobody writes claims but Entra", true},
	{"azuread_application", "fallback_public_client_enabled", isNot(true), "nobody signs in without proving which application it is", true},
	{"azuread_application", "web.0.implicit_grant.0.access_token_issuance_enabled", isNot(true), "no token stands in an address", true},
	{"azuread_application", "web.0.implicit_grant.0.id_token_issuance_enabled", isNot(true), "no token stands in an address", true},
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
	{"azurerm_storage_account", "network_rules.0.bypass", bypassNone, "none of Azure's services comes in past the rules", false},
	{"azurerm_storage_account_network_rules", "bypass", bypassNone, "none of Azure's services comes in past the rules", false},
	{"azurerm_storage_container", "container_access_type", is("private"), "blobs are for those who sign in", true},
	{"azurerm_key_vault", "network_acls.0.bypass", is("None"), "none of Azure's services comes in past the rules", false},
	{"azurerm_key_vault", "network_acls.0.default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_eventhub_namespace", "network_rulesets.0.default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_log_analytics_workspace", "internet_ingestion_access_type", is("Disabled"), "events come from the network only", false},
	{"azurerm_log_analytics_workspace", "internet_query_access_type", is("Disabled"), "events are read in the network only", false},
	{"azurerm_application_insights", "internet_ingestion_enabled", is(false), "telemetry comes from the network only", false},
	{"azurerm_application_insights", "internet_query_enabled", is(false), "telemetry is read in the network only", false},
	{"azurerm_servicebus_namespace", "network_rule_set.0.default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_*", "site_config.0.ip_restriction_default_action", is("Deny"), "who isn't named is kept out", false},
	{"azurerm_*", "site_config.0.scm_ip_restriction_default_action", is("Deny"), "who isn't named can't deploy", true},
	{"azurerm_*", "https_only", is(true), "plain HTTP is refused", true},
	{"azurerm_storage_account", "https_traffic_only_enabled", is(true), "plain HTTP is refused", true},
	{"azurerm_storage_account", "allow_nested_items_to_be_public", is(false), "nothing in it can be made public", true},
	{"azurerm_storage_account", "sftp_enabled", is(false), "SFTP, which knows passwords, is off", true},
	{"azurerm_storage_account", "local_user_enabled", is(false), "users with passwords of their own are off", true},
	{"azurerm_cdn_frontdoor_firewall_policy", "mode", is("Prevention"), "attacks are blocked, not only noted", true},
	{"azurerm_cdn_frontdoor_firewall_policy", "enabled", is(true), "the firewall works", true},
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
	{"azurerm_cdn_frontdoor_custom_domain", "tls.0.minimum_version", modernTLS, tlsWhat, true},
	{"azurerm_*", "site_config.0.minimum_tls_version", modernTLS, tlsWhat, true},
	{"azurerm_*", "site_config.0.scm_minimum_tls_version", modernTLS, tlsWhat, true},
}

const tlsWhat = "TLS is 1.2 or newer"

func bypassNone(v any) bool { return slices.Equal(planned.Texts(v), []string{"None"}) }

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
