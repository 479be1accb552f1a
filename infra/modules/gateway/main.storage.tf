locals {
  # Blobs: Owner is what the host asks for, for its locks and keys. Tables: rows,
  # and making the tables, which the gateway does itself when it first writes.
  # HTTP and timer triggers need no queue, so there is no role for one.
  storage_roles = {
    blobs  = "Storage Blob Data Owner"
    tables = "Storage Table Data Contributor"
  }

  storage_endpoints = local.private ? {
    for service, zone in var.private_endpoints.zone_ids : service => zone if contains(["blob", "table", "queue"], service)
  } : {}

  # A storage account takes a single address without its /32, and no IPv6.
  deployers = [for a in var.inbound.deployers : trimsuffix(a, "/32") if !strcontains(a, ":")]
}

resource "azurerm_storage_account" "gateway" {
  name                     = local.storage_name
  location                 = var.location
  resource_group_name      = var.resource_group_name
  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = var.storage_replication
  tags                     = var.tags

  shared_access_key_enabled         = false
  default_to_oauth_authentication   = true
  local_user_enabled                = false
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  allowed_copy_scope                = "AAD"
  infrastructure_encryption_enabled = true
  public_network_access_enabled     = !local.private

  network_rules {
    default_action             = "Deny"
    bypass                     = ["None"]
    virtual_network_subnet_ids = local.private ? [] : [var.subnet_id]
    ip_rules                   = local.private ? [] : local.deployers
  }

  blob_properties {
    delete_retention_policy {
      days = 14
    }
    container_delete_retention_policy {
      days = 14
    }
  }
}

resource "azurerm_storage_container" "package" {
  name                  = "packages"
  storage_account_id    = azurerm_storage_account.gateway.id
  container_access_type = "private"
}

# zip_deploy_file can't be used: it asks for publishing passwords, which are off,
# and for an address that Flex Consumption doesn't have (terraform-provider-azurerm
# issue 29630). The provider must say storage_use_azuread = true.
resource "azurerm_storage_blob" "package" {
  count = var.package == null ? 0 : 1

  name                 = local.package_name
  storage_container_id = azurerm_storage_container.package.id
  type                 = "Block"
  content_type         = "application/zip"
  source               = var.package
  content_md5          = filemd5(var.package) # a new package is a new blob
}

resource "azurerm_role_assignment" "storage" {
  for_each = local.storage_roles

  scope                = azurerm_storage_account.gateway.id
  role_definition_name = each.value
  principal_id         = azurerm_user_assigned_identity.gateway.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_private_endpoint" "storage" {
  for_each = local.storage_endpoints

  name                = "${var.name}-${each.key}-pe"
  location            = var.location
  resource_group_name = var.resource_group_name
  subnet_id           = var.private_endpoints.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = azurerm_storage_account.gateway.id
    subresource_names              = [each.key]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = each.key
    private_dns_zone_ids = [each.value]
  }
}
