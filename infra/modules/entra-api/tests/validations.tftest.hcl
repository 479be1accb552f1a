mock_provider "azuread" {}

variables {
  name           = "orders"
  identifier_uri = "api://11111111-1111-1111-1111-111111111111/orders"
  display_name   = "contoso orders (test)"
  roles          = { DataReader = { members = ["Application"] } }
}

run "name_capitals_is_refused" {
  command = plan

  variables {
    name = "Orders"
  }

  expect_failures = [var.name]
}

run "identifier_uri_http_is_refused" {
  command = plan

  variables {
    identifier_uri = "http://contoso.example/orders"
  }

  expect_failures = [var.identifier_uri]
}

run "identifier_uri_slash_is_refused" {
  command = plan

  variables {
    identifier_uri = "api://contoso.example/orders/"
  }

  expect_failures = [var.identifier_uri]
}

run "display_name_empty_is_refused" {
  command = plan

  variables {
    display_name = " "
  }

  expect_failures = [var.display_name]
}

run "description_long_is_refused" {
  command = plan

  variables {
    description = format("%1025s", "x")
  }

  expect_failures = [var.description]
}

run "owners_mail_is_refused" {
  command = plan

  variables {
    owners = ["me@contoso.example"]
  }

  expect_failures = [var.owners]
}

run "token_version_3_is_refused" {
  command = plan

  variables {
    token_version = 3
  }

  expect_failures = [var.token_version]
}

run "sign_in_audience_personal_is_refused" {
  command = plan

  variables {
    sign_in_audience = "AzureADandPersonalMicrosoftAccount"
  }

  expect_failures = [var.sign_in_audience]
}

run "scopes_consent_is_refused" {
  command = plan

  variables {
    scopes = { Read = { consent = "nobody" } }
  }

  expect_failures = [var.scopes]
}

run "scopes_role_name_is_refused" {
  command = plan

  variables {
    scopes = { DataReader = { consent = "user" } }
  }

  expect_failures = [var.scopes]
}

run "roles_members_is_refused" {
  command = plan

  variables {
    roles = { R = { members = ["Device"] } }
  }

  expect_failures = [var.roles]
}

run "roles_group_for_programs_is_refused" {
  command = plan

  variables {
    roles = { R = { members = ["Application"], groups = ["a0000000-0000-4000-8000-000000000101"] } }
  }

  expect_failures = [var.roles]
}

run "roles_group_name_is_refused" {
  command = plan

  variables {
    roles = { R = { members = ["User"], groups = ["approvers"] } }
  }

  expect_failures = [var.roles]
}

run "groups_name_is_refused" {
  command = plan

  variables {
    groups = ["staff"]
  }

  expect_failures = [var.groups]
}

run "optional_claims_without_idtyp_is_refused" {
  command = plan

  variables {
    optional_claims = ["acrs"]
  }

  expect_failures = [var.optional_claims]
}

run "federated_wildcard_is_refused" {
  command = plan

  variables {
    federated = { x = { issuer = "https://a.example", subject = "repo:a/b:*", audience = "api://AzureADTokenExchange" } }
  }

  expect_failures = [var.federated]
}
