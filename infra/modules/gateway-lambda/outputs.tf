output "address" {
  description = "Where the gateway answers: `publicURL` of the environment, unless it has a name of its own."
  value       = local.is_url ? one(aws_lambda_function_url.this[*].function_url) : one(aws_apigatewayv2_api.this[*].api_endpoint)
}

output "function_arn" {
  description = "The function."
  value       = aws_lambda_function.this.arn
}

output "role_arn" {
  description = "The function's role."
  value       = aws_iam_role.this.arn
}

output "federation" {
  description = "For `credentials` of the client that the gateway is in Entra: the subject and audience of the tokens; null without federation. The issuer is the account's: `aws iam get-outbound-web-identity-federation-info`."
  value       = var.federation ? { subject = aws_iam_role.this.arn, audience = local.audience } : null
}

output "log_group" {
  description = "Where the gateway's lines go, events among them."
  value       = aws_cloudwatch_log_group.this.name
}

output "by_hand" {
  description = "What must be done once after the first apply; null: nothing. Since October 2025 a URL that is open needs a statement with lambda:InvokedViaFunctionUrl, which the provider has from 6.29 on."
  value       = var.inbound.mode == "url_open" ? "aws lambda add-permission --function-name ${var.name} --statement-id OpenByUrlInvoke --action lambda:InvokeFunction --principal '*' --invoked-via-function-url" : null
}
