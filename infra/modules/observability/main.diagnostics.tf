# What is done to these resources themselves: who asked which query, who read the
# hub, which events the collection rule couldn't take (DCRLogErrors).

resource "azurerm_monitor_diagnostic_setting" "workspace" {
  name                       = "tollgate"
  target_resource_id         = azurerm_log_analytics_workspace.this.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "rule" {
  name                       = "tollgate"
  target_resource_id         = azurerm_monitor_data_collection_rule.this.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  enabled_log {
    category = "LogErrors"
  }
}

resource "azurerm_monitor_diagnostic_setting" "event_hub" {
  for_each                   = local.hub
  name                       = "tollgate"
  target_resource_id         = azurerm_eventhub_namespace.this["this"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  enabled_log {
    category_group = "allLogs"
  }
  enabled_metric {
    category = "AllMetrics"
  }
}
