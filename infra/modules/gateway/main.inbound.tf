locals {
  front_door_guid = var.inbound.front_door == null ? var.inbound.front_door_id : one(azurerm_cdn_frontdoor_profile.gateway[*].resource_guid)

  admitted_addresses = [for i, a in var.inbound.addresses : {
    name = "caller-${i}", priority = 100 + i, ip_address = a, service_tag = null, headers = null
  }]

  # The tag alone admits everybody's Front Door; the header says which one's.
  admitted_front_door = var.inbound.mode == "front_door" ? [{
    name        = "front-door"
    priority    = 100
    ip_address  = null
    service_tag = "AzureFrontDoor.Backend"
    headers = [{
      x_azure_fdid      = [local.front_door_guid]
      x_fd_health_probe = null
      x_forwarded_for   = null
      x_forwarded_host  = null
    }]
  }] : []

  admitted = concat(local.admitted_addresses, local.admitted_front_door)

  # With a Front Door made here the public name is Front Door's.
  app_domain = var.inbound.front_door == null ? var.custom_domain : null
}

resource "azurerm_private_endpoint" "sites" {
  count = var.inbound.mode == "private" ? 1 : 0

  name                = "${var.name}-sites-pe"
  location            = var.location
  resource_group_name = var.resource_group_name
  subnet_id           = coalesce(var.inbound.endpoint_subnet_id, var.private_endpoints.subnet_id)
  tags                = var.tags

  private_service_connection {
    name                           = "sites"
    private_connection_resource_id = azurerm_function_app_flex_consumption.gateway.id
    subresource_names              = ["sites"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "sites"
    private_dns_zone_ids = [var.private_endpoints.zone_ids["sites"]]
  }
}

resource "azurerm_app_service_custom_hostname_binding" "gateway" {
  count = local.app_domain == null ? 0 : 1

  hostname            = local.app_domain.hostname
  app_service_name    = azurerm_function_app_flex_consumption.gateway.name
  resource_group_name = var.resource_group_name

  lifecycle {
    ignore_changes = [ssl_state, thumbprint] # the certificate's binding sets them
  }
}

resource "azurerm_app_service_managed_certificate" "gateway" {
  count = try(local.app_domain.certificate, "none") == "managed" ? 1 : 0

  custom_hostname_binding_id = azurerm_app_service_custom_hostname_binding.gateway[0].id
  tags                       = var.tags
}

resource "azurerm_app_service_certificate_binding" "gateway" {
  count = length(azurerm_app_service_managed_certificate.gateway)

  hostname_binding_id = azurerm_app_service_custom_hostname_binding.gateway[0].id
  certificate_id      = azurerm_app_service_managed_certificate.gateway[0].id
  ssl_state           = "SniEnabled"
}
