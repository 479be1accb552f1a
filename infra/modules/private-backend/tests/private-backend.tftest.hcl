# The network with every switch on: the gateway's subnet is the only way in.

mock_provider "azurerm" {
  mock_resource "azurerm_private_endpoint" {
    defaults = {
      private_service_connection = [{
        name                              = "orders"
        private_connection_resource_id    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/orders/providers/Microsoft.Web/sites/contoso-orders"
        private_connection_resource_alias = ""
        subresource_names                 = ["sites"]
        is_manual_connection              = false
        request_message                   = ""
        private_ip_address                = "10.20.0.70"
      }]
    }
  }
}

variables {
  name                = "contoso-prod"
  location            = "westeurope"
  resource_group_name = "contoso-prod"
  address_space       = "10.20.0.0/24"
  subnets             = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26" }
  dns_zone            = "internal.contoso.example"
  backends = {
    orders    = { resource = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/orders/providers/Microsoft.Web/sites/contoso-orders" } }
    ledger    = { host = { address = "10.30.0.4" } }
    catalog-a = { web_app = { stack = { dotnet_version = "10.0" } } }
  }
}

run "the_gateways_subnet_is_for_flex_consumption" {
  command = plan

  assert {
    condition     = one(azurerm_subnet.gateway.delegation[0].service_delegation[*].name) == "Microsoft.App/environments"
    error_message = "the platform can't put the gateway into its subnet"
  }

  assert {
    condition     = length(azurerm_subnet.gateway.service_endpoint) == 0
    error_message = "the subnet has ways around the private endpoints"
  }
}

run "the_gateways_subnet_alone_reaches_private_endpoints" {
  command = plan

  assert {
    condition     = [for r in azurerm_network_security_group.subnet["endpoints"].security_rule : "${r.source_address_prefix} ${r.destination_port_range}" if r.direction == "Inbound" && r.access == "Allow"] == ["10.20.0.0/26 443"]
    error_message = "others than the gateway's subnet reach a private endpoint, or on other ports"
  }

  assert {
    condition     = length([for r in azurerm_network_security_group.subnet["endpoints"].security_rule : r if r.direction == "Inbound" && r.access == "Deny" && r.source_address_prefix == "*" && r.destination_address_prefix == "*" && r.protocol == "*" && r.priority == 4096]) == 1
    error_message = "Azure's own rule stays in force, which lets the whole network in"
  }

  assert {
    condition     = azurerm_subnet.endpoints.private_endpoint_network_policies == "Enabled"
    error_message = "private endpoints don't ask the security group"
  }
}

run "nothing_leaves_the_endpoints_subnet" {
  command = plan

  assert {
    condition     = length([for r in azurerm_network_security_group.subnet["endpoints"].security_rule : r if r.direction == "Outbound" && r.access == "Allow"]) == 0 && length([for r in azurerm_network_security_group.subnet["endpoints"].security_rule : r if r.direction == "Outbound" && r.access == "Deny" && r.destination_address_prefix == "*" && r.protocol == "*"]) == 1
    error_message = "something there may call out"
  }

  assert {
    condition     = azurerm_subnet.endpoints.default_outbound_access_enabled == false
    error_message = "Azure gives the subnet a way to the Internet"
  }
}

run "nobody_calls_into_the_gateways_subnet" {
  command = plan

  assert {
    condition     = [for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.source_address_prefix if r.direction == "Inbound" && r.access == "Allow"] == ["AzureLoadBalancer"] && length([for r in azurerm_network_security_group.subnet["gateway"].security_rule : r if r.direction == "Inbound" && r.access == "Deny" && r.source_address_prefix == "*" && r.protocol == "*"]) == 1
    error_message = "somebody else than the platform's probes is let in"
  }
}

run "the_gateway_calls_what_it_must_and_nothing_else" {
  command = plan

  assert {
    condition     = toset(compact([for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.destination_address_prefix if r.direction == "Outbound" && r.access == "Allow"])) == toset(["AzureActiveDirectory", "AzureMonitor", "10.20.0.64/26", "10.30.0.4/32"])
    error_message = "the gateway may call others than Entra, Azure Monitor and its backends"
  }

  assert {
    condition     = length(flatten([for r in azurerm_network_security_group.subnet["gateway"].security_rule : tolist(r.destination_address_prefixes) if r.direction == "Outbound" && r.access == "Allow"])) == 0
    error_message = "the gateway may call other addresses than its backends"
  }

  assert {
    condition     = toset([for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.destination_port_range if r.direction == "Outbound" && r.access == "Allow"]) == toset(["443"])
    error_message = "the gateway may call other ports than 443"
  }

  assert {
    condition     = length([for r in azurerm_network_security_group.subnet["gateway"].security_rule : r if r.direction == "Outbound" && r.access == "Deny" && r.destination_address_prefix == "*" && r.protocol == "*" && r.priority == 4096]) == 1
    error_message = "Azure's own rule stays in force, which lets everything out"
  }
}

run "every_subnet_has_its_rules" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", inbound = "10.20.0.128/28" }
    callers = ["10.40.0.0/16"]
  }

  override_resource {
    target          = azurerm_network_security_group.subnet["gateway"]
    values          = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/gateway" }
    override_during = plan
  }

  override_resource {
    target          = azurerm_network_security_group.subnet["endpoints"]
    values          = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/endpoints" }
    override_during = plan
  }

  override_resource {
    target          = azurerm_network_security_group.subnet["inbound"]
    values          = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/inbound" }
    override_during = plan
  }

  assert {
    condition     = toset(keys(azurerm_network_security_group.subnet)) == toset(["gateway", "endpoints", "inbound"])
    error_message = "a subnet has no rules"
  }

  assert {
    condition     = endswith(azurerm_subnet_network_security_group_association.gateway.network_security_group_id, "/gateway") && endswith(azurerm_subnet_network_security_group_association.endpoints.network_security_group_id, "/endpoints")
    error_message = "a subnet has another's rules"
  }

  assert {
    condition     = [for a in azurerm_subnet_network_security_group_association.inbound : endswith(a.network_security_group_id, "/inbound")] == [true]
    error_message = "the gateway's own endpoint is open to the whole network"
  }
}

run "callers_reach_the_gateways_own_endpoint_and_no_backend" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", inbound = "10.20.0.128/28" }
    callers = ["10.40.0.0/16"]
  }

  assert {
    condition     = [for r in azurerm_network_security_group.subnet["inbound"].security_rule : "${r.source_address_prefix} ${r.destination_port_range}" if r.direction == "Inbound" && r.access == "Allow"] == ["10.40.0.0/16 443"] && length([for r in azurerm_network_security_group.subnet["inbound"].security_rule : r if r.access == "Deny"]) == 2
    error_message = "others than the callers reach the gateway's endpoint"
  }

  assert {
    condition     = azurerm_subnet.inbound[0].private_endpoint_network_policies == "Enabled" && azurerm_subnet.inbound[0].default_outbound_access_enabled == false
    error_message = "the gateway's endpoint doesn't ask the security group"
  }

  assert {
    condition     = !contains(flatten([for r in azurerm_network_security_group.subnet["endpoints"].security_rule : concat([r.source_address_prefix], tolist(r.source_address_prefixes))]), "10.40.0.0/16")
    error_message = "callers reach backends past the gateway"
  }
}

run "an_existing_backend_gets_a_private_endpoint" {
  command = plan

  assert {
    condition     = azurerm_private_endpoint.backend["orders"].private_service_connection[0].private_connection_resource_id == var.backends["orders"].resource.id && azurerm_private_endpoint.backend["orders"].private_service_connection[0].subresource_names == tolist(["sites"])
    error_message = "orders isn't reached privately"
  }

  assert {
    condition     = one(azurerm_private_endpoint.backend["orders"].private_dns_zone_group[*].name) == "sites"
    error_message = "its public name leads to its public address still"
  }
}

run "a_backend_hosted_here_has_no_public_side" {
  command = plan

  assert {
    condition     = azurerm_linux_web_app.backend["catalog-a"].public_network_access_enabled == false
    error_message = "the backend has a public side"
  }

  assert {
    condition     = azurerm_linux_web_app.backend["catalog-a"].site_config[0].ip_restriction_default_action == "Deny" && length(azurerm_linux_web_app.backend["catalog-a"].site_config[0].ip_restriction) == 0
    error_message = "once the public side is on, somebody is let in"
  }

  assert {
    condition     = azurerm_linux_web_app.backend["catalog-a"].site_config[0].scm_ip_restriction_default_action == "Deny" && !azurerm_linux_web_app.backend["catalog-a"].site_config[0].scm_use_main_ip_restriction
    error_message = "its deployment site is open"
  }

  assert {
    condition     = azurerm_private_endpoint.web_app["catalog-a"].private_service_connection[0].subresource_names == tolist(["sites"])
    error_message = "the gateway can't reach it"
  }
}

run "a_backend_hosted_here_takes_https_alone_and_no_password" {
  command = plan

  assert {
    condition     = azurerm_linux_web_app.backend["catalog-a"].https_only && azurerm_linux_web_app.backend["catalog-a"].site_config[0].minimum_tls_version == "1.3" && azurerm_linux_web_app.backend["catalog-a"].site_config[0].scm_minimum_tls_version == "1.3"
    error_message = "it takes calls in the clear, or an old TLS"
  }

  assert {
    condition     = !azurerm_linux_web_app.backend["catalog-a"].ftp_publish_basic_authentication_enabled && !azurerm_linux_web_app.backend["catalog-a"].webdeploy_publish_basic_authentication_enabled && azurerm_linux_web_app.backend["catalog-a"].site_config[0].ftps_state == "Disabled"
    error_message = "passwords publish to it"
  }

  assert {
    condition     = !azurerm_linux_web_app.backend["catalog-a"].site_config[0].remote_debugging_enabled
    error_message = "remote debugging is on"
  }
}

run "names_lead_to_private_addresses" {
  command = plan

  assert {
    condition     = azurerm_private_dns_a_record.backend["ledger"].records == toset(["10.30.0.4"]) && azurerm_private_dns_zone.backends[0].name == "internal.contoso.example"
    error_message = "ledger.internal.contoso.example doesn't lead to the ledger"
  }

  assert {
    condition     = toset(keys(azurerm_private_dns_a_record.backend)) == toset(["ledger", "orders"])
    error_message = "a backend has no name"
  }

  assert {
    condition     = toset([for z in azurerm_private_dns_zone.service : z.name]) == toset(["privatelink.blob.core.windows.net", "privatelink.table.core.windows.net", "privatelink.vaultcore.azure.net", "privatelink.azurewebsites.net"])
    error_message = "names of storage, vault or apps lead to public addresses"
  }

  assert {
    condition     = one(azurerm_private_endpoint.web_app["catalog-a"].private_dns_zone_group[*].name) == "sites"
    error_message = "an app's name leads to its public address"
  }

  assert {
    condition     = output.backends["ledger"].url == "https://ledger.internal.contoso.example"
    error_message = "the environment is told another address"
  }
}

run "no_machine_names_itself_after_a_backend" {
  command = plan

  assert {
    condition     = azurerm_private_dns_zone_virtual_network_link.backends[0].registration_enabled == false && alltrue([for l in azurerm_private_dns_zone_virtual_network_link.service : l.registration_enabled == false])
    error_message = "a machine in the network can take a backend's name"
  }
}

run "calls_leave_from_one_address_where_asked" {
  command = plan

  variables {
    outbound = { nat_gateway = true }
  }

  assert {
    condition     = azurerm_public_ip.outbound[0].allocation_method == "Static" && azurerm_public_ip.outbound[0].sku == "Standard" && length(azurerm_subnet_nat_gateway_association.gateway) == 1 && length(azurerm_nat_gateway_public_ip_association.outbound) == 1
    error_message = "calls leave from addresses that change"
  }
}

run "all_traffic_goes_to_the_firewall_where_asked" {
  command = plan

  variables {
    outbound = { next_hop = "10.0.0.4", dns_servers = ["10.0.0.5"] }
  }

  assert {
    condition     = azurerm_route.outbound[0].address_prefix == "0.0.0.0/0" && azurerm_route.outbound[0].next_hop_type == "VirtualAppliance" && azurerm_route.outbound[0].next_hop_in_ip_address == "10.0.0.4" && length(azurerm_subnet_route_table_association.gateway) == 1
    error_message = "traffic goes past the firewall"
  }

  assert {
    condition     = azurerm_route_table.outbound[0].bgp_route_propagation_enabled == false
    error_message = "a route that another network announces leads past the firewall"
  }

  assert {
    condition     = azurerm_virtual_network.network.dns_servers == tolist(["10.0.0.5"]) && [for r in azurerm_network_security_group.subnet["gateway"].security_rule : "${r.destination_address_prefix} ${r.destination_port_range}" if r.name == "call-names"] == ["10.0.0.5/32 53"]
    error_message = "names aren't asked of the firewall's servers, or can't be"
  }
}

run "nothing_is_paid_for_that_nobody_asked_for" {
  command = plan

  variables {
    backends = {}
  }

  assert {
    condition     = length(azurerm_nat_gateway.outbound) + length(azurerm_public_ip.outbound) + length(azurerm_route_table.outbound) + length(azurerm_subnet.inbound) + length(azurerm_service_plan.backend) + length(azurerm_private_endpoint.backend) == 0
    error_message = "something is made that nobody asked for"
  }
}

run "what_happens_is_logged_where_a_workspace_is_given" {
  command = plan

  variables {
    diagnostics = { workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs" }
  }

  assert {
    condition     = toset(keys(azurerm_monitor_diagnostic_setting.network)) == toset(["network", "rules/gateway", "rules/endpoints", "app/catalog-a"])
    error_message = "something here leaves no trace"
  }

  assert {
    condition     = contains([for l in azurerm_monitor_diagnostic_setting.network["app/catalog-a"].enabled_log : l.category], "AppServiceHTTPLogs") && contains([for l in azurerm_monitor_diagnostic_setting.network["rules/endpoints"].enabled_log : l.category], "NetworkSecurityGroupEvent")
    error_message = "calls, or refused connections, leave no trace"
  }
}

run "operators_reach_storage_and_vault_and_no_backend" {
  command = plan

  variables {
    subnets   = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", services = "10.20.0.128/26" }
    operators = ["10.40.0.0/16"]
  }

  assert {
    condition     = toset([for r in azurerm_network_security_group.subnet["services"].security_rule : coalesce(r.source_address_prefix, join(",", r.source_address_prefixes)) if r.direction == "Inbound" && r.access == "Allow"]) == toset(["10.20.0.0/26", "10.40.0.0/16"])
    error_message = "others than the gateway and the operators reach the services"
  }

  assert {
    condition     = toset([for r in azurerm_network_security_group.subnet["endpoints"].security_rule : r.source_address_prefix if r.direction == "Inbound" && r.access == "Allow"]) == toset(["10.20.0.0/26"])
    error_message = "operators reach backends past the gateway"
  }

  assert {
    condition     = azurerm_subnet.services[0].private_endpoint_network_policies == "Enabled" && length(azurerm_subnet_network_security_group_association.services) == 1
    error_message = "the services' endpoints don't ask the security group"
  }
}
