# Where calls come in: an HTTP API, or a function URL.

resource "aws_lambda_function_url" "this" {
  count              = local.is_url ? 1 : 0
  function_name      = aws_lambda_function.this.function_name
  authorization_type = var.inbound.mode == "url_open" ? "NONE" : "AWS_IAM"
  invoke_mode        = "RESPONSE_STREAM"
}

# Calls by URL, and by nothing else: without function_url_auth_type anybody could
# call the function itself, with an event of their own making.
resource "aws_lambda_permission" "url" {
  count                  = var.inbound.mode == "url_open" ? 1 : 0
  statement_id           = "OpenByUrl"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_apigatewayv2_api" "this" {
  count         = local.is_url ? 0 : 1
  name          = var.name
  description   = "Tollgate, environment ${var.environment}."
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "this" {
  count                  = local.is_url ? 0 : 1
  api_id                 = aws_apigatewayv2_api.this[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.invoke_arn
  integration_method     = "POST"
  payload_format_version = "2.0"
  timeout_milliseconds   = var.timeout_seconds * 1000
}

resource "aws_apigatewayv2_route" "this" {
  count     = local.is_url ? 0 : 1
  api_id    = aws_apigatewayv2_api.this[0].id
  route_key = "$default" # Every path: which of them lead somewhere, the contracts say.
  target    = "integrations/${aws_apigatewayv2_integration.this[0].id}"
}

resource "aws_cloudwatch_log_group" "api" {
  count             = local.is_url ? 0 : 1
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_apigatewayv2_stage" "this" {
  count       = local.is_url ? 0 : 1
  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  # Who called is in the gateway's own events. What never reached it is here: no path, no address, no header.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api[0].arn
    format = jsonencode({
      id = "$context.requestId", time = "$context.requestTimeEpoch", method = "$context.httpMethod", status = "$context.status",
      ms = "$context.responseLatency", error = "$context.error.message", integration = "$context.integrationErrorMessage"
    })
  }

  default_route_settings {
    throttling_rate_limit  = var.inbound.rate
    throttling_burst_limit = var.inbound.burst
  }
}

resource "aws_lambda_permission" "api" {
  count         = local.is_url ? 0 : 1
  statement_id  = "HttpApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  # This API alone: otherwise any API of anybody could call it.
  source_arn = "${aws_apigatewayv2_api.this[0].execution_arn}/*/*"
}
