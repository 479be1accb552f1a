# Where the gateway's events and telemetry go, and who is woken by them: a
# workspace with the table TollgateAudit_CL, the rule that fills it, Application
# Insights, alerts, saved searches, a workbook, and an event hub for a SIEM.
#
# Nobody sends by a key: shared keys of the workspace, of Application Insights
# and of the event hub are off. The identities of `writers` get Monitoring Metrics
# Publisher on the collection rule and on Application Insights, and Azure Event
# Hubs Data Sender on the hub. Who reads people's events needs a role on the
# workspace; a role on the function app alone isn't enough.
#
# Permissions: Contributor on the resource group, and Role Based Access Control
# Administrator on it for the roles above. Licence: none.
#
# Alert rules. Azure Monitor refuses rules whose properties are more than 64 KB
# together, bag_unpack(), pivot(), narrow(), ago() of anything but a literal, and
# the name AggregatedValue; it reads two days at the most. A test here holds the
# queries to that. Their union is a reason not to run one every minute, which none
# does. `union isfuzzy=true` leaves out tables that aren't there yet (AppTraces
# before the first trace, `traces` in every workspace), so that a rule can be made
# on the first day; a rule whose query fails for a week is switched off by Azure,
# which its resource health and the activity log tell. An alert is told once and
# resolved when a run finds nothing.
#
# With `private_endpoints`: one private link scope belongs to all networks that
# share its DNS zones. It is PrivateOnly for what comes in, so every other Azure
# Monitor resource that these networks send to must be in the scope too.
# Diagnostic settings of Azure's own services and alerts don't pass through it.

locals {
  columns = jsondecode(file("${path.module}/columns.json"))
  stream  = "Custom-Tollgate"
  table   = "TollgateAudit_CL"
  private = var.private_endpoints != null
  queries = try(!var.private_endpoints.queries, true)
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  sku                 = "PerGB2018"
  retention_in_days   = var.retention.days
  daily_quota_gb      = var.daily_quota_gb

  local_authentication_enabled   = false
  internet_ingestion_access_type = local.private ? "Disabled" : "Enabled"
  internet_query_access_type     = local.queries ? "Enabled" : "Disabled"
  # Otherwise a reader of the function app could read who called, out of its traces.
  allow_resource_only_permissions = false

  tags = var.tags
}

resource "azurerm_log_analytics_workspace_table_custom_log" "audit" {
  name              = local.table
  workspace_id      = azurerm_log_analytics_workspace.this.id
  description       = "One row for each decision of the gateway."
  retention_in_days = var.retention.days
  # Silence is retention_in_days.
  total_retention_in_days = var.retention.total_days > var.retention.days ? var.retention.total_days : null

  dynamic "column" {
    for_each = local.columns
    content {
      name = column.value.name
      # The table's interface writes this one type in another way than the stream's.
      type = column.value.type == "datetime" ? "dateTime" : column.value.type
    }
  }
}

resource "azurerm_monitor_data_collection_endpoint" "this" {
  name                          = "dce-${var.name}"
  resource_group_name           = var.resource_group_name
  location                      = var.location
  public_network_access_enabled = !local.private
  tags                          = var.tags
}

resource "azurerm_monitor_data_collection_rule" "this" {
  name                        = "dcr-${var.name}"
  resource_group_name         = var.resource_group_name
  location                    = var.location
  data_collection_endpoint_id = azurerm_monitor_data_collection_endpoint.this.id
  tags                        = var.tags

  stream_declaration {
    stream_name = local.stream
    dynamic "column" {
      # An event doesn't have it; the transformation below adds it.
      for_each = [for c in local.columns : c if c.name != "TimeGenerated"]
      content {
        name = column.value.name
        type = column.value.type
      }
    }
  }

  destinations {
    log_analytics {
      name                  = "workspace"
      workspace_resource_id = azurerm_log_analytics_workspace.this.id
    }
  }

  data_flow {
    streams       = [local.stream]
    destinations  = ["workspace"]
    output_stream = "Custom-${local.table}"
    transform_kql = "source | extend TimeGenerated = time_dt"
  }

  depends_on = [azurerm_log_analytics_workspace_table_custom_log.audit]
}

resource "azurerm_application_insights" "this" {
  name                = "appi-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  application_type    = "web"
  workspace_id        = azurerm_log_analytics_workspace.this.id

  local_authentication_enabled = false
  internet_ingestion_enabled   = !local.private
  internet_query_enabled       = local.queries

  tags = var.tags
}

resource "azurerm_role_assignment" "events" {
  for_each             = var.writers
  scope                = azurerm_monitor_data_collection_rule.this.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
  description          = "${each.key} sends events."
}

resource "azurerm_role_assignment" "telemetry" {
  for_each             = var.writers
  scope                = azurerm_application_insights.this.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
  description          = "${each.key} sends telemetry."
}
