locals {
  # Rows of the tables are read and written at every call, so of the tables only
  # what is removed is logged; whoever reads or changes a package is always.
  diagnosed = var.diagnostics == null ? {} : {
    app    = { target = azurerm_function_app_flex_consumption.gateway.id, logs = ["FunctionAppLogs"], metric = "AllMetrics" }
    blobs  = { target = "${azurerm_storage_account.gateway.id}/blobServices/default", logs = ["StorageRead", "StorageWrite", "StorageDelete"], metric = "Transaction" }
    tables = { target = "${azurerm_storage_account.gateway.id}/tableServices/default", logs = ["StorageDelete"], metric = "Transaction" }
  }

  diagnosed_edge = var.diagnostics == null || var.inbound.front_door == null ? {} : {
    edge = { target = one(azurerm_cdn_frontdoor_profile.gateway[*].id), logs = ["FrontDoorAccessLog", "FrontDoorWebApplicationFirewallLog"], metric = "AllMetrics" }
  }
}

resource "azurerm_monitor_diagnostic_setting" "gateway" {
  for_each = merge(local.diagnosed, local.diagnosed_edge)

  name                       = "tollgate"
  target_resource_id         = each.value.target
  log_analytics_workspace_id = var.diagnostics.workspace_id

  dynamic "enabled_log" {
    for_each = each.value.logs
    content {
      category = enabled_log.value
    }
  }

  enabled_metric {
    category = each.value.metric
  }
}
