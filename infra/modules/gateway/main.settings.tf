locals {
  insights = {
    id                = try(var.application_insights.id, null)
    connection_string = try(var.application_insights.connection_string, null)
    on                = var.application_insights != null
  }

  # The host's own storage, by identity. The provider writes AzureWebJobsStorage
  # with a connection string without a key whatever the authentication; a value
  # given here replaces it, and an empty one is as near to none as it allows
  # (terraform-provider-azurerm issues 29149 and 29693).
  host_settings = {
    AzureWebJobsStorage              = ""
    AzureWebJobsStorage__accountName = azurerm_storage_account.gateway.name
    AzureWebJobsStorage__credential  = "managedidentity"
    AzureWebJobsStorage__clientId    = azurerm_user_assigned_identity.gateway.client_id
    AzureWebJobsDisableHomepage      = "true"
  }

  insights_settings = local.insights.on ? {
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "Authorization=AAD;ClientId=${azurerm_user_assigned_identity.gateway.client_id}"
  } : {}

  # Nothing reads it: a changed setting makes the platform start instances anew,
  # and a changed package alone doesn't.
  package_settings = var.package == null ? {} : { DEPLOYED_PACKAGE_SHA256 = filesha256(var.package) }

  app_settings = merge(
    var.settings,
    local.host_settings,
    local.insights_settings,
    local.package_settings,
    { TOLLGATE_ENVIRONMENT = var.environment },
  )
}

# What the host writes to Application Insights, with the gateway's identity.
resource "azurerm_role_assignment" "insights" {
  count = local.insights.on ? 1 : 0

  scope                = local.insights.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = azurerm_user_assigned_identity.gateway.principal_id
  principal_type       = "ServicePrincipal"
}
