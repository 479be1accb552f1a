# The gateway as a Lambda function: provided.al2023, one static binary, behind an
# HTTP API or a function URL. The package is dist/lambda.zip (arm64) or
# dist/lambda-x86_64.zip of `make package`; docs/lambda.md says what it does.
#
# Its role may write to its own log group, and ask AWS STS for a token that Entra
# takes (outbound identity federation), and nothing else. The condition on the
# audience is ForAllValues with Null: a request may name several audiences, and
# ForAnyValue would let others in beside the right one. A request must say
# DurationSeconds, 300 at the most: one that doesn't is refused.
#
# Federation to Entra: switch it on once in the account
# (`aws iam enable-outbound-web-identity-federation`; this version of the provider
# has no resource for it), and write the issuer that it answers with and the output
# `federation.subject` into the environment's `credentials`. The registration in
# Entra then trusts that role in that account; there is no secret on either side.
#
# Permissions: lambda, iam (role and its policies, PassRole), logs, cloudwatch
# alarms, apigateway; and logs:CreateLogDelivery with its kin, by which an HTTP API
# is allowed to write its log. Licence: none.

locals {
  known_settings = [for s in jsondecode(file("${path.module}/settings.json")) : s.name]
  is_url         = startswith(var.inbound.mode, "url_")
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = "Tollgate, environment ${var.environment}."
  role             = aws_iam_role.this.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = var.kms_key_arn

  environment {
    variables = merge(var.settings, { TOLLGATE_ENVIRONMENT = var.environment, TOLLGATE_LAMBDA_STREAM = tostring(local.is_url) })
  }

  # Text: a line of the gateway stays the line that it wrote.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  tags = var.tags

  # Without it the first call would have nowhere to write.
  depends_on = [aws_iam_role_policy.logs]
}
