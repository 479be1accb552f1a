# One rule for each query whose header names monitor, and one for each API.

locals {
  severities = { High = 1, Medium = 2, Low = 3, Informational = 4 }
  # Azure Monitor takes certain ranges only: the next that is long enough.
  ranges = { P1DT1H = "P2D" }

  monitored = { for name, h in local.headers : name => h if h.Kind == "detection" && contains(split(", ", h.Platform), "monitor") }
  rules = merge(
    { for name, h in local.monitored : name => {
      header = h, query = local.queries_by_name[name], title = h.Title, rule = h.Rule,
    } if !contains(var.alerts.without, name) },
    { for api in var.apis : "refusal-spike-${api}" => {
      header = local.headers["refusal-spike"]
      query  = replace(local.queries_by_name["refusal-spike"], "let OfApi = \"\";", "let OfApi = ${jsonencode(api)};")
      title  = "${local.headers["refusal-spike"].Title}: ${api}"
      rule   = "Of the API ${api}: ${local.headers["refusal-spike"].Rule}"
    } },
  )
}

resource "azurerm_monitor_action_group" "this" {
  name                = "ag-${var.name}"
  resource_group_name = var.resource_group_name
  short_name          = var.alerts.short_name
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = var.alerts.mails
    content {
      name                    = email_receiver.key
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }

  dynamic "webhook_receiver" {
    for_each = var.alerts.webhooks
    content {
      name                    = webhook_receiver.key
      service_uri             = webhook_receiver.value.uri
      use_common_alert_schema = true
      aad_auth {
        object_id      = webhook_receiver.value.object_id
        identifier_uri = webhook_receiver.value.identifier_uri
        tenant_id      = webhook_receiver.value.tenant_id
      }
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "this" {
  for_each            = local.rules
  name                = "sqr-${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  display_name        = each.value.title
  description         = "${each.value.rule} Threshold: ${each.value.header.Threshold}."
  enabled             = var.alerts.enabled
  scopes              = [azurerm_log_analytics_workspace.this.id]
  severity            = local.severities[each.value.header.Severity]

  evaluation_frequency      = each.value.header.Frequency
  window_duration           = each.value.header.Window
  query_time_range_override = lookup(local.ranges, each.value.header.Period, each.value.header.Period)
  # Told once, and resolved when a run finds nothing.
  auto_mitigation_enabled = true

  criteria {
    query                   = each.value.query
    operator                = "GreaterThan"
    threshold               = 0
    time_aggregation_method = "Count"
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }

  tags       = var.tags
  depends_on = [azurerm_log_analytics_workspace_table_custom_log.audit]

  lifecycle {
    precondition {
      condition     = length(each.value.query) < 60000
      error_message = "A rule's properties have 64 KB together; the query ${each.key} has ${length(each.value.query)} characters."
    }
  }
}
