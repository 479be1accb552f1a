# Each rule of a variable, broken once.

mock_provider "aws" {}

variables {
  name        = "tollgate-test"
  environment = "test"
  package     = "tests/package.zip"
}

run "a_name_with_dots_is_refused" {
  command = plan
  variables {
    name = "toll.gate"
  }
  expect_failures = [var.name]
}

run "an_environment_that_is_no_file_is_refused" {
  command = plan
  variables {
    environment = "../prod"
  }
  expect_failures = [var.environment]
}

run "a_package_that_is_not_there_is_refused" {
  command = plan
  variables {
    package = "tests/none.zip"
  }
  expect_failures = [var.package]
}

run "an_architecture_that_lambda_does_not_have_is_refused" {
  command = plan
  variables {
    architecture = "riscv64"
  }
  expect_failures = [var.architecture]
}

run "a_setting_that_the_gateway_does_not_read_is_refused" {
  command = plan
  variables {
    settings = { TOLLGATE_CONTRACT = "contracts" }
  }
  expect_failures = [var.settings]
}

run "a_setting_of_the_platform_is_refused" {
  command = plan
  variables {
    settings = { AWS_REGION = "eu-west-1" }
  }
  expect_failures = [var.settings]
}

run "the_environment_is_not_a_setting" {
  command = plan
  variables {
    settings = { TOLLGATE_ENVIRONMENT = "prod" }
  }
  expect_failures = [var.settings]
}

run "a_setting_that_is_named_like_a_secret_is_refused" {
  command = plan
  variables {
    settings = { OTEL_EXPORTER_OTLP_HEADERS = "api-key=abc" }
  }
  expect_failures = [var.settings]
}

run "a_setting_that_holds_a_sas_is_refused" {
  command = plan
  variables {
    settings = { TOLLGATE_TABLES = "https://a.table.core.windows.net/?sv=1&sig=abc" }
  }
  expect_failures = [var.settings]
}

run "more_memory_than_there_is_is_refused" {
  command = plan
  variables {
    memory_mb = 10241
  }
  expect_failures = [var.memory_mb]
}

run "a_timeout_of_an_hour_is_refused" {
  command = plan
  variables {
    timeout_seconds = 3600
    inbound         = { mode = "url_open" }
  }
  expect_failures = [var.timeout_seconds]
}

run "a_timeout_that_an_http_api_does_not_wait_for_is_refused" {
  command = plan
  variables {
    timeout_seconds = 31
  }
  expect_failures = [var.timeout_seconds]
}

run "half_a_call_under_way_is_refused" {
  command = plan
  variables {
    reserved_concurrency = 0.5
  }
  expect_failures = [var.reserved_concurrency]
}

run "a_way_in_that_is_none_is_refused" {
  command = plan
  variables {
    inbound = { mode = "public" }
  }
  expect_failures = [var.inbound]
}

run "a_rate_of_nothing_is_refused" {
  command = plan
  variables {
    inbound = { rate = 0 }
  }
  expect_failures = [var.inbound]
}

run "logs_for_ever_are_refused" {
  command = plan
  variables {
    log_retention_days = 0
  }
  expect_failures = [var.log_retention_days]
}

run "an_alias_of_a_key_is_refused" {
  command = plan
  variables {
    kms_key_arn = "alias/tollgate"
  }
  expect_failures = [var.kms_key_arn]
}

run "a_topic_that_is_none_is_refused" {
  command = plan
  variables {
    alarms = { topic_arns = ["oncall"] }
  }
  expect_failures = [var.alarms]
}

run "an_alarm_from_nothing_on_is_refused" {
  command = plan
  variables {
    alarms = { errors = 0 }
  }
  expect_failures = [var.alarms]
}
