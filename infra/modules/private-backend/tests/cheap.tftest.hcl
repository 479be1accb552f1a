# Without private endpoints, as a developer's environment has it.

mock_provider "azurerm" {
  mock_resource "azurerm_subnet" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"
    }
    override_during = plan
  }
}

variables {
  name                = "contoso-dev"
  location            = "westeurope"
  resource_group_name = "contoso-dev"
  address_space       = "10.21.0.0/24"
  subnets             = { gateway = "10.21.0.0/26", endpoints = "10.21.0.64/26" }
  private_endpoints   = false
  backends = {
    orders  = { resource = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/orders/providers/Microsoft.Web/sites/contoso-orders" } }
    catalog = { web_app = { stack = { docker_image_name = "contoso.azurecr.io/catalog:1.4" } } }
  }
}

run "nothing_is_paid_for_by_the_hour" {
  command = plan

  variables {
    backends = {}
  }

  assert {
    condition     = length(azurerm_private_endpoint.backend) + length(azurerm_private_endpoint.web_app) + length(azurerm_private_dns_zone.service) + length(azurerm_service_plan.backend) == 0
    error_message = "an endpoint, a zone or a plan is paid for"
  }
}

run "the_subnet_reaches_services_by_service_endpoints" {
  command = plan

  assert {
    condition     = toset([for e in azurerm_subnet.gateway.service_endpoint : e.service]) == toset(["Microsoft.KeyVault", "Microsoft.Storage", "Microsoft.Web"])
    error_message = "storage, vault and apps can't tell the gateway's subnet"
  }

  assert {
    condition     = toset(compact([for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.destination_address_prefix if r.direction == "Outbound" && r.access == "Allow"])) == toset(["AzureActiveDirectory", "AzureMonitor", "Storage", "AzureKeyVault", "AppService", "10.21.0.64/26"])
    error_message = "the gateway may call others, or can't call its storage, vault and apps"
  }
}

run "a_backend_hosted_here_lets_the_gateways_subnet_in_alone" {
  command = plan

  assert {
    condition     = azurerm_linux_web_app.backend["catalog"].site_config[0].ip_restriction_default_action == "Deny" && [for r in azurerm_linux_web_app.backend["catalog"].site_config[0].ip_restriction : r.virtual_network_subnet_id] == ["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"]
    error_message = "the backend is open to everyone, or closed to the gateway"
  }
}

run "the_gateway_calls_anything_where_asked" {
  command = plan

  variables {
    egress = { restricted = false }
  }

  assert {
    condition     = [for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.access if r.name == "call-anything"] == ["Allow"]
    error_message = "it may not"
  }
}

run "what_is_named_may_be_called_besides" {
  command = plan

  variables {
    egress = { service_tags = ["EventHub"], addresses = ["203.0.113.0/24"] }
  }

  assert {
    condition     = [for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.destination_address_prefix if r.name == "call-service-EventHub"] == ["EventHub"] && [for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.destination_address_prefix if r.name == "call-elsewhere"] == ["203.0.113.0/24"]
    error_message = "it may not"
  }

  assert {
    condition     = [for r in azurerm_network_security_group.subnet["gateway"].security_rule : r.access if r.name == "call-nothing-else"] == ["Deny"]
    error_message = "so may everything else"
  }
}

run "an_image_is_pulled_with_the_apps_identity" {
  command = plan

  assert {
    condition     = azurerm_linux_web_app.backend["catalog"].site_config[0].application_stack[0].docker_image_name == "catalog:1.4" && azurerm_linux_web_app.backend["catalog"].site_config[0].application_stack[0].docker_registry_url == "https://contoso.azurecr.io" && azurerm_linux_web_app.backend["catalog"].site_config[0].container_registry_use_managed_identity && azurerm_linux_web_app.backend["catalog"].identity[0].type == "SystemAssigned"
    error_message = "the image is pulled with a password, or from elsewhere"
  }
}
