# Backends that are hosted here. Each has a plan of its own: one that is busy takes
# nothing from another.

locals {
  images = { for n, a in local.by_web_app : n => split("/", a.stack["docker_image_name"]) if contains(keys(a.stack), "docker_image_name") }
}

resource "azurerm_service_plan" "backend" {
  for_each = local.by_web_app

  name                = "${var.name}-${each.key}-plan"
  location            = var.location
  resource_group_name = var.resource_group_name
  os_type             = "Linux"
  sku_name            = each.value.sku_name
  tags                = var.tags
}

resource "azurerm_linux_web_app" "backend" {
  for_each = local.by_web_app

  name                = "${var.name}-${each.key}"
  location            = var.location
  resource_group_name = var.resource_group_name
  service_plan_id     = azurerm_service_plan.backend[each.key].id
  app_settings        = each.value.settings
  tags                = var.tags

  https_only                                     = true
  public_network_access_enabled                  = !var.private_endpoints
  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false

  identity {
    type = "SystemAssigned"
  }

  site_config {
    always_on                         = true
    ftps_state                        = "Disabled"
    http2_enabled                     = true
    minimum_tls_version               = "1.3" # the gateway is the only caller
    scm_minimum_tls_version           = "1.3"
    remote_debugging_enabled          = false
    ip_restriction_default_action     = "Deny"
    scm_ip_restriction_default_action = "Deny"
    scm_use_main_ip_restriction       = false

    # The image is pulled with the app's identity: give its principal_id AcrPull.
    container_registry_use_managed_identity = contains(keys(local.images), each.key)

    application_stack {
      docker_image_name   = contains(keys(local.images), each.key) ? join("/", slice(local.images[each.key], 1, length(local.images[each.key]))) : null
      docker_registry_url = contains(keys(local.images), each.key) ? "https://${local.images[each.key][0]}" : null
      dotnet_version      = lookup(each.value.stack, "dotnet_version", null)
      node_version        = lookup(each.value.stack, "node_version", null)
      python_version      = lookup(each.value.stack, "python_version", null)
    }

    # Without private endpoints the gateway's subnet is let in at the public side.
    dynamic "ip_restriction" {
      for_each = var.private_endpoints ? [] : [azurerm_subnet.gateway.id]
      content {
        name                      = "gateway"
        priority                  = 100
        action                    = "Allow"
        virtual_network_subnet_id = ip_restriction.value
      }
    }
  }
}

resource "azurerm_private_endpoint" "web_app" {
  for_each = var.private_endpoints ? local.by_web_app : {}

  name                = "${var.name}-${each.key}-pe"
  location            = var.location
  resource_group_name = var.resource_group_name
  subnet_id           = azurerm_subnet.endpoints.id
  tags                = var.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = azurerm_linux_web_app.backend[each.key].id
    subresource_names              = ["sites"]
    is_manual_connection           = false
  }

  dynamic "private_dns_zone_group" {
    for_each = contains(var.zones, "sites") ? ["sites"] : []
    content {
      name                 = "sites"
      private_dns_zone_ids = [azurerm_private_dns_zone.service["sites"].id]
    }
  }

  depends_on = [azurerm_subnet_network_security_group_association.endpoints]
}
