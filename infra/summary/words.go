package summary

import (
	"slices"
	"strings"

	"tollgate/infra/planned"
)

// areas are what isn't an API or a client, in the order they are told.
var areas = []string{"sign-in", "network", "gateway", "vault", "observability", "other"}

var areaOf = map[string]string{
	"entra-policy": "sign-in", "private-backend": "network", "key-vault": "vault",
	"gateway": "gateway", "gateway-lambda": "gateway", "observability": "observability",
}

// nouns are what types are called. Types that aren't here are called by their own words.
var nouns = map[string]string{
	"azuread_application":                                        "registration",
	"azuread_application_registration":                           "registration",
	"azuread_service_principal":                                  "service principal",
	"azuread_application_certificate":                            "certificate",
	"azuread_application_federated_identity_credential":          "federated credential",
	"azuread_app_role_assignment":                                "permission",
	"azuread_service_principal_delegated_permission_grant":       "consent",
	"azuread_application_pre_authorized":                         "pre-authorisation",
	"azuread_application_api_access":                             "request for permissions",
	"azuread_application_app_role":                               "role",
	"azuread_application_permission_scope":                       "scope",
	"azuread_application_identifier_uri":                         "audience",
	"azuread_application_password":                               "secret",
	"azuread_conditional_access_policy":                          "Conditional Access policy",
	"azuread_claims_mapping_policy":                              "claims mapping",
	"azurerm_resource_group":                                     "resource group",
	"azurerm_function_app_flex_consumption":                      "function app",
	"azurerm_linux_web_app":                                      "web app",
	"azurerm_service_plan":                                       "plan of the function app",
	"azurerm_storage_account":                                    "storage account",
	"azurerm_user_assigned_identity":                             "managed identity",
	"azurerm_virtual_network":                                    "virtual network",
	"azurerm_network_security_group":                             "network security group",
	"azurerm_network_security_rule":                              "network rule",
	"azurerm_private_dns_zone":                                   "private DNS zone",
	"azurerm_nat_gateway":                                        "NAT gateway",
	"azurerm_public_ip":                                          "public address",
	"azurerm_key_vault":                                          "Key Vault",
	"azurerm_key_vault_key":                                      "key",
	"azurerm_log_analytics_workspace":                            "Log Analytics workspace",
	"azurerm_log_analytics_workspace_table_custom_log":           "table",
	"azurerm_log_analytics_saved_search":                         "query",
	"azurerm_monitor_private_link_scope":                         "private link scope",
	"azurerm_application_insights":                               "Application Insights",
	"azurerm_application_insights_workbook":                      "workbook",
	"azurerm_monitor_scheduled_query_rules_alert_v2":             "alert",
	"azurerm_monitor_action_group":                               "action group",
	"azurerm_monitor_data_collection_endpoint":                   "data collection endpoint",
	"azurerm_monitor_data_collection_rule":                       "data collection rule",
	"azurerm_monitor_diagnostic_setting":                         "diagnostic setting",
	"azurerm_eventhub_namespace":                                 "Event Hubs namespace",
	"azurerm_eventhub":                                           "event hub",
	"azurerm_cdn_frontdoor_endpoint":                             "Front Door's endpoint",
	"azurerm_cdn_frontdoor_origin":                               "Front Door's origin",
	"azurerm_cdn_frontdoor_origin_group":                         "Front Door's group of origins",
	"azurerm_cdn_frontdoor_route":                                "Front Door's route",
	"azurerm_cdn_frontdoor_firewall_policy":                      "Front Door's firewall",
	"azurerm_cdn_frontdoor_security_policy":                      "Front Door's use of its firewall",
	"azurerm_cdn_frontdoor_custom_domain":                        "Front Door's domain",
	"azurerm_cdn_frontdoor_profile":                              "Front Door",
	"azurerm_app_service_custom_hostname_binding":                "custom domain",
	"azurerm_subnet_network_security_group_association":          "network security group of a subnet",
	"azurerm_subnet_nat_gateway_association":                     "NAT gateway of a subnet",
	"azurerm_subnet_route_table_association":                     "route table of a subnet",
	"azurerm_private_dns_zone_virtual_network_link":              "link of a DNS zone",
	"azurerm_monitor_data_collection_rule_association":           "association of a data collection rule",
	"azuread_service_principal_claims_mapping_policy_assignment": "claims mapping of an API",
}

// quiet types need no words when they come or change: they are part of something that is told.
var quiet = []string{
	"azuread_service_principal", "azuread_application_owner", "azuread_application_optional_claims", "azurerm_private_dns_zone_virtual_network_link",
	"azurerm_private_dns_a_record", "azurerm_subnet_network_security_group_association", "azurerm_subnet_nat_gateway_association", "azurerm_nat_gateway_public_ip_association",
	"azurerm_subnet_route_table_association", "azurerm_monitor_diagnostic_setting", "azurerm_monitor_data_collection_rule_association",
	"azurerm_log_analytics_saved_search", "azurerm_monitor_private_link_scoped_service", "azurerm_cdn_frontdoor_origin_group",
	"azurerm_storage_container", "azurerm_service_plan", "azurerm_eventhub_consumer_group", "terraform_data",
}

func noun(kind string) string {
	if n := nouns[kind]; n != "" {
		return n
	}
	for _, vendor := range []string{"azurerm_", "azuread_", "aws_", "terraform_"} {
		kind = strings.TrimPrefix(kind, vendor)
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// about is whom a change is told under.
func (r *reader) about(c *planned.Change) string {
	if c.In("entra-api") != nil || c.In("entra-client") != nil {
		return c.Owner()
	}
	// An alert or a backend for each API is the API's.
	if r.names[c.Key] {
		return c.Key
	}
	if strings.HasPrefix(c.Type, "azurerm_monitor_") {
		for name := range r.names {
			if strings.HasSuffix(c.Key, "-"+name) {
				return name
			}
		}
	}
	for i := len(c.Modules) - 1; i >= 0; i-- {
		m := c.Modules[i]
		if r.names[m.Key] {
			return m.Key
		}
		if a := areaOf[m.Source]; a != "" {
			return a
		}
	}
	switch {
	case strings.HasPrefix(c.Type, "azuread_application"):
		return c.Owner()
	case strings.HasPrefix(c.Type, "azuread_"):
		return "sign-in"
	case strings.Contains(c.Type, "network") || strings.Contains(c.Type, "subnet") || strings.Contains(c.Type, "private_"):
		return "network"
	}
	return "other"
}

// services are what a private endpoint is for, by the platform's word.
var services = map[string]string{
	"sites": "app", "blob": "blobs", "table": "tables", "queue": "queues", "namespace": "event hubs", "azuremonitor": "logs",
}

// thing is what the resource is called: "private endpoint for the vault".
func thing(c *planned.Change) string {
	side := c.After
	if side == nil {
		side = c.Before
	}
	if c.Type == "azurerm_private_endpoint" {
		parts := planned.Texts(planned.Value(side, "private_service_connection.0.subresource_names"))
		for i, p := range parts {
			if w, ok := services[p]; ok {
				p = w
			}
			parts[i] = p
		}
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
		if len(parts) == 0 {
			return "private endpoint"
		}
		return "private endpoint for the " + strings.Join(parts, " and the ")
	}
	n := noun(c.Type)
	if c.Type == "azurerm_role_assignment" {
		return "access (" + planned.Text(side["role_definition_name"]) + ")"
	}
	if c.Type == "azuread_service_principal" || c.Type == "azuread_application" {
		return n // whose it is, the API or client says
	}
	key := c.Key
	if key == "this" {
		key = "" // what modules call the only one
	}
	for _, name := range []string{key, planned.Text(side["display_name"]), planned.Text(side["name"])} {
		if name != "" {
			return n + " " + name
		}
	}
	return n
}
