# What the app is told, and what Terraform mustn't be.

mock_provider "azurerm" {
  mock_resource "azurerm_user_assigned_identity" {
    defaults = {
      id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/contoso-gateway-dev-id"
      client_id    = "88888888-8888-8888-8888-888888888888"
      principal_id = "99999999-9999-9999-9999-999999999999"
    }
    override_during = plan
  }
}

variables {
  name                = "contoso-gateway-dev"
  location            = "westeurope"
  resource_group_name = "contoso-gateway-dev"
  environment         = "dev"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"
}

run "the_environment_is_always_said" {
  command = plan

  assert {
    condition     = lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "TOLLGATE_ENVIRONMENT", "none") == "dev"
    error_message = "the package has to guess where it runs"
  }
}

run "the_host_reaches_its_storage_by_the_identity" {
  command = plan

  assert {
    condition     = lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "AzureWebJobsStorage__credential", "none") == "managedidentity" && lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "AzureWebJobsStorage__clientId", "none") == "88888888-8888-8888-8888-888888888888" && lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "AzureWebJobsStorage__accountName", "none") == "contosogatewaydevst"
    error_message = "the host can't reach its storage by the identity"
  }

  assert {
    condition     = lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "AzureWebJobsStorage", "none") == ""
    error_message = "the provider writes a connection string without a key"
  }
}

run "telemetry_is_sent_with_the_identity" {
  command = plan

  variables {
    application_insights = {
      id                = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/components/insights"
      connection_string = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
    }
  }

  assert {
    condition     = lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "none") == "Authorization=AAD;ClientId=88888888-8888-8888-8888-888888888888"
    error_message = "telemetry is sent with the instrumentation key alone"
  }

  assert {
    condition     = one(azurerm_role_assignment.insights[*].role_definition_name) == "Monitoring Metrics Publisher" && azurerm_role_assignment.insights[0].scope == var.application_insights.id
    error_message = "the identity may not send telemetry"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.gateway.site_config[0].application_insights_connection_string == var.application_insights.connection_string
    error_message = "the host isn't told where telemetry goes"
  }
}

run "settings_of_the_operator_reach_the_app" {
  command = plan

  variables {
    settings = { OTEL_EXPORTER_OTLP_ENDPOINT = "https://collector.internal.contoso.example", TOLLGATE_TABLES = "https://contosostore.table.core.windows.net" }
  }

  assert {
    condition     = lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "OTEL_EXPORTER_OTLP_ENDPOINT", "none") == "https://collector.internal.contoso.example"
    error_message = "a setting got lost"
  }
}

run "a_new_package_is_a_new_blob_and_new_instances" {
  command = plan

  variables {
    package = "tests/package.zip"
  }

  assert {
    condition     = azurerm_storage_blob.package[0].name == "released-package.zip" && azurerm_storage_blob.package[0].content_md5 == filemd5("tests/package.zip")
    error_message = "the platform doesn't find the package, or not the new one"
  }

  assert {
    condition     = lookup(azurerm_function_app_flex_consumption.gateway.app_settings, "DEPLOYED_PACKAGE_SHA256", "none") == filesha256("tests/package.zip")
    error_message = "instances go on with the old package"
  }
}
