# The vault of the gateway's secrets, certificates and signing keys, reached through roles alone. It begins empty:
# what Terraform put in would stand in its state. `officers` put things in.
#
# Permissions: Key Vault Contributor on the resource group, and Role Based Access Control Administrator on it for the
# roles above. No role on what is inside. With `diagnostics`, Monitoring Contributor. Licence: none.

locals {
  # Roles by principal: each pair is an assignment of its own, so that taking one
  # name out of a map takes that role away and touches no other. Who reads or signs
  # is a service: said so, because one just made isn't known everywhere yet.
  assignments = merge(
    { for name, id in var.readers : "reads/${name}" => { role = "Key Vault Secrets User", principal = id, type = "ServicePrincipal" } },
    { for name, id in var.signers : "signs/${name}" => { role = "Key Vault Crypto User", principal = id, type = "ServicePrincipal" } },
    merge([for name, id in var.officers : {
      "keeps-secrets/${name}"      = { role = "Key Vault Secrets Officer", principal = id, type = null }
      "keeps-keys/${name}"         = { role = "Key Vault Crypto Officer", principal = id, type = null }
      "keeps-certificates/${name}" = { role = "Key Vault Certificates Officer", principal = id, type = null }
    }]...),
  )
}

resource "azurerm_key_vault" "vault" {
  name                = var.name
  location            = var.location
  resource_group_name = var.resource_group_name
  tenant_id           = var.tenant_id
  sku_name            = var.sku_name
  tags                = var.tags

  rbac_authorization_enabled      = true # no access policies: roles are seen and reviewed in one place
  purge_protection_enabled        = var.purge_protection
  soft_delete_retention_days      = 90
  enabled_for_deployment          = false
  enabled_for_disk_encryption     = false
  enabled_for_template_deployment = false
  public_network_access_enabled   = var.network.public_access

  network_acls {
    default_action             = "Deny"
    bypass                     = var.network.trusted_services ? "AzureServices" : "None"
    ip_rules                   = var.network.addresses
    virtual_network_subnet_ids = var.network.subnet_ids
  }
}

resource "azurerm_role_assignment" "vault" {
  for_each = local.assignments

  scope                = azurerm_key_vault.vault.id
  role_definition_name = each.value.role
  principal_id         = each.value.principal
  principal_type       = each.value.type
}

resource "azurerm_private_endpoint" "vault" {
  count = var.private_endpoint == null ? 0 : 1

  name                = "${var.name}-vault-pe"
  location            = var.location
  resource_group_name = var.resource_group_name
  subnet_id           = var.private_endpoint.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = "vault"
    private_connection_resource_id = azurerm_key_vault.vault.id
    subresource_names              = ["vault"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "vault"
    private_dns_zone_ids = [var.private_endpoint.zone_id]
  }
}

resource "azurerm_monitor_diagnostic_setting" "vault" {
  count = var.diagnostics == null ? 0 : 1

  name                       = "tollgate"
  target_resource_id         = azurerm_key_vault.vault.id
  log_analytics_workspace_id = var.diagnostics.workspace_id

  enabled_log {
    category = "AuditEvent"
  }

  enabled_metric {
    category = "AllMetrics"
  }
}
