mock_provider "azuread" {}

variables {
  name               = "contoso (test)"
  applications       = ["22222222-2222-4222-8222-222222222222"]
  break_glass_groups = ["a0000000-0000-4000-8000-000000000199"]
}

run "nothing_is_made_unless_it_is_asked_for" {
  command = plan

  assert {
    condition = (
      length(azuread_conditional_access_policy.this) + length(azuread_named_location.this) + length(azuread_claims_mapping_policy.this) == 0
    )
    error_message = "Each policy needs a licence and may shut somebody out: silence asks for none."
  }
}

run "policies_report_before_they_are_enforced" {
  command = plan

  variables {
    mfa                     = "mfa"
    compliant_device        = true
    sign_in_frequency_hours = 4
    named_locations         = { office = { ip_ranges = ["203.0.113.0/24"], trusted = true } }
    allowed_locations       = ["office"]
  }

  assert {
    condition     = length(azuread_conditional_access_policy.this) == 4
    error_message = "All four must be there."
  }

  assert {
    condition = alltrue([for p in values(azuread_conditional_access_policy.this) :
    p.state == "enabledForReportingButNotEnforced"])
    error_message = "A new policy could shut everybody out at once."
  }
}

run "no_policy_shuts_out_who_mends_mistakes" {
  command = plan

  variables {
    state                   = "enabled"
    mfa                     = "mfa"
    compliant_device        = true
    sign_in_frequency_hours = 4
    named_locations         = { office = { ip_ranges = ["203.0.113.0/24"] } }
    allowed_locations       = ["office"]
  }

  assert {
    condition = alltrue([for p in values(azuread_conditional_access_policy.this) :
    toset(p.conditions[0].users[0].excluded_groups) == toset(["a0000000-0000-4000-8000-000000000199"])])
    error_message = "A mistake in a policy could not be mended."
  }

  assert {
    condition     = azuread_conditional_access_policy.this["mfa"].state == "enabled"
    error_message = "state must reach the policies."
  }
}

run "policies_are_about_these_apis_alone" {
  command = plan

  variables {
    mfa                     = "mfa"
    compliant_device        = true
    sign_in_frequency_hours = 4
    named_locations         = { office = { ip_ranges = ["203.0.113.0/24"] } }
    allowed_locations       = ["office"]
  }

  assert {
    condition = alltrue([for p in values(azuread_conditional_access_policy.this) :
    toset(p.conditions[0].applications[0].included_applications) == toset(["22222222-2222-4222-8222-222222222222"]) && p.conditions[0].users[0].included_users == tolist(["All"]) && p.conditions[0].client_app_types == tolist(["all"])])
    error_message = "Every user and every kind of program, and no application of others."
  }
}

run "a_second_factor_is_any" {
  command = plan

  variables {
    mfa = "mfa"
  }

  assert {
    condition     = azuread_conditional_access_policy.this["mfa"].grant_controls[0].built_in_controls == tolist(["mfa"])
    error_message = "The policy must ask for a second factor."
  }
}

run "a_second_factor_resists_phishing" {
  command = plan

  variables {
    mfa = "phishingResistant"
  }

  assert {
    condition     = azuread_conditional_access_policy.this["mfa"].grant_controls[0].authentication_strength_policy_id == "/policies/authenticationStrengthPolicies/00000000-0000-0000-0000-000000000004" && length(azuread_conditional_access_policy.this["mfa"].grant_controls[0].built_in_controls) == 0
    error_message = "With OR beside it, any second factor would do."
  }
}

run "a_device_is_compliant" {
  command = plan

  variables {
    compliant_device = true
  }

  assert {
    condition     = azuread_conditional_access_policy.this["device"].grant_controls[0].built_in_controls == tolist(["compliantDevice"])
    error_message = "The policy must ask for a compliant device."
  }
}

run "users_sign_in_anew" {
  command = plan

  variables {
    sign_in_frequency_hours = 4
  }

  assert {
    condition     = azuread_conditional_access_policy.this["frequency"].session_controls[0].sign_in_frequency == 4 && azuread_conditional_access_policy.this["frequency"].session_controls[0].sign_in_frequency_period == "hours"
    error_message = "The session must end after so many hours."
  }
}

run "whoever_is_elsewhere_is_blocked" {
  command = plan

  variables {
    named_locations   = { office = { ip_ranges = ["203.0.113.0/24"] }, home = { countries = ["DE"] } }
    allowed_locations = ["office"]
  }

  assert {
    condition = (
      azuread_conditional_access_policy.this["location"].grant_controls[0].built_in_controls == tolist(["block"]) &&
      azuread_conditional_access_policy.this["location"].conditions[0].locations[0].included_locations == tolist(["All"]) &&
      length(azuread_conditional_access_policy.this["location"].conditions[0].locations[0].excluded_locations) == 1
    )
    error_message = "Everywhere is blocked but what is allowed."
  }

  assert {
    condition     = !azuread_named_location.this["office"].ip[0].trusted && !azuread_named_location.this["home"].country[0].include_unknown_countries_and_regions
    error_message = "A network is trusted only where that is said, and an unknown country is no country."
  }
}

run "a_policy_is_about_the_groups_it_names" {
  command = plan

  variables {
    mfa             = "mfa"
    included_groups = ["a0000000-0000-4000-8000-000000000102"]
  }

  assert {
    condition     = toset(azuread_conditional_access_policy.this["mfa"].conditions[0].users[0].included_groups) == toset(["a0000000-0000-4000-8000-000000000102"]) && length(coalesce(azuread_conditional_access_policy.this["mfa"].conditions[0].users[0].included_users, [])) == 0
    error_message = "With All beside them the groups say nothing."
  }
}

run "claims_are_mapped_as_asked" {
  command = plan

  variables {
    claims_mappings = { orders = { service_principal_id = "/servicePrincipals/22222222-2222-4222-8222-222222222224", claims = { department = { source = "user", id = "department" } } } }
  }

  assert {
    condition = jsondecode(azuread_claims_mapping_policy.this["orders"].definition[0]) == {
      ClaimsMappingPolicy = { Version = 1, IncludeBasicClaimSet = "true", ClaimsSchema = [{ Source = "user", ID = "department", JwtClaimType = "department" }] }
    }
    error_message = "The policy must map these claims and no others."
  }
}
