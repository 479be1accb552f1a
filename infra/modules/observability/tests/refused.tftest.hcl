# Each rule of a variable, broken once.

mock_provider "azurerm" {}

variables {
  name                = "tollgate-test"
  location            = "westeurope"
  resource_group_name = "rg"
}

run "a_name_with_capitals_is_refused" {
  command = plan
  variables {
    name = "Tollgate"
  }
  expect_failures = [var.name]
}

run "a_name_too_long_for_an_endpoint_is_refused" {
  command = plan
  variables {
    name = "a23456789012345678901234567890123456789012"
  }
  expect_failures = [var.name]
}

run "a_location_as_people_write_it_is_refused" {
  command = plan
  variables {
    location = "West Europe"
  }
  expect_failures = [var.location]
}

run "less_than_30_days_are_refused" {
  command = plan
  variables {
    retention = { days = 7 }
  }
  expect_failures = [var.retention]
}

run "more_than_730_days_are_refused" {
  command = plan
  variables {
    retention = { days = 731 }
  }
  expect_failures = [var.retention]
}

run "a_total_below_the_days_is_refused" {
  command = plan
  variables {
    retention = { days = 90, total_days = 60 }
  }
  expect_failures = [var.retention]
}

run "a_total_that_azure_does_not_offer_is_refused" {
  command = plan
  variables {
    retention = { days = 90, total_days = 1000 }
  }
  expect_failures = [var.retention]
}

run "a_quota_of_nothing_is_refused" {
  command = plan
  variables {
    daily_quota_gb = 0
  }
  expect_failures = [var.daily_quota_gb]
}

run "an_api_that_would_end_a_literal_is_refused" {
  command = plan
  variables {
    apis = ["orders\"; //"]
  }
  expect_failures = [var.apis]
}

run "a_short_name_of_13_is_refused" {
  command = plan
  variables {
    alerts = { short_name = "tollgate-prod" }
  }
  expect_failures = [var.alerts]
}

run "a_mail_without_a_host_is_refused" {
  command = plan
  variables {
    alerts = { mails = { a = "desk" } }
  }
  expect_failures = [var.alerts]
}

run "a_webhook_in_clear_is_refused" {
  command = plan
  variables {
    alerts = { webhooks = { a = { uri = "http://a.example/", object_id = "00000000-0000-0000-0000-000000000003" } } }
  }
  expect_failures = [var.alerts]
}

run "a_webhook_with_a_secret_in_its_query_is_refused" {
  command = plan
  variables {
    alerts = { webhooks = { a = { uri = "https://a.example/x?sig=abc", object_id = "00000000-0000-0000-0000-000000000003" } } }
  }
  expect_failures = [var.alerts]
}

run "a_rule_that_is_none_cannot_be_left_out" {
  command = plan
  variables {
    alerts = { without = ["first-call"] }
  }
  expect_failures = [var.alerts]
}

run "a_parameter_that_is_not_json_is_refused" {
  command = plan
  variables {
    query_parameters = { Issued = "a, b" }
  }
  expect_failures = [var.query_parameters]
}

run "a_parameter_that_no_query_has_is_refused" {
  command = plan
  variables {
    query_parameters = { Isued = "[]" }
  }
  expect_failures = [var.query_parameters]
}

run "a_text_where_a_list_stands_is_refused" {
  command = plan
  variables {
    query_parameters = { Issued = "\"a\"" }
  }
  expect_failures = [var.query_parameters]
}

run "the_api_of_a_rule_is_not_a_parameter" {
  command = plan
  variables {
    query_parameters = { OfApi = "\"orders\"" }
  }
  expect_failures = [var.query_parameters]
}

run "a_basic_event_hub_is_refused" {
  command = plan
  variables {
    event_hub = { sku = "Basic" }
  }
  expect_failures = [var.event_hub]
}

run "a_capacity_that_premium_does_not_have_is_refused" {
  command = plan
  variables {
    event_hub = { sku = "Premium", capacity = 3 }
  }
  expect_failures = [var.event_hub]
}

run "a_capacity_of_nothing_is_refused" {
  command = plan
  variables {
    event_hub = { capacity = 0 }
  }
  expect_failures = [var.event_hub]
}

run "too_many_partitions_are_refused" {
  command = plan
  variables {
    event_hub = { partitions = 33 }
  }
  expect_failures = [var.event_hub]
}

run "eight_days_of_standard_are_refused" {
  command = plan
  variables {
    event_hub = { retention_hours = 192 }
  }
  expect_failures = [var.event_hub]
}

run "an_address_that_is_none_is_refused" {
  command = plan
  variables {
    event_hub = { addresses = ["siem.example"] }
  }
  expect_failures = [var.event_hub]
}

run "private_without_a_zone_is_refused" {
  command = plan
  variables {
    private_endpoints = { subnet_id = "/s", zone_ids = { monitor = "/z", oms = "/z", ods = "/z", agentsvc = "/z" } }
  }
  expect_failures = [var.private_endpoints]
}

run "private_without_the_event_hubs_zone_is_refused" {
  command = plan
  variables {
    event_hub         = {}
    private_endpoints = { subnet_id = "/s", zone_ids = { monitor = "/z", oms = "/z", ods = "/z", agentsvc = "/z", blob = "/z" } }
  }
  expect_failures = [var.private_endpoints]
}

run "grants_of_an_api_that_is_not_there_are_refused" {
  command = plan
  variables {
    grants = { orders = "[]" }
  }
  expect_failures = [var.grants]
}
