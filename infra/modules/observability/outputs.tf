output "workspace_id" {
  description = "The workspace: where diagnostic settings of other modules go."
  value       = azurerm_log_analytics_workspace.this.id
}

output "workspace_customer_id" {
  description = "The workspace's id for queries (`az monitor log-analytics query --workspace`)."
  value       = azurerm_log_analytics_workspace.this.workspace_id
}

output "application_insights" {
  description = "For the function app. Without keys the connection string opens nothing; it is marked because it has the shape of one."
  sensitive   = true
  value = {
    id                = azurerm_application_insights.this.id
    connection_string = azurerm_application_insights.this.connection_string
  }
}

output "logs" {
  description = "`audit.logs` of the environment."
  value = {
    endpoint = azurerm_monitor_data_collection_endpoint.this.logs_ingestion_endpoint
    rule     = azurerm_monitor_data_collection_rule.this.immutable_id
    stream   = local.stream
  }
}

output "event_hub" {
  description = "`audit.eventHub` of the environment; null without one."
  value = var.event_hub == null ? null : {
    namespace = "https://${azurerm_eventhub_namespace.this["this"].name}.servicebus.windows.net"
    name      = azurerm_eventhub.this["this"].name
  }
}

output "action_group_id" {
  description = "Who is woken; for rules of your own."
  value       = azurerm_monitor_action_group.this.id
}

output "alerts" {
  description = "Names of the rules that there are, by query (and API)."
  value       = { for name, rule in azurerm_monitor_scheduled_query_rules_alert_v2.this : name => rule.name }
}

output "private_link_scope_id" {
  description = "The private link scope, for other resources of Azure Monitor that the network sends to; null without private endpoints."
  value       = try(azurerm_monitor_private_link_scope.this["this"].id, null)
}
