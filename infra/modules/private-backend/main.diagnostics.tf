locals {
  diagnosed = var.diagnostics == null ? {} : merge(
    { for n, g in azurerm_network_security_group.subnet : "rules/${n}" => { target = g.id, logs = ["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"], metric = null } },
    { for n, a in azurerm_linux_web_app.backend : "app/${n}" => { target = a.id, logs = ["AppServiceHTTPLogs", "AppServiceAuditLogs", "AppServiceIPSecAuditLogs"], metric = "AllMetrics" } },
    { network = { target = azurerm_virtual_network.network.id, logs = ["VMProtectionAlerts"], metric = "AllMetrics" } },
  )
}

resource "azurerm_monitor_diagnostic_setting" "network" {
  for_each = local.diagnosed

  name                       = "tollgate"
  target_resource_id         = each.value.target
  log_analytics_workspace_id = var.diagnostics.workspace_id

  dynamic "enabled_log" {
    for_each = each.value.logs
    content {
      category = enabled_log.value
    }
  }

  dynamic "enabled_metric" {
    for_each = each.value.metric == null ? [] : [each.value.metric]
    content {
      category = enabled_metric.value
    }
  }
}
