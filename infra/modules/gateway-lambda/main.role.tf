# What the function may do.

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  }

  # The group is made above, so the function needn't make it.
  logs = {
    Version = "2012-10-17"
    Statement = [{
      Sid      = "OwnLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.this.arn}:*"
    }]
  }

  audience = "api://AzureADTokenExchange"
  federation = {
    Version = "2012-10-17"
    Statement = [{
      Sid      = "TokensForEntra"
      Effect   = "Allow"
      Action   = "sts:GetWebIdentityToken"
      Resource = "*" # There is nothing narrower: the action has no resource.
      Condition = {
        "ForAllValues:StringEquals" = { "sts:IdentityTokenAudience" = [local.audience] }
        # ForAllValues holds where there is no value.
        Null                  = { "sts:IdentityTokenAudience" = "false" }
        StringEquals          = { "sts:SigningAlgorithm" = "RS256" }
        NumericLessThanEquals = { "sts:DurationSeconds" = "300" }
      }
    }]
  }

  tracing = {
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Traces"
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      Resource = "*" # The same.
    }]
  }
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-lambda"
  description          = "Tollgate ${var.name}."
  assume_role_policy   = jsonencode(local.trust)
  max_session_duration = 3600
  tags                 = var.tags
}

resource "aws_iam_role_policy" "logs" {
  name   = "logs"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.logs)
}

resource "aws_iam_role_policy" "federation" {
  count  = var.federation ? 1 : 0
  name   = "federation"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.federation)
}

resource "aws_iam_role_policy" "tracing" {
  count  = var.tracing ? 1 : 0
  name   = "tracing"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.tracing)
}
