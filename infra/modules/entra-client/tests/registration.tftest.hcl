mock_provider "azuread" {}

variables {
  name         = "batch"
  display_name = "contoso batch (test)"
  kind         = "federated"
  owners       = ["a0000000-0000-4000-8000-000000000201"]
  federated = {
    github = { issuer = "https://token.actions.githubusercontent.com", subject = "repo:contoso/batch:environment:test", audience = "api://AzureADTokenExchange" }
  }
  uses = {
    orders = {
      client_id                   = "22222222-2222-4222-8222-222222222222"
      application_id              = "/applications/22222222-2222-4222-8222-222222222223"
      service_principal_object_id = "22222222-2222-4222-8222-222222222224"
      scopes                      = { "Orders.Read" = "22222222-2222-4222-8222-222222222225", "Orders.Write" = "22222222-2222-4222-8222-222222222226" }
      roles                       = { DataReader = "22222222-2222-4222-8222-222222222227" }
      admin_consent               = ["Orders.Write"]
    }
    catalog = {
      client_id                   = "33333333-3333-4333-8333-333333333333"
      application_id              = "/applications/33333333-3333-4333-8333-333333333334"
      service_principal_object_id = "33333333-3333-4333-8333-333333333335"
      scopes                      = { "Catalog.Read" = "33333333-3333-4333-8333-333333333336" }
      preauthorized               = ["Catalog.Read"]
    }
  }
}

run "there_is_no_secret" {
  command = plan

  assert {
    condition     = length(azuread_application.this.password) == 0
    error_message = "A secret would stand in the state."
  }
}

run "a_secret_is_made_by_hand" {
  command = plan

  variables {
    kind      = "secret"
    federated = {}
  }

  assert {
    condition     = length(azuread_application.this.password) == 0 && strcontains(output.by_hand, "batch: the registration has no secret yet")
    error_message = "The secret must be made by hand, and the output must say so."
  }
}

run "what_has_no_credential_yet_is_told" {
  command = plan

  variables {
    federated = {}
  }

  assert {
    condition     = strcontains(output.by_hand, "no federated identity yet")
    error_message = "A client that can't get a token must be told."
  }
}

run "nothing_is_left_to_do_by_hand" {
  command = plan

  assert {
    condition     = output.by_hand == null
    error_message = "A client with its credential needs nobody."
  }
}

run "accounts_are_of_this_tenant" {
  command = plan

  assert {
    condition     = azuread_application.this.sign_in_audience == "AzureADMyOrg"
    error_message = "Other tenants' accounts could sign in to it."
  }
}

run "nobody_signs_in_by_password_or_device_code" {
  command = plan

  assert {
    condition     = !azuread_application.this.fallback_public_client_enabled
    error_message = "A public client's flows would be open to a client that has a credential."
  }
}

run "no_token_stands_in_an_address" {
  command = plan

  assert {
    condition     = !azuread_application.this.web[0].implicit_grant[0].access_token_issuance_enabled && !azuread_application.this.web[0].implicit_grant[0].id_token_issuance_enabled
    error_message = "The implicit flow puts tokens into addresses."
  }
}

run "a_second_registration_of_the_name_is_refused" {
  command = plan

  assert {
    condition     = azuread_application.this.prevent_duplicate_names
    error_message = "Lost state would make a second registration, which no contract names."
  }
}

run "one_workflow_is_the_client_and_no_other" {
  command = plan

  assert {
    condition = (
      azuread_application_federated_identity_credential.this["github"].issuer == "https://token.actions.githubusercontent.com" &&
      azuread_application_federated_identity_credential.this["github"].subject == "repo:contoso/batch:environment:test" &&
      azuread_application_federated_identity_credential.this["github"].audiences == tolist(["api://AzureADTokenExchange"])
    )
    error_message = "Another workflow, or a token meant for somebody else, would be the client."
  }
}

run "a_certificate_is_a_certificate_and_ends" {
  command = plan

  variables {
    kind         = "certificate"
    federated    = {}
    certificates = { first = { pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", end_date = "2027-06-30T00:00:00Z" } }
  }

  assert {
    condition     = azuread_application_certificate.this["first"].type == "AsymmetricX509Cert" && azuread_application_certificate.this["first"].end_date == "2027-06-30T00:00:00Z"
    error_message = "A symmetric key is a secret, and a certificate must end when it says."
  }
}

run "it_holds_its_roles_and_no_others" {
  command = plan

  assert {
    condition     = { for k, a in azuread_app_role_assignment.this : k => [a.app_role_id, a.resource_object_id] } == { "orders/DataReader" = ["22222222-2222-4222-8222-222222222227", "22222222-2222-4222-8222-222222222224"] }
    error_message = "A role of another API, or one that the contract doesn't name."
  }
}

run "an_administrator_consents_to_what_is_named_and_no_more" {
  command = plan

  assert {
    condition     = { for k, g in azuread_service_principal_delegated_permission_grant.this : k => [g.claim_values, g.resource_service_principal_object_id] } == { orders = [toset(["Orders.Write"]), "22222222-2222-4222-8222-222222222224"] }
    error_message = "Consent for everybody to a scope that each user should be asked for."
  }
}

run "nobody_is_asked_for_what_is_preauthorized_alone" {
  command = plan

  assert {
    condition     = { for k, p in azuread_application_pre_authorized.this : k => [p.application_id, p.permission_ids] } == { catalog = ["/applications/33333333-3333-4333-8333-333333333334", toset(["33333333-3333-4333-8333-333333333336"])] }
    error_message = "A scope that users should be asked for would be given unasked."
  }
}

run "it_may_ask_for_what_its_contract_names" {
  command = plan

  assert {
    condition = { for r in azuread_application.this.required_resource_access : r.resource_app_id => { for a in r.resource_access : a.id => a.type } } == {
      "22222222-2222-4222-8222-222222222222" = { "22222222-2222-4222-8222-222222222225" = "Scope", "22222222-2222-4222-8222-222222222226" = "Scope", "22222222-2222-4222-8222-222222222227" = "Role" }
      "33333333-3333-4333-8333-333333333333" = { "33333333-3333-4333-8333-333333333336" = "Scope" }
    }
    error_message = "It would ask for what its contract doesn't name."
  }
}

run "a_page_and_a_program_are_public_clients" {
  command = plan

  variables {
    kind          = "none"
    federated     = {}
    redirect_uris = { spa = ["https://app.contoso.example/in"], public = ["http://localhost:5173/in"] }
  }

  assert {
    condition = (
      azuread_application.this.single_page_application[0].redirect_uris == toset(["https://app.contoso.example/in"]) &&
      azuread_application.this.public_client[0].redirect_uris == toset(["http://localhost:5173/in"]) &&
      length(coalesce(azuread_application.this.web[0].redirect_uris, [])) == 0
    )
    error_message = "Codes would be redeemed without PKCE, or elsewhere."
  }
}

run "a_server_is_a_web_client" {
  command = plan

  variables {
    redirect_uris = { web = ["https://batch.contoso.example/in"] }
  }

  assert {
    condition     = azuread_application.this.web[0].redirect_uris == toset(["https://batch.contoso.example/in"]) && length(azuread_application.this.single_page_application) == 0 && length(azuread_application.this.public_client) == 0
    error_message = "A client with a credential must redeem codes with it."
  }
}
