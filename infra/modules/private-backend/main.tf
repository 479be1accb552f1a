# The network: the gateway's subnet, the subnet of private endpoints that it alone reaches, names, backends,
# and how calls leave.
#
# Permissions: Network Contributor on the resource group and, for apps hosted here, Website Contributor. For a private
# endpoint of a resource elsewhere, the right to approve its connection (Contributor on that resource has it). With
# `diagnostics`, Monitoring Contributor. Licence: none.

locals {
  # Where there are no private endpoints, these let the subnet in by itself.
  service_endpoints = var.private_endpoints ? [] : ["Microsoft.KeyVault", "Microsoft.Storage", "Microsoft.Web"]

  by_resource = { for n, b in var.backends : n => b.resource if b.resource != null && var.private_endpoints }
  by_host     = { for n, b in var.backends : n => b.host if b.host != null }
  by_web_app  = { for n, b in var.backends : n => b.web_app if b.web_app != null }
}

resource "azurerm_virtual_network" "network" {
  name                = "${var.name}-net"
  location            = var.location
  resource_group_name = var.resource_group_name
  address_space       = [var.address_space]
  dns_servers         = var.outbound.dns_servers
  tags                = var.tags
}

# Its name has no underscore: the platform refuses one.
resource "azurerm_subnet" "gateway" {
  name                 = "gateway"
  resource_group_name  = var.resource_group_name
  virtual_network_name = azurerm_virtual_network.network.name
  address_prefixes     = [var.subnets.gateway]

  delegation {
    name = "flex-consumption"

    service_delegation {
      name    = "Microsoft.App/environments"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }

  dynamic "service_endpoint" {
    for_each = local.service_endpoints
    content {
      service = service_endpoint.value
    }
  }
}

resource "azurerm_subnet" "endpoints" {
  name                              = "endpoints"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.network.name
  address_prefixes                  = [var.subnets.endpoints]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "Enabled" # off, the security group isn't asked
}

# What operators reach as well stands apart from backends: whoever keeps keys must not call those past the gateway.
resource "azurerm_subnet" "services" {
  count = var.subnets.services == null ? 0 : 1

  name                              = "services"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.network.name
  address_prefixes                  = [var.subnets.services]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "Enabled"
}

# The gateway's own endpoint is not among those that it calls: whoever may call the
# gateway would reach its backends as well.
resource "azurerm_subnet" "inbound" {
  count = var.subnets.inbound == null ? 0 : 1

  name                              = "inbound"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.network.name
  address_prefixes                  = [var.subnets.inbound]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "Enabled"
}

resource "azurerm_private_endpoint" "backend" {
  for_each = local.by_resource

  name                = "${var.name}-${each.key}-pe"
  location            = var.location
  resource_group_name = var.resource_group_name
  subnet_id           = azurerm_subnet.endpoints.id
  tags                = var.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value.id
    subresource_names              = [each.value.subresource]
    is_manual_connection           = false
  }

  dynamic "private_dns_zone_group" {
    for_each = contains(var.zones, lookup(local.zone_of_subresource, each.value.subresource, "none")) ? [local.zone_of_subresource[each.value.subresource]] : []
    content {
      name                 = private_dns_zone_group.value
      private_dns_zone_ids = [azurerm_private_dns_zone.service[private_dns_zone_group.value].id]
    }
  }

  depends_on = [azurerm_subnet_network_security_group_association.endpoints]
}
