# A Front Door of the gateway's own.

mock_provider "azurerm" {
  mock_resource "azurerm_cdn_frontdoor_profile" {
    defaults = {
      id            = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Cdn/profiles/contoso-gateway-prod-fd"
      resource_guid = "aaaaaaaa-0000-4000-8000-000000000002"
    }
    override_during = plan
  }
}

variables {
  name                = "contoso-gateway-prod"
  location            = "westeurope"
  resource_group_name = "contoso-gateway-prod"
  environment         = "prod"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"
  inbound             = { mode = "front_door", front_door = {} }
}

run "only_its_own_front_door_reaches_the_gateway" {
  command = plan

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].ip_restriction[0].headers[0].x_azure_fdid == tolist(["aaaaaaaa-0000-4000-8000-000000000002"])
    error_message = "another Front Door is let in"
  }

  assert {
    condition     = output.front_door.id == "aaaaaaaa-0000-4000-8000-000000000002"
    error_message = "the environment isn't told its Front Door's id"
  }
}

run "the_firewall_blocks_what_it_finds" {
  command = plan

  assert {
    condition     = azurerm_cdn_frontdoor_firewall_policy.gateway[0].mode == "Prevention" && azurerm_cdn_frontdoor_firewall_policy.gateway[0].request_body_check_enabled
    error_message = "the firewall only watches"
  }

  assert {
    condition     = toset([for r in azurerm_cdn_frontdoor_firewall_policy.gateway[0].managed_rule : "${r.type} ${r.action}"]) == toset(["Microsoft_DefaultRuleSet Block", "Microsoft_BotManagerRuleSet Block"])
    error_message = "the managed rules aren't there, or don't block"
  }

  assert {
    condition     = azurerm_cdn_frontdoor_firewall_policy.gateway[0].custom_rule[0].action == "Block" && azurerm_cdn_frontdoor_firewall_policy.gateway[0].custom_rule[0].rate_limit_threshold == 3000 && azurerm_cdn_frontdoor_firewall_policy.gateway[0].custom_rule[0].match_condition[0].match_variable == "SocketAddr"
    error_message = "one address may send what it likes, or escape by a header"
  }
}

run "the_firewall_stands_before_every_path" {
  command = plan

  assert {
    condition     = azurerm_cdn_frontdoor_security_policy.gateway[0].security_policies[0].firewall[0].association[0].patterns_to_match == tolist(["/*"])
    error_message = "some path goes around the firewall"
  }
}

run "nothing_goes_in_the_clear" {
  command = plan

  assert {
    condition     = azurerm_cdn_frontdoor_route.gateway[0].supported_protocols == toset(["Https"]) && azurerm_cdn_frontdoor_route.gateway[0].forwarding_protocol == "HttpsOnly"
    error_message = "calls go in the clear"
  }

  assert {
    condition     = azurerm_cdn_frontdoor_origin.gateway[0].certificate_name_check_enabled
    error_message = "Front Door calls whoever answers for the gateway"
  }
}

run "nothing_is_cached" {
  command = plan

  assert {
    condition     = length(azurerm_cdn_frontdoor_route.gateway[0].cache) == 0
    error_message = "one caller's answer is another's"
  }
}

run "no_probe_keeps_instances_awake" {
  command = plan

  assert {
    condition     = length(azurerm_cdn_frontdoor_origin_group.gateway[0].health_probe) == 0
    error_message = "probes from every edge are paid for"
  }
}

run "the_public_name_is_front_doors" {
  command = plan

  variables {
    custom_domain = { hostname = "api.contoso.example" }
  }

  assert {
    condition     = azurerm_cdn_frontdoor_custom_domain.gateway[0].host_name == "api.contoso.example" && azurerm_cdn_frontdoor_custom_domain.gateway[0].tls[0].minimum_version == "TLS12"
    error_message = "Front Door doesn't have the name, or takes an old TLS for it"
  }

  assert {
    condition     = azurerm_cdn_frontdoor_route.gateway[0].link_to_default_domain == false
    error_message = "a second name goes around the first one's firewall"
  }

  assert {
    condition     = length(azurerm_app_service_custom_hostname_binding.gateway) == 0
    error_message = "the app answers to the public name itself"
  }
}

run "the_standard_sku_has_no_managed_rules" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door = { sku_name = "Standard_AzureFrontDoor", requests_per_minute = 600 } }
  }

  assert {
    condition     = length(azurerm_cdn_frontdoor_firewall_policy.gateway[0].managed_rule) == 0 && azurerm_cdn_frontdoor_firewall_policy.gateway[0].sku_name == "Standard_AzureFrontDoor"
    error_message = "Standard is asked for what it doesn't have"
  }
}

run "what_the_edge_decides_is_logged" {
  command = plan

  variables {
    diagnostics = { workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs" }
  }

  assert {
    condition     = toset([for l in azurerm_monitor_diagnostic_setting.gateway["edge"].enabled_log : l.category]) == toset(["FrontDoorAccessLog", "FrontDoorWebApplicationFirewallLog"])
    error_message = "what the firewall blocked leaves no trace"
  }
}
