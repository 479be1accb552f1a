# What a plan must contain, and what it mustn't. ARNs are made up here, so that the
# plan knows what each reference means.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/tollgate-test-lambda" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tollgate-test" }
  }
  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:tollgate-test"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:tollgate-test/invocations"
    }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = { id = "abcdefghij", api_endpoint = "https://abcdefghij.execute-api.eu-west-1.amazonaws.com", execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij" }
  }
  mock_resource "aws_lambda_function_url" {
    defaults = { function_url = "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws/" }
  }
}

variables {
  name        = "tollgate-test"
  environment = "test"
  package     = "tests/package.zip"
}

run "the_function_is_the_package_and_nothing_else" {
  command = plan
  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.handler == "bootstrap" && aws_lambda_function.this.architectures == tolist(["arm64"])
    error_message = "another runtime"
  }
  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("tests/package.zip")
    error_message = "a changed package wouldn't be deployed"
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ TOLLGATE_ENVIRONMENT = "test", TOLLGATE_LAMBDA_STREAM = "false" })
    error_message = "a setting that nobody asked for"
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1 && aws_lambda_function.this.tracing_config[0].mode == "PassThrough" && length(aws_iam_role_policy.tracing) == 0
    error_message = "concurrency is kept, or calls are traced, though nobody said so"
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_format == "Text" && aws_lambda_function.this.logging_config[0].log_group == "/aws/lambda/tollgate-test"
    error_message = "lines don't stay what they were"
  }
}

run "a_setting_that_the_gateway_reads_reaches_it" {
  command = plan
  variables {
    settings = { TOLLGATE_CONTRACTS = "contracts", OTEL_TRACES_SAMPLER_ARG = "0.01" }
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ TOLLGATE_ENVIRONMENT = "test", TOLLGATE_LAMBDA_STREAM = "false", TOLLGATE_CONTRACTS = "contracts", OTEL_TRACES_SAMPLER_ARG = "0.01" })
    error_message = "a setting is lost"
  }
}

run "only_lambda_takes_the_role" {
  command = plan
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    error_message = "somebody else may take the role"
  }
}

run "the_role_writes_its_own_logs_only" {
  command = plan
  assert {
    condition     = jsondecode(aws_iam_role_policy.logs.policy).Statement == [{ Sid = "OwnLogs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tollgate-test:*" }]
    error_message = "the role may write elsewhere, or more than write"
  }
}

run "tokens_are_for_entra_alone_with_rs256_for_five_minutes" {
  command = plan
  assert {
    condition     = length(jsondecode(aws_iam_role_policy.federation[0].policy).Statement) == 1 && jsondecode(aws_iam_role_policy.federation[0].policy).Statement[0].Action == "sts:GetWebIdentityToken"
    error_message = "the role may do more than ask for a token"
  }
  assert {
    condition     = try(jsondecode(aws_iam_role_policy.federation[0].policy).Statement[0].Condition["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"] == ["api://AzureADTokenExchange"], false)
    error_message = "tokens for others than Entra"
  }
  assert {
    condition     = try(jsondecode(aws_iam_role_policy.federation[0].policy).Statement[0].Condition.Null["sts:IdentityTokenAudience"], "") == "false"
    error_message = "a request without an audience passes"
  }
  assert {
    condition     = try(jsondecode(aws_iam_role_policy.federation[0].policy).Statement[0].Condition.StringEquals["sts:SigningAlgorithm"], "") == "RS256"
    error_message = "tokens that Entra doesn't take"
  }
  assert {
    condition     = try(tonumber(jsondecode(aws_iam_role_policy.federation[0].policy).Statement[0].Condition.NumericLessThanEquals["sts:DurationSeconds"]) <= 300, false)
    error_message = "tokens that are good for longer than five minutes"
  }
  assert {
    condition     = output.federation == { subject = "arn:aws:iam::123456789012:role/tollgate-test-lambda", audience = "api://AzureADTokenExchange" }
    error_message = "output federation isn't what Entra's registration must trust"
  }
}

run "without_federation_there_are_no_tokens" {
  command = plan
  variables { federation = false }
  assert {
    condition     = length(aws_iam_role_policy.federation) == 0 && output.federation == null
    error_message = "the role may ask for tokens"
  }
}

run "an_http_api_and_no_other_calls_the_function" {
  command = plan
  assert {
    condition     = aws_lambda_permission.api[0].principal == "apigateway.amazonaws.com" && aws_lambda_permission.api[0].source_arn == "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/*/*"
    error_message = "any API may call the function"
  }
  assert {
    condition     = length(aws_lambda_function_url.this) == 0 && length(aws_lambda_permission.url) == 0
    error_message = "there is a second way in"
  }
  assert {
    condition     = aws_apigatewayv2_route.this[0].route_key == "$default" && aws_apigatewayv2_integration.this[0].payload_format_version == "2.0" && aws_apigatewayv2_integration.this[0].timeout_milliseconds == 30000
    error_message = "not every path comes to the gateway"
  }
  assert {
    condition     = aws_apigatewayv2_stage.this[0].default_route_settings[0].throttling_rate_limit == 1000 && aws_apigatewayv2_stage.this[0].default_route_settings[0].throttling_burst_limit == 2000
    error_message = "nothing slows a flood"
  }
  assert {
    condition     = length(regexall("sourceIp|path|authorizer|identity|header", aws_apigatewayv2_stage.this[0].access_log_settings[0].format)) == 0
    error_message = "the access log tells who called"
  }
  assert {
    condition     = output.address == "https://abcdefghij.execute-api.eu-west-1.amazonaws.com" && output.by_hand == null
    error_message = "got ${output.address}"
  }
}

run "an_open_url_is_called_by_url_only" {
  command = plan
  variables { inbound = { mode = "url_open" } }
  assert {
    condition     = aws_lambda_function_url.this[0].authorization_type == "NONE" && aws_lambda_function_url.this[0].invoke_mode == "RESPONSE_STREAM"
    error_message = "answers aren't streamed"
  }
  assert {
    condition     = aws_lambda_permission.url[0].action == "lambda:InvokeFunctionUrl" && aws_lambda_permission.url[0].function_url_auth_type == "NONE"
    error_message = "anybody may call the function itself, with an event of their own making"
  }
  assert {
    condition     = length(aws_apigatewayv2_api.this) == 0 && length(aws_lambda_permission.api) == 0
    error_message = "there is a second way in"
  }
  assert {
    condition     = strcontains(output.by_hand, "--invoked-via-function-url")
    error_message = "nobody is told of the second statement"
  }
}

run "a_url_for_signed_calls_is_open_to_nobody_else" {
  command = plan
  variables { inbound = { mode = "url_iam" } }
  assert {
    condition     = aws_lambda_function_url.this[0].authorization_type == "AWS_IAM" && length(aws_lambda_permission.url) == 0 && length(aws_lambda_permission.api) == 0
    error_message = "others may call"
  }
}

run "logs_end_and_are_under_the_key_that_is_named" {
  command = plan
  variables { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 90 && aws_cloudwatch_log_group.api[0].retention_in_days == 90
    error_message = "logs stay forever"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000" && aws_cloudwatch_log_group.api[0].kms_key_id == aws_cloudwatch_log_group.this.kms_key_id
    error_message = "logs are under another key"
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == aws_cloudwatch_log_group.this.kms_key_id
    error_message = "settings are under another key"
  }
}

run "alarms_tell_the_topic" {
  command = plan
  variables { alarms = { topic_arns = ["arn:aws:sns:eu-west-1:123456789012:oncall"] } }
  assert {
    condition = { for k, a in aws_cloudwatch_metric_alarm.this : k => "${a.namespace} ${a.metric_name} ${coalesce(a.statistic, a.extended_statistic)} ${a.threshold}" } == {
      errors     = "AWS/Lambda Errors Sum 1"
      throttles  = "AWS/Lambda Throttles Sum 1"
      slow       = "AWS/Lambda Duration p99 10000"
      status-5xx = "AWS/ApiGateway 5xx Sum 20"
    }
    error_message = "an alarm is missing, or about something else"
  }
  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : a.alarm_actions == toset(["arn:aws:sns:eu-west-1:123456789012:oncall"]) && a.treat_missing_data == "notBreaching"])
    error_message = "an alarm that tells nobody"
  }
}

run "a_url_counts_its_own_5xx" {
  command = plan
  variables { inbound = { mode = "url_open" } }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["status-5xx"].namespace == "AWS/Lambda" && aws_cloudwatch_metric_alarm.this["status-5xx"].metric_name == "Url5xxCount"
    error_message = "nothing counts 5xx"
  }
}

run "tracing_adds_what_it_needs" {
  command = plan
  variables { tracing = true }
  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && jsondecode(aws_iam_role_policy.tracing[0].policy).Statement[0].Action == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    error_message = "traces can't be written, or more than traces can"
  }
}

run "a_url_streams_and_the_gateway_knows" {
  command = plan
  variables {
    inbound = { mode = "url_open" }
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables["TOLLGATE_LAMBDA_STREAM"] == "true" && aws_lambda_function_url.this[0].invoke_mode == "RESPONSE_STREAM"
    error_message = "the front streams and the gateway answers otherwise, or the other way round"
  }
}
