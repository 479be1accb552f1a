# Private ways in: a private link scope for Azure Monitor, an endpoint for the
# event hub.

locals {
  ways = var.private_endpoints == null ? {} : { this = var.private_endpoints }
  linked = local.private ? {
    workspace = azurerm_log_analytics_workspace.this.id
    endpoint  = azurerm_monitor_data_collection_endpoint.this.id
    insights  = azurerm_application_insights.this.id
  } : {}
}

resource "azurerm_monitor_private_link_scope" "this" {
  for_each              = local.ways
  name                  = "ampls-${var.name}"
  resource_group_name   = var.resource_group_name
  ingestion_access_mode = "PrivateOnly"
  query_access_mode     = each.value.queries ? "PrivateOnly" : "Open"
  tags                  = var.tags
}

resource "azurerm_monitor_private_link_scoped_service" "this" {
  for_each            = local.linked
  name                = "${each.key}-${var.name}"
  resource_group_name = var.resource_group_name
  scope_name          = azurerm_monitor_private_link_scope.this["this"].name
  linked_resource_id  = each.value
}

resource "azurerm_private_endpoint" "monitor" {
  for_each            = local.ways
  name                = "pe-monitor-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = each.value.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = "monitor"
    private_connection_resource_id = azurerm_monitor_private_link_scope.this["this"].id
    subresource_names              = ["azuremonitor"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "monitor"
    private_dns_zone_ids = [for z in ["monitor", "oms", "ods", "agentsvc", "blob"] : each.value.zone_ids[z]]
  }

  # An endpoint that is made first has no names of what is linked later.
  depends_on = [azurerm_monitor_private_link_scoped_service.this]
}

resource "azurerm_private_endpoint" "event_hub" {
  for_each            = var.event_hub == null ? {} : local.ways
  name                = "pe-evhns-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = each.value.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = "event-hub"
    private_connection_resource_id = azurerm_eventhub_namespace.this["this"].id
    subresource_names              = ["namespace"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "event-hub"
    private_dns_zone_ids = [each.value.zone_ids["servicebus"]]
  }
}
