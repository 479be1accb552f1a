mock_provider "azurerm" {}
mock_provider "azuread" {}

variables {
  gateway         = { name = "contoso", client_address = "host", grants = [{ kind = "client", api = "", name = "batch", operation = "", principal = "" }] }
  environment     = "dev"
  tenant_id       = "11111111-1111-1111-1111-111111111111"
  subscription_id = "00000000-0000-0000-0000-000000000000"
  apis = {
    orders = {
      identifier_uri      = "api://11111111-1111-1111-1111-111111111111/orders"
      display_name        = "contoso orders (prod)"
      description         = "Orders."
      owners              = []
      token_version       = 2
      sign_in_audience    = "AzureADMyOrg"
      scopes              = { "Orders.Read" = { consent = "user", description = "" } }
      roles               = { DataReader = { description = "", members = ["Application", "User"], groups = ["22222222-2222-2222-2222-222222222222"] } }
      groups              = []
      assignment_required = true
      optional_claims     = ["idtyp"]
      group_claims        = false
      federated           = {}
    }
    profile = {
      identifier_uri      = "api://11111111-1111-1111-1111-111111111111/profile"
      display_name        = "contoso profile (prod)"
      description         = ""
      owners              = []
      token_version       = 2
      sign_in_audience    = "AzureADMyOrg"
      scopes              = { "Profile.Read" = { consent = "admin", description = "" } }
      roles               = {}
      groups              = []
      assignment_required = true
      optional_claims     = ["idtyp"]
      group_claims        = false
      federated           = { gateway = { issuer = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0", subject = "", audience = "api://AzureADTokenExchange" } }
    }
  }
  clients = {
    batch = {
      display_name  = "contoso batch (prod)"
      description   = ""
      owners        = []
      kind          = "federated"
      certificates  = {}
      federated     = { github = { issuer = "https://token.actions.githubusercontent.com", subject = "repo:contoso/batch:environment:prod", audience = "api://AzureADTokenExchange" } }
      redirect_uris = { spa = [], web = [], public = [] }
      uses          = { orders = { scopes = [], roles = ["DataReader"], admin_consent = [], preauthorized = [] } }
    }
  }
}

run "nothing_has_a_private_endpoint" {
  command = plan
  assert {
    condition     = output.private == false
    error_message = "private must be false in dev"
  }
  assert {
    condition     = output.gateway.resource_group == "rg-contoso-dev"
    error_message = "the environment has a resource group of its own"
  }
}

run "a_subscription_that_is_no_guid_is_refused" {
  command = plan
  variables {
    subscription_id = "production"
  }
  expect_failures = [var.subscription_id]
}

run "a_region_by_its_display_name_is_refused" {
  command = plan
  variables {
    location = "West Europe"
  }
  expect_failures = [var.location]
}
