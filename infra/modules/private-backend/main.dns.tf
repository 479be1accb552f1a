locals {
  # Azure's public cloud; https://learn.microsoft.com/azure/private-link/private-endpoint-dns
  zone_names = {
    blob       = "privatelink.blob.core.windows.net"
    table      = "privatelink.table.core.windows.net"
    queue      = "privatelink.queue.core.windows.net"
    vaultcore  = "privatelink.vaultcore.azure.net"
    sites      = "privatelink.azurewebsites.net"
    servicebus = "privatelink.servicebus.windows.net"
    monitor    = "privatelink.monitor.azure.com"
    oms        = "privatelink.oms.opinsights.azure.com"
    ods        = "privatelink.ods.opinsights.azure.com"
    agentsvc   = "privatelink.agentsvc.azure-automation.net"
  }

  zone_of_subresource = {
    sites = "sites", blob = "blob", table = "table", queue = "queue", vault = "vaultcore", namespace = "servicebus"
  }

  zones = var.private_endpoints ? { for z in var.zones : z => local.zone_names[z] } : {}

  # What a backend's own name leads to: the address it was given, or its endpoint's.
  # It must have a certificate for that name. An app hosted here has one for Azure's
  # name alone, which leads to its endpoint too, so it gets no other.
  backend_records = var.dns_zone == null ? {} : merge(
    { for n, b in local.by_host : n => b.address },
    { for n, p in azurerm_private_endpoint.backend : n => one(p.private_service_connection[*].private_ip_address) },
  )
}

resource "azurerm_private_dns_zone" "service" {
  for_each = local.zones

  name                = each.value
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "service" {
  for_each = local.zones

  name                 = "${var.name}-net"
  private_dns_zone_id  = azurerm_private_dns_zone.service[each.key].id
  virtual_network_id   = azurerm_virtual_network.network.id
  registration_enabled = false
  tags                 = var.tags
}

resource "azurerm_private_dns_zone" "backends" {
  count = var.dns_zone == null ? 0 : 1

  name                = var.dns_zone
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

# No registration: a machine in the network must not name itself after a backend.
resource "azurerm_private_dns_zone_virtual_network_link" "backends" {
  count = length(azurerm_private_dns_zone.backends)

  name                 = "${var.name}-net"
  private_dns_zone_id  = azurerm_private_dns_zone.backends[0].id
  virtual_network_id   = azurerm_virtual_network.network.id
  registration_enabled = false
  tags                 = var.tags
}

resource "azurerm_private_dns_a_record" "backend" {
  for_each = local.backend_records

  name                = each.key
  private_dns_zone_id = azurerm_private_dns_zone.backends[0].id
  ttl                 = 60
  records             = [each.value]
  tags                = var.tags
}
