# The function app that the gateway runs in, on Flex Consumption, its identity, its storage account, and
# who reaches it. Nobody has a key: shared keys and publishing passwords are off, and the app's identity alone
# reads packages and rows. What the gateway is told, beyond the contracts in its package, is in settings.json.
#
# Permissions: Contributor on the resource group, and Role Based Access Control Administrator on it for the
# identity's roles. With `package` also Storage Blob Data Contributor on the account, from an address that it lets in.
# The namespace Microsoft.App must be registered in the subscription. Licence: none.

locals {
  # Which settings the gateway reads, and who sets them: generated from the
  # gateway's own table.
  known_settings = jsondecode(file("${path.module}/settings.json"))

  storage_name = "${replace(var.name, "-", "")}st"
  package_name = "released-package.zip" # the name that the platform looks for

  private = var.private_endpoints != null
}

resource "azurerm_user_assigned_identity" "gateway" {
  name                = "${var.name}-id"
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_service_plan" "gateway" {
  name                   = "${var.name}-plan"
  location               = var.location
  resource_group_name    = var.resource_group_name
  os_type                = "Linux"
  sku_name               = "FC1"
  zone_balancing_enabled = var.instance.zone_redundant
  tags                   = var.tags
}

resource "azurerm_function_app_flex_consumption" "gateway" {
  name                = var.name
  location            = var.location
  resource_group_name = var.resource_group_name
  service_plan_id     = azurerm_service_plan.gateway.id
  tags                = var.tags

  runtime_name    = "custom"
  runtime_version = "1.0"

  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "${azurerm_storage_account.gateway.primary_blob_endpoint}${azurerm_storage_container.package.name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.gateway.id

  instance_memory_in_mb  = var.instance.memory_mb
  maximum_instance_count = var.instance.maximum
  http_concurrency       = var.instance.per_instance_concurrency

  https_only                                     = true
  public_network_access_enabled                  = var.inbound.mode != "private"
  client_certificate_enabled                     = var.inbound.certificates != "off"
  client_certificate_mode                        = var.inbound.certificates == "required" ? "Required" : "Optional"
  virtual_network_subnet_id                      = var.subnet_id
  webdeploy_publish_basic_authentication_enabled = false

  app_settings = local.app_settings

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.gateway.id]
  }

  dynamic "always_ready" {
    for_each = var.instance.always_ready > 0 ? [var.instance.always_ready] : []
    content {
      name           = "http" # all functions with an HTTP trigger, as one group
      instance_count = always_ready.value
    }
  }

  site_config {
    application_insights_connection_string = local.insights.connection_string

    http2_enabled            = true
    minimum_tls_version      = var.inbound.minimum_tls
    scm_minimum_tls_version  = "1.3"
    remote_debugging_enabled = false
    vnet_route_all_enabled   = true # no call leaves around the network's rules

    ip_restriction_default_action     = var.inbound.mode == "public" ? "Allow" : "Deny"
    scm_ip_restriction_default_action = "Deny"
    scm_use_main_ip_restriction       = false

    dynamic "ip_restriction" {
      for_each = local.admitted
      content {
        name        = ip_restriction.value.name
        priority    = ip_restriction.value.priority
        action      = "Allow"
        ip_address  = ip_restriction.value.ip_address
        service_tag = ip_restriction.value.service_tag
        headers     = ip_restriction.value.headers
      }
    }

    dynamic "scm_ip_restriction" {
      for_each = var.inbound.deployers
      content {
        name       = "deployer-${scm_ip_restriction.key}"
        priority   = 100 + scm_ip_restriction.key
        action     = "Allow"
        ip_address = scm_ip_restriction.value
      }
    }
  }

  # The app starts as soon as it is made, and asks for all of these.
  depends_on = [
    azurerm_role_assignment.storage,
    azurerm_role_assignment.insights,
    azurerm_private_endpoint.storage,
    azurerm_storage_blob.package,
  ]
}
