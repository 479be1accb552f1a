# An event hub, from which a SIEM reads.

locals {
  hub       = var.event_hub == null ? {} : { this = var.event_hub }
  hub_rules = var.event_hub == null ? false : !local.private && length(setunion(var.event_hub.addresses, var.event_hub.subnet_ids)) > 0
}

resource "azurerm_eventhub_namespace" "this" {
  for_each            = local.hub
  name                = "evhns-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  sku                 = each.value.sku
  capacity            = each.value.capacity

  local_authentication_enabled  = false
  minimum_tls_version           = "1.2"
  public_network_access_enabled = !local.private

  network_rulesets = local.hub_rules ? [{
    default_action                 = "Deny"
    public_network_access_enabled  = true
    trusted_service_access_enabled = false
    ip_rule                        = [for a in sort(each.value.addresses) : { action = "Allow", ip_mask = a }]
    virtual_network_rule           = [for s in sort(each.value.subnet_ids) : { subnet_id = s, ignore_missing_virtual_network_service_endpoint = false }]
  }] : null

  tags = var.tags
}

resource "azurerm_eventhub" "this" {
  for_each        = local.hub
  name            = each.value.hub
  namespace_id    = azurerm_eventhub_namespace.this["this"].id
  partition_count = each.value.partitions

  retention_description {
    cleanup_policy          = "Delete"
    retention_time_in_hours = each.value.retention_hours
  }
}

# On the hub, not on the namespace: what else is there stays shut.
resource "azurerm_role_assignment" "senders" {
  for_each             = var.event_hub == null ? {} : var.writers
  scope                = azurerm_eventhub.this["this"].id
  role_definition_name = "Azure Event Hubs Data Sender"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
  description          = "${each.key} sends events."
}

resource "azurerm_role_assignment" "receivers" {
  for_each             = try(var.event_hub.receivers, {})
  scope                = azurerm_eventhub.this["this"].id
  role_definition_name = "Azure Event Hubs Data Receiver"
  principal_id         = each.value
  description          = "${each.key} reads events."
}
