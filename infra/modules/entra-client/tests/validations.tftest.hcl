mock_provider "azuread" {}

variables {
  name         = "batch"
  display_name = "contoso batch (test)"
  kind         = "federated"
}

run "name_capitals_is_refused" {
  command = plan

  variables {
    name = "Batch"
  }

  expect_failures = [var.name]
}

run "display_name_empty_is_refused" {
  command = plan

  variables {
    display_name = " "
  }

  expect_failures = [var.display_name]
}

run "kind_other_is_refused" {
  command = plan

  variables {
    kind = "password"
  }

  expect_failures = [var.kind]
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

run "certificates_text_is_refused" {
  command = plan

  variables {
    kind         = "certificate"
    certificates = { a = { pem = "hello", end_date = "2027-06-30T00:00:00Z" } }
  }

  expect_failures = [var.certificates]
}

run "certificates_key_is_refused" {
  command = plan

  variables {
    kind         = "certificate"
    certificates = { a = { pem = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----", end_date = "2027-06-30T00:00:00Z" } }
  }

  expect_failures = [var.certificates]
}

run "certificates_of_another_kind_is_refused" {
  command = plan

  variables {
    certificates = { a = { pem = "-----BEGIN CERTIFICATE-----", end_date = "2027-06-30T00:00:00Z" } }
  }

  expect_failures = [var.certificates]
}

run "federated_wildcard_is_refused" {
  command = plan

  variables {
    federated = { x = { issuer = "https://a.example", subject = "repo:a/b:*", audience = "api://AzureADTokenExchange" } }
  }

  expect_failures = [var.federated]
}

run "federated_of_another_kind_is_refused" {
  command = plan

  variables {
    kind      = "none"
    federated = { x = { issuer = "https://a.example", subject = "s", audience = "api://AzureADTokenExchange" } }
  }

  expect_failures = [var.federated]
}

run "federated_too_many_is_refused" {
  command = plan

  variables {
    federated = { for i in range(21) : "p${i}" => { issuer = "https://a.example", subject = "s", audience = "api://AzureADTokenExchange" } }
  }

  expect_failures = [var.federated]
}

run "redirect_uris_in_the_clear_is_refused" {
  command = plan

  variables {
    redirect_uris = { web = ["http://a.example/in"] }
  }

  expect_failures = [var.redirect_uris]
}

run "redirect_uris_of_a_page_with_a_credential_is_refused" {
  command = plan

  variables {
    redirect_uris = { spa = ["https://a.example/in"] }
  }

  expect_failures = [var.redirect_uris]
}

run "redirect_uris_of_a_server_without_one_is_refused" {
  command = plan

  variables {
    kind          = "none"
    redirect_uris = { web = ["https://a.example/in"] }
  }

  expect_failures = [var.redirect_uris]
}

run "uses_consent_to_a_scope_it_has_not_is_refused" {
  command = plan

  variables {
    uses = { a = { client_id = "x", application_id = "x", service_principal_object_id = "x", admin_consent = ["S"] } }
  }

  expect_failures = [var.uses]
}
