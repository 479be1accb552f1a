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

run "a_name_that_no_vault_may_have_is_refused" {
  command = plan
  variables {
    gateway = { name = "Contoso_1" }
  }
  expect_failures = [var.gateway]
}

run "addresses_from_front_door_without_one_are_refused" {
  command = plan
  variables {
    gateway = { name = "contoso", client_address = "frontDoor" }
  }
  expect_failures = [var.gateway]
}

run "a_long_name_is_refused" {
  command = plan
  variables {
    environment = "a-very-long-name"
  }
  expect_failures = [var.environment]
}

run "a_tenant_that_is_no_guid_is_refused" {
  command = plan
  variables {
    tenant_id = "contoso.example"
  }
  expect_failures = [var.tenant_id]
}

run "no_apis_are_refused" {
  command = plan
  variables {
    apis    = {}
    clients = {}
  }
  expect_failures = [var.apis]
}

run "one_audience_for_two_apis_is_refused" {
  command = plan
  variables {
    apis = {
      a = { identifier_uri = "api://11111111-1111-1111-1111-111111111111/orders" }
      b = { identifier_uri = "api://11111111-1111-1111-1111-111111111111/Orders/" }
    }
    clients = {}
  }
  expect_failures = [var.apis]
}

run "a_client_of_an_api_that_is_not_there_is_refused" {
  command = plan
  variables {
    clients = { batch = { uses = { billing = {} } } }
  }
  expect_failures = [var.clients]
}

run "a_region_by_its_display_name_is_refused" {
  command = plan
  variables {
    location = "West Europe"
  }
  expect_failures = [var.location]
}

run "an_unknown_word_about_the_network_is_refused" {
  command = plan
  variables {
    network = { adress_space = "10.0.0.0/24" }
  }
  expect_failures = [var.network]
}

run "an_unknown_word_about_the_function_is_refused" {
  command = plan
  variables {
    function = { inbond = {} }
  }
  expect_failures = [var.function]
}

run "an_unknown_word_about_the_vault_is_refused" {
  command = plan
  variables {
    vault = { public = true }
  }
  expect_failures = [var.vault]
}

run "addresses_of_a_private_vault_are_refused" {
  command = plan
  variables {
    vault = { addresses = ["198.51.100.0/24"] }
  }
  expect_failures = [var.vault]
}

run "an_unknown_word_about_observability_is_refused" {
  command = plan
  variables {
    observability = { alert = {} }
  }
  expect_failures = [var.observability]
}
