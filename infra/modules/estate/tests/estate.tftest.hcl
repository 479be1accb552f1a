mock_provider "azurerm" {}
mock_provider "azuread" {}

variables {
  gateway     = { name = "contoso", client_address = "host", grants = [{ kind = "client", api = "", name = "batch", operation = "", principal = "" }] }
  environment = "prod"
  tenant_id   = "11111111-1111-1111-1111-111111111111"
  location    = "westeurope"
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

run "a_private_environment_reaches_storage_vault_telemetry_and_backends_by_private_endpoints_alone" {
  command = plan
  variables {
    network       = { dns_zone = "internal.contoso.example" }
    backends      = { orders = { host = { address = "10.30.0.17" } } }
    observability = { event_hub = {} }
  }
  assert {
    condition     = output.private
    error_message = "private is the default"
  }
  assert {
    condition     = output.backends["orders"].url == "https://orders.internal.contoso.example"
    error_message = "a backend has a name below dns_zone"
  }
}

run "a_cheap_environment_has_no_private_endpoint_and_its_vault_lets_the_gateways_subnet_in" {
  command = plan
  variables {
    private = false
    vault   = { addresses = ["198.51.100.0/24"], purge_protection = false }
  }
  assert {
    condition     = !output.private
    error_message = "private is told"
  }
}

run "names_are_made_of_the_gateway_and_the_environment" {
  command = plan
  assert {
    condition     = output.gateway.resource_group == "rg-contoso-prod" && output.gateway.function_app == "contoso-prod"
    error_message = "rg-GATEWAY-ENVIRONMENT and GATEWAY-ENVIRONMENT"
  }
  assert {
    condition     = azurerm_resource_group.this.tags["gateway"] == "contoso" && azurerm_resource_group.this.tags["environment"] == "prod"
    error_message = "tags tell whose it is"
  }
}

run "a_gateway_behind_front_door_takes_addresses_from_it" {
  command = plan
  variables {
    gateway  = { name = "contoso", client_address = "frontDoor" }
    function = { inbound = { mode = "front_door", front_door = {} } }
  }
  assert {
    condition     = output.gateway.function_app == "contoso-prod"
    error_message = "it is planned"
  }
}

run "a_private_gateway_has_an_endpoint_of_its_own_which_callers_reach" {
  command = plan
  variables {
    network = {
      address_space = "10.20.0.0/24"
      subnets       = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", inbound = "10.20.0.128/28" }
      callers       = ["10.0.0.0/16"]
    }
    function = { inbound = { mode = "private" } }
  }
  assert {
    condition     = output.gateway.function_app == "contoso-prod"
    error_message = "it is planned"
  }
}
