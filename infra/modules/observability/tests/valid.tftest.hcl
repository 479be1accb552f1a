# What a plan must contain, and what it mustn't. Ids are made up here, so that the
# plan knows which resource each reference means.

mock_provider "azurerm" {
  override_during = plan

  mock_resource "azurerm_log_analytics_workspace" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w", workspace_id = "00000000-0000-0000-0000-00000000000a" }
  }
  mock_resource "azurerm_monitor_data_collection_endpoint" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/dataCollectionEndpoints/e", logs_ingestion_endpoint = "https://e.westeurope-1.ingest.monitor.azure.com" }
  }
  mock_resource "azurerm_monitor_data_collection_rule" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/dataCollectionRules/r", immutable_id = "dcr-00000000000000000000000000000000" }
  }
  mock_resource "azurerm_application_insights" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/components/a", connection_string = "InstrumentationKey=00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "azurerm_monitor_action_group" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/g" }
  }
  mock_resource "azurerm_eventhub_namespace" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/n" }
  }
  mock_resource "azurerm_eventhub" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/n/eventhubs/tollgate" }
  }
  mock_resource "azurerm_monitor_private_link_scope" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/privateLinkScopes/s" }
  }
}

variables {
  name                = "tollgate-test"
  location            = "westeurope"
  resource_group_name = "rg"
  writers             = { gateway = "00000000-0000-0000-0000-000000000001" }
}

run "nobody_sends_by_a_key" {
  command = plan
  variables { event_hub = {} }
  assert {
    condition     = azurerm_log_analytics_workspace.this.local_authentication_enabled == false
    error_message = "the workspace takes shared keys"
  }
  assert {
    condition     = azurerm_application_insights.this.local_authentication_enabled == false
    error_message = "Application Insights takes anybody's telemetry"
  }
  assert {
    condition     = azurerm_eventhub_namespace.this["this"].local_authentication_enabled == false
    error_message = "the event hub takes shared keys"
  }
  assert {
    condition     = azurerm_eventhub_namespace.this["this"].minimum_tls_version == "1.2"
    error_message = "the event hub speaks less than TLS 1.2, or doesn't say"
  }
}

run "a_reader_of_the_function_app_does_not_read_who_called" {
  command = plan
  assert {
    condition     = azurerm_log_analytics_workspace.this.allow_resource_only_permissions == false
    error_message = "a role on a resource opens its logs"
  }
}

run "the_gateway_may_send_and_no_more" {
  command = plan
  variables {
    event_hub = { receivers = { siem = "00000000-0000-0000-0000-000000000002" } }
  }
  assert {
    condition     = { for k, r in azurerm_role_assignment.events : k => [r.role_definition_name, r.principal_id, r.scope] } == { gateway = ["Monitoring Metrics Publisher", "00000000-0000-0000-0000-000000000001", azurerm_monitor_data_collection_rule.this.id] }
    error_message = "events: a role that isn't Monitoring Metrics Publisher on the rule"
  }
  assert {
    condition     = { for k, r in azurerm_role_assignment.telemetry : k => [r.role_definition_name, r.principal_id, r.scope] } == { gateway = ["Monitoring Metrics Publisher", "00000000-0000-0000-0000-000000000001", azurerm_application_insights.this.id] }
    error_message = "telemetry: a role that isn't Monitoring Metrics Publisher on Application Insights"
  }
  assert {
    condition     = { for k, r in azurerm_role_assignment.senders : k => [r.role_definition_name, r.principal_id, r.scope] } == { gateway = ["Azure Event Hubs Data Sender", "00000000-0000-0000-0000-000000000001", azurerm_eventhub.this["this"].id] }
    error_message = "event hub: a role that isn't Data Sender on the hub"
  }
  assert {
    condition     = { for k, r in azurerm_role_assignment.receivers : k => [r.role_definition_name, r.principal_id, r.scope] } == { siem = ["Azure Event Hubs Data Receiver", "00000000-0000-0000-0000-000000000002", azurerm_eventhub.this["this"].id] }
    error_message = "event hub: a role that isn't Data Receiver on the hub"
  }
}

run "the_table_and_the_stream_have_the_columns_of_events" {
  command = plan
  assert {
    condition     = [for c in azurerm_log_analytics_workspace_table_custom_log.audit.column : [c.name, lower(c.type)]] == [for c in jsondecode(file("columns.json")) : [c.name, c.type]]
    error_message = "the table's columns aren't those of columns.json"
  }
  assert {
    condition     = toset([for s in azurerm_monitor_data_collection_rule.this.stream_declaration : s.stream_name]) == toset(["Custom-Tollgate"]) && toset(flatten([for s in azurerm_monitor_data_collection_rule.this.stream_declaration : [for c in s.column : "${c.name} ${c.type}"]])) == toset([for c in jsondecode(file("columns.json")) : "${c.name} ${c.type}" if c.name != "TimeGenerated"])
    error_message = "the stream's columns aren't those of an event"
  }
  assert {
    condition     = azurerm_monitor_data_collection_rule.this.data_flow[0].transform_kql == "source | extend TimeGenerated = time_dt" && azurerm_monitor_data_collection_rule.this.data_flow[0].output_stream == "Custom-TollgateAudit_CL" && azurerm_log_analytics_workspace_table_custom_log.audit.name == "TollgateAudit_CL"
    error_message = "events don't reach the table at their own time"
  }
  assert {
    condition     = output.logs == { endpoint = "https://e.westeurope-1.ingest.monitor.azure.com", rule = "dcr-00000000000000000000000000000000", stream = "Custom-Tollgate" }
    error_message = "output logs isn't what audit.logs of an environment takes"
  }
}

run "every_query_for_azure_monitor_is_a_rule" {
  command = plan
  assert {
    condition     = toset(keys(azurerm_monitor_scheduled_query_rules_alert_v2.this)) == toset(["audit-loss", "limit-outage", "old-contract", "quota-exhausted", "refusal-spike", "revocation-stale", "token-networks"])
    error_message = "got ${join(", ", keys(azurerm_monitor_scheduled_query_rules_alert_v2.this))}"
  }
  assert {
    condition = { for k, r in azurerm_monitor_scheduled_query_rules_alert_v2.this : k => "${r.severity} ${r.evaluation_frequency} ${r.window_duration} ${r.query_time_range_override}" } == {
      audit-loss       = "1 PT15M PT15M PT1H"
      limit-outage     = "2 PT15M PT15M PT1H"
      old-contract     = "2 PT1H PT1H P1D"
      quota-exhausted  = "3 PT1H PT1H PT2H"
      refusal-spike    = "2 PT5M PT15M P2D"
      revocation-stale = "1 PT15M PT15M PT1H"
      token-networks   = "1 PT15M PT1H PT2H"
    }
    error_message = "severity, frequency, window or range isn't what the header says"
  }
  assert {
    condition     = alltrue([for r in azurerm_monitor_scheduled_query_rules_alert_v2.this : r.enabled && r.auto_mitigation_enabled && r.criteria[0].operator == "GreaterThan" && r.criteria[0].threshold == 0 && r.criteria[0].time_aggregation_method == "Count" && r.action[0].action_groups == tolist([azurerm_monitor_action_group.this.id])])
    error_message = "a rule doesn't tell somebody of more than 0 rows"
  }
}

run "no_rule_has_what_azure_monitor_refuses" {
  command = plan
  variables { apis = ["orders", "invoices"] }
  assert {
    condition     = alltrue([for r in azurerm_monitor_scheduled_query_rules_alert_v2.this : length(r.criteria[0].query) < 60000 && length(regexall("bag_unpack|pivot|narrow\\(|AggregatedValue|\\bago\\(|ingestion_time\\(", r.criteria[0].query)) == 0])
    error_message = "a query has more than 60,000 characters, or a word that rules can't have"
  }
  assert {
    condition     = alltrue([for r in azurerm_monitor_scheduled_query_rules_alert_v2.this : contains(["PT5M", "PT10M", "PT15M", "PT20M", "PT30M", "PT45M", "PT1H", "PT2H", "PT3H", "PT4H", "PT5H", "PT6H", "P1D", "P2D"], r.query_time_range_override) && r.evaluation_frequency != "PT1M"])
    error_message = "a range that Azure Monitor doesn't take, or a union that runs each minute"
  }
}

run "an_api_more_is_a_rule_more" {
  command = plan
  variables { apis = ["orders", "invoices"] }
  assert {
    condition     = toset([for k in keys(azurerm_monitor_scheduled_query_rules_alert_v2.this) : k if startswith(k, "refusal-spike")]) == toset(["refusal-spike", "refusal-spike-orders", "refusal-spike-invoices"])
    error_message = "got ${join(", ", keys(azurerm_monitor_scheduled_query_rules_alert_v2.this))}"
  }
  assert {
    condition     = strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.this["refusal-spike-orders"].criteria[0].query, "\nlet OfApi = \"orders\";\n") && strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.this["refusal-spike"].criteria[0].query, "\nlet OfApi = \"\";\n")
    error_message = "the rule of orders isn't about orders alone, or the general one isn't about all"
  }
}

run "a_rule_can_be_left_out" {
  command = plan
  variables { alerts = { without = ["token-networks"], enabled = false } }
  assert {
    condition     = !contains(keys(azurerm_monitor_scheduled_query_rules_alert_v2.this), "token-networks")
    error_message = "token-networks is there"
  }
  assert {
    condition     = alltrue([for r in azurerm_monitor_scheduled_query_rules_alert_v2.this : !r.enabled])
    error_message = "a rule is on"
  }
}

run "a_webhook_is_called_with_a_token_not_a_secret_address" {
  command = plan
  variables {
    alerts = {
      mails    = { desk = "desk@contoso.example" }
      webhooks = { chat = { uri = "https://alerts.contoso.example/tollgate", object_id = "00000000-0000-0000-0000-000000000003" } }
    }
  }
  assert {
    condition     = azurerm_monitor_action_group.this.webhook_receiver[0].aad_auth[0].object_id == "00000000-0000-0000-0000-000000000003"
    error_message = "the webhook is called without a token"
  }
  assert {
    condition     = azurerm_monitor_action_group.this.email_receiver[0].email_address == "desk@contoso.example" && azurerm_monitor_action_group.this.email_receiver[0].use_common_alert_schema
    error_message = "nobody gets mail"
  }
}

run "events_stay_as_long_as_it_says" {
  command = plan
  # No total here: the recorded provider that runs offline joins two rules of total_retention_in_days that the
  # real one takes as alternatives, so that no value passes.
  variables { retention = { days = 90 } }
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 90 && azurerm_log_analytics_workspace_table_custom_log.audit.retention_in_days == 90
    error_message = "retention isn't what was asked"
  }
}

run "silence_keeps_events_longer_than_the_longest_question" {
  command = plan
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days > 90 && azurerm_log_analytics_workspace_table_custom_log.audit.retention_in_days == azurerm_log_analytics_workspace.this.retention_in_days
    error_message = "unused reads 90 days back"
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.daily_quota_gb == -1
    error_message = "a flood of calls would stop the events"
  }
}

run "the_workbook_asks_every_question" {
  command = plan
  assert {
    condition     = toset([for i in jsondecode(azurerm_application_insights_workbook.this.data_json).items : i.name if i.type == 3]) == toset(["who-by-client", "who-by-user", "who-by-tenant", "who-by-subscription", "unused", "stale-keys", "why"])
    error_message = "a question is missing"
  }
  assert {
    condition     = alltrue([for i in jsondecode(azurerm_application_insights_workbook.this.data_json).items : startswith(i.content.query, "// What every query") && i.content.timeContext.durationMs >= 86400000 if i.type == 3])
    error_message = "a query without its beginning, or without its time"
  }
  assert {
    condition     = one([for i in jsondecode(azurerm_application_insights_workbook.this.data_json).items : strcontains(i.content.query, "let Wanted = \"{Wanted}\";") if i.name == "why"])
    error_message = "why doesn't ask for what is wanted"
  }
  assert {
    condition     = length(azurerm_log_analytics_saved_search.this) == length(fileset("queries", "[a-z]*.kql")) && azurerm_log_analytics_saved_search.this["first-call"].display_name == "First call of an unknown client"
    error_message = "a query isn't saved"
  }
}

run "what_people_fill_in_stands_in_the_saved_search_and_the_workbook" {
  command = plan
  variables {
    query_parameters = { Issued = jsonencode(["a", "b\"]); TollgateLines(now()) //"]) }
  }
  assert {
    condition     = strcontains(azurerm_log_analytics_saved_search.this["stale-keys"].query, "\nlet Issued = dynamic([\"a\",\"b\\\"]); TollgateLines(now()) //\"]);\n")
    error_message = "got ${azurerm_log_analytics_saved_search.this["stale-keys"].query}"
  }
  assert {
    condition     = one([for i in jsondecode(azurerm_application_insights_workbook.this.data_json).items : strcontains(i.content.query, "\nlet Issued = dynamic([\"a\",") if i.name == "stale-keys"])
    error_message = "the workbook asks without it"
  }
}

run "with_private_endpoints_nothing_comes_in_from_elsewhere" {
  command = plan
  variables {
    event_hub = {}
    private_endpoints = {
      subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/endpoints"
      zone_ids = { for z in ["monitor", "oms", "ods", "agentsvc", "blob", "servicebus"] :
      z => "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/${z}.example" }
    }
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.internet_ingestion_access_type == "Disabled"
    error_message = "the workspace takes what comes from the internet"
  }
  assert {
    condition     = azurerm_monitor_data_collection_endpoint.this.public_network_access_enabled == false
    error_message = "the collection endpoint answers from the internet"
  }
  assert {
    condition     = azurerm_application_insights.this.internet_ingestion_enabled == false
    error_message = "Application Insights takes what comes from the internet"
  }
  assert {
    condition     = azurerm_eventhub_namespace.this["this"].public_network_access_enabled == false
    error_message = "the event hub answers from the internet"
  }
  assert {
    condition     = azurerm_monitor_private_link_scope.this["this"].ingestion_access_mode == "PrivateOnly"
    error_message = "the scope lets others in"
  }
  assert {
    condition     = toset([for s in azurerm_monitor_private_link_scoped_service.this : s.linked_resource_id]) == toset([azurerm_log_analytics_workspace.this.id, azurerm_monitor_data_collection_endpoint.this.id, azurerm_application_insights.this.id])
    error_message = "something isn't in the scope"
  }
  assert {
    condition     = length(azurerm_private_endpoint.monitor["this"].private_dns_zone_group[0].private_dns_zone_ids) == 5 && azurerm_private_endpoint.event_hub["this"].private_service_connection[0].private_connection_resource_id == azurerm_eventhub_namespace.this["this"].id
    error_message = "an endpoint without its names, or of something else"
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.internet_query_access_type == "Enabled" && azurerm_monitor_private_link_scope.this["this"].query_access_mode == "Open"
    error_message = "people can't ask, though nobody said so"
  }
}

run "queries_can_be_kept_inside_too" {
  command = plan
  variables {
    private_endpoints = {
      queries   = true
      subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/endpoints"
      zone_ids = { for z in ["monitor", "oms", "ods", "agentsvc", "blob"] :
      z => "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/${z}.example" }
    }
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.internet_query_access_type == "Disabled" && azurerm_application_insights.this.internet_query_enabled == false && azurerm_monitor_private_link_scope.this["this"].query_access_mode == "PrivateOnly"
    error_message = "events can be read from the internet"
  }
}

run "an_event_hub_with_addresses_refuses_the_rest" {
  command = plan
  variables { event_hub = { addresses = ["203.0.113.0/24"] } }
  assert {
    condition     = azurerm_eventhub_namespace.this["this"].network_rulesets[0].default_action == "Deny" && !azurerm_eventhub_namespace.this["this"].network_rulesets[0].trusted_service_access_enabled && azurerm_eventhub_namespace.this["this"].network_rulesets[0].ip_rule[0].ip_mask == "203.0.113.0/24"
    error_message = "others get in"
  }
  assert {
    condition     = output.event_hub == { namespace = "https://evhns-tollgate-test.servicebus.windows.net", name = "tollgate" }
    error_message = "output event_hub isn't what audit.eventHub of an environment takes"
  }
}

run "what_is_done_here_is_written_down_too" {
  command = plan
  variables { event_hub = {} }
  assert {
    condition     = azurerm_monitor_diagnostic_setting.workspace.target_resource_id == azurerm_log_analytics_workspace.this.id && toset([for l in azurerm_monitor_diagnostic_setting.workspace.enabled_log : l.category_group]) == toset(["allLogs"])
    error_message = "nobody can tell who asked what"
  }
  assert {
    condition     = azurerm_monitor_diagnostic_setting.rule.target_resource_id == azurerm_monitor_data_collection_rule.this.id && toset([for l in azurerm_monitor_diagnostic_setting.rule.enabled_log : l.category]) == toset(["LogErrors"])
    error_message = "events that the rule can't take vanish unseen"
  }
  assert {
    condition     = azurerm_monitor_diagnostic_setting.event_hub["this"].target_resource_id == azurerm_eventhub_namespace.this["this"].id && toset([for l in azurerm_monitor_diagnostic_setting.event_hub["this"].enabled_log : l.category_group]) == toset(["allLogs"])
    error_message = "nobody can tell who read the hub"
  }
}

run "without_an_event_hub_there_is_none" {
  command = plan
  assert {
    condition     = length(azurerm_eventhub_namespace.this) == 0 && length(azurerm_role_assignment.senders) == 0 && output.event_hub == null && output.private_link_scope_id == null
    error_message = "something of an event hub is there"
  }
}

run "each_api_has_its_own_question_what_is_unused" {
  command = plan
  variables {
    apis   = ["orders", "rates"]
    grants = { orders = "[{\"kind\":\"operation\",\"api\":\"orders\",\"name\":\"list\",\"operation\":\"\",\"principal\":\"\"}]", rates = "[]" }
  }
  assert {
    condition     = strcontains(azurerm_log_analytics_saved_search.this["unused-orders"].query, "let Grants = dynamic([{\"api\":\"orders\"")
    error_message = "the question holds what its API grants"
  }
  assert {
    condition     = !strcontains(azurerm_log_analytics_saved_search.this["unused-rates"].query, "\"orders\"") && !strcontains(azurerm_log_analytics_saved_search.this["unused"].query, "\"orders\"")
    error_message = "and no other question does"
  }
}
