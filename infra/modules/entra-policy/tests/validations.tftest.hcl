mock_provider "azuread" {}

variables {
  name               = "contoso (test)"
  applications       = ["22222222-2222-4222-8222-222222222222"]
  break_glass_groups = ["a0000000-0000-4000-8000-000000000199"]
}

run "name_empty_is_refused" {
  command = plan

  variables {
    name = " "
  }

  expect_failures = [var.name]
}

run "applications_all_is_refused" {
  command = plan

  variables {
    applications = ["All"]
  }

  expect_failures = [var.applications]
}

run "applications_none_with_a_policy_is_refused" {
  command = plan

  variables {
    mfa          = "mfa"
    applications = []
  }

  expect_failures = [var.applications]
}

run "included_groups_name_is_refused" {
  command = plan

  variables {
    included_groups = ["staff"]
  }

  expect_failures = [var.included_groups]
}

run "break_glass_groups_name_is_refused" {
  command = plan

  variables {
    break_glass_groups = ["us"]
  }

  expect_failures = [var.break_glass_groups]
}

run "break_glass_groups_none_when_enabled_is_refused" {
  command = plan

  variables {
    mfa                = "mfa"
    state              = "enabled"
    break_glass_groups = []
  }

  expect_failures = [var.break_glass_groups]
}

run "state_other_is_refused" {
  command = plan

  variables {
    state = "on"
  }

  expect_failures = [var.state]
}

run "mfa_other_is_refused" {
  command = plan

  variables {
    mfa = "sms"
  }

  expect_failures = [var.mfa]
}

run "sign_in_frequency_hours_day_is_refused" {
  command = plan

  variables {
    sign_in_frequency_hours = 24
  }

  expect_failures = [var.sign_in_frequency_hours]
}

run "named_locations_nothing_is_refused" {
  command = plan

  variables {
    named_locations = { a = {} }
  }

  expect_failures = [var.named_locations]
}

run "named_locations_whole_internet_is_refused" {
  command = plan

  variables {
    named_locations = { a = { ip_ranges = ["0.0.0.0/0"] } }
  }

  expect_failures = [var.named_locations]
}

run "named_locations_country_name_is_refused" {
  command = plan

  variables {
    named_locations = { a = { countries = ["Germany"] } }
  }

  expect_failures = [var.named_locations]
}

run "allowed_locations_unknown_is_refused" {
  command = plan

  variables {
    allowed_locations = ["office"]
  }

  expect_failures = [var.allowed_locations]
}

run "claims_mappings_source_is_refused" {
  command = plan

  variables {
    claims_mappings = { a = { service_principal_id = "/servicePrincipals/x", claims = { department = { source = "anybody", id = "department" } } } }
  }

  expect_failures = [var.claims_mappings]
}

run "claims_mappings_of_the_gateway_is_refused" {
  command = plan

  variables {
    claims_mappings = { a = { service_principal_id = "/servicePrincipals/x", claims = { Roles = { source = "user", id = "department" } } } }
  }

  expect_failures = [var.claims_mappings]
}
