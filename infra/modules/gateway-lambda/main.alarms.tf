# When somebody should look.

locals {
  of_function = { FunctionName = aws_lambda_function.this.function_name }
  alarms = {
    errors    = { namespace = "AWS/Lambda", metric = "Errors", dimensions = local.of_function, statistic = "Sum", extended = null, threshold = var.alarms.errors, text = "Calls ended by a crash or by the timeout." }
    throttles = { namespace = "AWS/Lambda", metric = "Throttles", dimensions = local.of_function, statistic = "Sum", extended = null, threshold = var.alarms.throttles, text = "Calls turned away because too many are under way." }
    slow      = { namespace = "AWS/Lambda", metric = "Duration", dimensions = local.of_function, statistic = null, extended = "p99", threshold = var.alarms.p99_ms, text = "One call in a hundred takes longer, in milliseconds." }
    status-5xx = {
      namespace  = local.is_url ? "AWS/Lambda" : "AWS/ApiGateway"
      metric     = local.is_url ? "Url5xxCount" : "5xx"
      dimensions = local.is_url ? local.of_function : { ApiId = one(aws_apigatewayv2_api.this[*].id) }
      statistic  = "Sum", extended = null, threshold = var.alarms.status_5xx, text = "Answers 5xx: a backend, the store, the vault or Entra can't be asked."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  extended_statistic  = each.value.extended
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  # Nobody called: nothing is wrong.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarms.topic_arns
  ok_actions         = var.alarms.topic_arns
  tags               = var.tags
}
