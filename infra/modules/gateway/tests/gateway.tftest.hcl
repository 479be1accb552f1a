# The function app: who reaches it, how it proves itself, what it is told.

mock_provider "azurerm" {}

variables {
  name                = "contoso-gateway-dev"
  location            = "westeurope"
  resource_group_name = "contoso-gateway-dev"
  environment         = "dev"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"
}

run "runs_the_custom_handler_on_flex_consumption" {
  command = plan

  assert {
    condition     = azurerm_service_plan.gateway.sku_name == "FC1" && azurerm_service_plan.gateway.os_type == "Linux"
    error_message = "the plan isn't Flex Consumption"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.runtime_name == "custom"
    error_message = "the runtime isn't a custom handler"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.instance_memory_in_mb == 512 && azurerm_function_app_flex_consumption.gateway.maximum_instance_count == 40 && azurerm_function_app_flex_consumption.gateway.http_concurrency == 100
    error_message = "the default size isn't the cheapest one"
  }

  assert {
    condition     = length(azurerm_function_app_flex_consumption.gateway.always_ready) == 0
    error_message = "an instance is paid for that nobody asked for"
  }
}

run "takes_https_alone" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.https_only
    error_message = "calls in the clear are taken"
  }
}

run "takes_no_tls_below_1_2" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].minimum_tls_version == "1.2"
    error_message = "a TLS below 1.2 is taken"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].scm_minimum_tls_version == "1.3"
    error_message = "the deployment site takes a TLS below 1.3"
  }
}

run "takes_tls_1_3_alone_where_asked" {
  command = plan

  variables {
    inbound = { minimum_tls = "1.3" }
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].minimum_tls_version == "1.3"
    error_message = "TLS 1.2 is taken"
  }
}

run "no_password_publishes" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.webdeploy_publish_basic_authentication_enabled == false
    error_message = "publishing by password is on"
  }
}

run "nobody_debugs_from_afar" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].remote_debugging_enabled == false
    error_message = "remote debugging is on"
  }
}

run "every_call_out_goes_through_the_network" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].vnet_route_all_enabled
    error_message = "calls leave around the network's rules"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.virtual_network_subnet_id == var.subnet_id
    error_message = "the app isn't in the gateway's subnet"
  }
}

run "everyone_reaches_a_public_gateway_and_nobody_its_deployment_site" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.public_network_access_enabled && azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction_default_action == "Allow" && length(azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction) == 0
    error_message = "a public gateway isn't"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].scm_ip_restriction_default_action == "Deny" && length(azurerm_function_app_flex_consumption.gateway.site_config[0].scm_ip_restriction) == 0
    error_message = "the deployment site is open"
  }

  assert {
    condition     = !azurerm_function_app_flex_consumption.gateway.site_config[0].scm_use_main_ip_restriction
    error_message = "the deployment site admits whom the gateway admits"
  }
}

run "deployers_reach_the_deployment_site_and_the_storage" {
  command = plan

  variables {
    inbound = { deployers = ["203.0.113.7/32", "198.51.100.0/24", "2001:db8::/64"] }
  }

  assert {
    condition     = tolist([for r in azurerm_function_app_flex_consumption.gateway.site_config[0].scm_ip_restriction : r.ip_address]) == var.inbound.deployers
    error_message = "the deployment site doesn't admit the deployers, and them alone"
  }

  assert {
    condition     = azurerm_storage_account.gateway.network_rules[0].ip_rules == toset(["203.0.113.7", "198.51.100.0/24"])
    error_message = "the storage doesn't admit the deployers, and them alone"
  }
}

run "only_these_addresses_reach_it_with_mode_addresses" {
  command = plan

  variables {
    inbound = { mode = "addresses", addresses = ["203.0.113.0/24", "2001:db8::/32"] }
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction_default_action == "Deny"
    error_message = "others are let in"
  }

  assert {
    condition     = tolist([for r in azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction : r.ip_address]) == var.inbound.addresses && alltrue([for r in azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction : r.action == "Allow"])
    error_message = "the addresses aren't let in"
  }
}

run "only_one_front_door_reaches_it_with_mode_front_door" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door_id = "aaaaaaaa-0000-4000-8000-000000000001" }
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction_default_action == "Deny" && length(azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction) == 1
    error_message = "others are let in"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction[0].service_tag == "AzureFrontDoor.Backend"
    error_message = "whoever isn't Front Door is let in"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction[0].headers[0].x_azure_fdid == tolist(["aaaaaaaa-0000-4000-8000-000000000001"])
    error_message = "anybody's Front Door is let in"
  }

  assert {
    condition     = length(azurerm_cdn_frontdoor_profile.gateway) == 0
    error_message = "a second Front Door is made"
  }
}

run "only_the_private_endpoint_reaches_it_with_mode_private" {
  command = plan

  variables {
    inbound = { mode = "private", endpoint_subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/inbound" }
    private_endpoints = {
      subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/endpoints"
      zone_ids = {
        blob  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
        table = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.table.core.windows.net"
        sites = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.azurewebsites.net"
      }
    }
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.public_network_access_enabled == false
    error_message = "the gateway has a public side"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction_default_action == "Deny"
    error_message = "once the public side is on again, everyone is let in"
  }

  assert {
    condition     = azurerm_private_endpoint.sites[0].private_service_connection[0].subresource_names == tolist(["sites"]) && azurerm_private_endpoint.sites[0].subnet_id == var.inbound.endpoint_subnet_id
    error_message = "there is no private endpoint to reach it by"
  }
}

run "one_identity_and_no_key" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.identity[0].type == "UserAssigned"
    error_message = "the app has no identity of its own, or two"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.storage_authentication_type == "UserAssignedIdentity" && azurerm_function_app_flex_consumption.gateway.storage_access_key == null
    error_message = "the package is read with a key"
  }
}

run "the_identity_may_do_what_it_needs_and_no_more" {
  command = plan

  assert {
    condition     = toset([for r in azurerm_role_assignment.storage : r.role_definition_name]) == toset(["Storage Blob Data Owner", "Storage Table Data Contributor"])
    error_message = "the identity's roles on the storage account are others than the host and the gateway need"
  }

  assert {
    condition     = length(azurerm_role_assignment.insights) == 0
    error_message = "a role is given that nothing needs"
  }
}

run "keeps_as_many_instances_ready_in_as_many_zones_as_asked" {
  command = plan

  variables {
    instance            = { memory_mb = 2048, maximum = 200, always_ready = 2, zone_redundant = true }
    storage_replication = "ZRS"
  }

  assert {
    condition     = azurerm_service_plan.gateway.zone_balancing_enabled
    error_message = "instances aren't spread over zones"
  }

  assert {
    condition     = one(azurerm_function_app_flex_consumption.gateway.always_ready[*].instance_count) == 2 && one(azurerm_function_app_flex_consumption.gateway.always_ready[*].name) == "http"
    error_message = "two instances aren't kept ready for calls"
  }
}

run "the_public_name_has_a_certificate_that_azure_renews" {
  command = plan

  variables {
    custom_domain = { hostname = "api.contoso.example" }
  }

  assert {
    condition     = azurerm_app_service_custom_hostname_binding.gateway[0].hostname == "api.contoso.example"
    error_message = "the name isn't bound"
  }

  assert {
    condition     = length(azurerm_app_service_managed_certificate.gateway) == 1 && azurerm_app_service_certificate_binding.gateway[0].ssl_state == "SniEnabled"
    error_message = "the name has no certificate"
  }

  assert {
    condition     = output.public_hostname == "api.contoso.example"
    error_message = "callers are told another name"
  }
}

run "what_happens_is_logged_where_a_workspace_is_given" {
  command = plan

  variables {
    diagnostics = { workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs" }
  }

  assert {
    condition     = toset(keys(azurerm_monitor_diagnostic_setting.gateway)) == toset(["app", "blobs", "tables"])
    error_message = "something here leaves no trace"
  }

  assert {
    condition     = toset([for l in azurerm_monitor_diagnostic_setting.gateway["blobs"].enabled_log : l.category]) == toset(["StorageRead", "StorageWrite", "StorageDelete"])
    error_message = "who reads or changes a package leaves no trace"
  }
}

run "callers_without_a_certificate_are_turned_away_where_asked" {
  command = plan

  variables {
    inbound = { certificates = "required" }
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.client_certificate_enabled && azurerm_function_app_flex_consumption.gateway.client_certificate_mode == "Required"
    error_message = "callers need no certificate"
  }
}

run "callers_certificates_are_passed_on_where_asked" {
  command = plan

  variables {
    inbound = { certificates = "optional" }
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.client_certificate_enabled && azurerm_function_app_flex_consumption.gateway.client_certificate_mode == "Optional"
    error_message = "a caller writes the certificate's header itself"
  }
}
