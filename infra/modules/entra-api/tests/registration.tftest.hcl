mock_provider "azuread" {}

variables {
  name           = "orders"
  identifier_uri = "api://11111111-1111-1111-1111-111111111111/orders"
  display_name   = "contoso orders (test)"
  owners         = ["a0000000-0000-4000-8000-000000000201"]
  scopes = {
    "Orders.Read"  = { consent = "user", description = "Read orders" }
    "Orders.Write" = { consent = "admin" }
  }
  roles = {
    DataReader = { members = ["Application"], description = "Reads" }
    Approver   = { members = ["User"], groups = ["a0000000-0000-4000-8000-000000000101"] }
  }
  groups          = ["a0000000-0000-4000-8000-000000000102"]
  optional_claims = ["acrs", "idtyp", "xms_cc"]
}

run "only_who_is_assigned_gets_tokens" {
  command = plan

  assert {
    condition     = azuread_service_principal.this.app_role_assignment_required
    error_message = "Entra would issue tokens to the whole tenant."
  }
}

run "an_open_api_is_one_that_says_so" {
  command = plan

  variables {
    assignment_required = false
  }

  assert {
    condition     = !azuread_service_principal.this.app_role_assignment_required
    error_message = "assignment_required = false must reach the service principal."
  }
}

run "accounts_are_of_this_tenant_unless_it_is_said" {
  command = plan

  assert {
    condition     = azuread_application.this.sign_in_audience == "AzureADMyOrg"
    error_message = "Other tenants' accounts could sign in."
  }
}

run "tokens_are_of_version_2_unless_it_is_said" {
  command = plan

  assert {
    condition     = azuread_application.this.api[0].requested_access_token_version == 2
    error_message = "v1 tokens' aud is whatever the client asked for."
  }
}

run "nobody_can_write_claims_of_their_own" {
  command = plan

  assert {
    condition     = !azuread_application.this.api[0].mapped_claims_enabled
    error_message = "A claims mapping policy could forge what rules read."
  }
}

run "there_is_no_secret" {
  command = plan

  assert {
    condition     = length(azuread_application.this.password) == 0
    error_message = "A secret would stand in the state."
  }
}

run "a_second_registration_of_the_name_is_refused" {
  command = plan

  assert {
    condition     = azuread_application.this.prevent_duplicate_names
    error_message = "Lost state would make a second registration, whose tokens nobody takes."
  }
}

run "the_audience_is_the_contracts_and_no_other" {
  command = plan

  assert {
    condition     = azuread_application.this.identifier_uris == toset(["api://11111111-1111-1111-1111-111111111111/orders"])
    error_message = "The Application ID URI must be the contract's alone."
  }
}

run "scopes_ask_for_the_consent_that_the_contract_says" {
  command = plan

  assert {
    condition     = { for s in azuread_application.this.api[0].oauth2_permission_scope : s.value => s.type } == { "Orders.Read" = "User", "Orders.Write" = "Admin" }
    error_message = "A scope that an administrator must consent to would be any user's to give."
  }

  assert {
    condition     = alltrue([for s in azuread_application.this.api[0].oauth2_permission_scope : s.enabled])
    error_message = "A disabled scope stands in no token."
  }

  assert {
    condition     = { for s in azuread_application.this.api[0].oauth2_permission_scope : s.value => s.admin_consent_description } == { "Orders.Read" = "Read orders", "Orders.Write" = "Orders.Write" }
    error_message = "Whoever consents must read what for."
  }
}

run "roles_are_for_whom_the_rules_let_in" {
  command = plan

  assert {
    condition     = { for r in azuread_application.this.app_role : r.value => r.allowed_member_types if r.display_name != "Access" } == { DataReader = toset(["Application"]), Approver = toset(["User"]) }
    error_message = "A user could be given an application's role, or the other way round."
  }
}

run "ids_follow_from_names" {
  command = plan

  assert {
    condition     = output.scope_ids["Orders.Read"] == uuidv5("url", "tollgate:orders/scope/Orders.Read") && output.role_ids["DataReader"] == uuidv5("url", "tollgate:orders/role/DataReader")
    error_message = "Ids must stay the same when a registration is made anew."
  }

  assert {
    condition     = toset([for s in azuread_application.this.api[0].oauth2_permission_scope : s.id]) == toset(values(output.scope_ids))
    error_message = "scope_ids must be those of the registration."
  }

  assert {
    condition     = toset([for r in azuread_application.this.app_role : r.id if r.display_name != "Access"]) == toset(values(output.role_ids))
    error_message = "role_ids must be those of the registration."
  }
}

run "groups_hold_the_roles_that_the_contract_gives_them" {
  command = plan

  assert {
    condition     = { for k, a in azuread_app_role_assignment.role : k => [a.app_role_id, a.principal_object_id] } == { "Approver/a0000000-0000-4000-8000-000000000101" = [output.role_ids["Approver"], "a0000000-0000-4000-8000-000000000101"] }
    error_message = "A group must hold its own role and no other."
  }
}

run "groups_without_a_role_get_tokens_and_nothing_in_them" {
  command = plan

  assert {
    condition     = [for r in azuread_application.this.app_role : coalesce(r.value, "none") if r.display_name == "Access"] == ["none"]
    error_message = "The role for access must have no value: it would stand in tokens."
  }

  assert {
    condition     = [for a in values(azuread_app_role_assignment.access) : a.app_role_id] == [one([for r in azuread_application.this.app_role : r.id if r.display_name == "Access"])]
    error_message = "Groups without a role must get that role and no other."
  }
}

run "without_groups_there_is_no_role_for_access" {
  command = plan

  variables {
    groups = []
  }

  assert {
    condition     = length([for r in azuread_application.this.app_role : r if r.display_name == "Access"]) == 0 && length(azuread_app_role_assignment.access) == 0
    error_message = "A role nobody needs must not be there."
  }
}

run "tokens_hold_the_claims_that_rules_read" {
  command = plan

  assert {
    condition     = toset([for c in azuread_application.this.optional_claims[0].access_token : c.name]) == toset(["acrs", "idtyp", "xms_cc"])
    error_message = "Without its claim a rule refuses everybody, or guesses."
  }
}

run "groups_stand_in_tokens_only_where_asked" {
  command = plan

  assert {
    condition     = length(coalesce(azuread_application.this.group_membership_claims, [])) == 0
    error_message = "Tokens would tell every API a user's groups."
  }
}

run "only_assigned_groups_stand_in_tokens" {
  command = plan

  variables {
    group_claims = true
  }

  assert {
    condition     = azuread_application.this.group_membership_claims == toset(["ApplicationGroup"])
    error_message = "With all groups, a user in many has none in the token."
  }
}

run "it_proves_itself_by_another_platforms_identity" {
  command = plan

  variables {
    federated = { gateway = { issuer = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0", subject = "a0000000-0000-4000-8000-000000000009", audience = "api://AzureADTokenExchange" } }
  }

  assert {
    condition     = azuread_application_federated_identity_credential.this["gateway"].subject == "a0000000-0000-4000-8000-000000000009" && azuread_application_federated_identity_credential.this["gateway"].audiences == tolist(["api://AzureADTokenExchange"])
    error_message = "Another identity than the gateway's could act for users."
  }
}

run "nothing_else_proves_it" {
  command = plan

  assert {
    condition     = length(azuread_application_federated_identity_credential.this) == 0
    error_message = "A credential that nobody asked for."
  }
}
