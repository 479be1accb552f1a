# Conditional access for the APIs' registrations. Nothing is made unless it is
# asked for. What stepUp demands (authentication contexts) isn't here: the provider
# can't express it, so the driver asks Graph for it.
#
# Permissions, for a person: Conditional Access Administrator, and Application Administrator for claims. For a pipeline:
# Policy.Read.All with Policy.ReadWrite.ConditionalAccess, and Policy.ReadWrite.ApplicationConfiguration for claims. The
# Azure CLI's own token may lack these (azure-cli issue 33062): then sign in as a service principal. Licence: Entra
# ID P1 for every user that a policy is about.

locals {
  # Built into every tenant: phishing-resistant MFA.
  phishing_resistant = "/policies/authenticationStrengthPolicies/00000000-0000-0000-0000-000000000004"

  # What each policy asks for; all of them are about the same users and applications.
  policies = merge(
    var.mfa == "mfa" ? { mfa = { title = "a second factor", control = "mfa" } } : {},
    var.mfa == "phishingResistant" ? { mfa = { title = "a second factor that resists phishing", strength = local.phishing_resistant } } : {},
    var.compliant_device ? { device = { title = "a compliant device", control = "compliantDevice" } } : {},
    var.sign_in_frequency_hours != null ? { frequency = { title = "a recent sign-in", hours = var.sign_in_frequency_hours } } : {},
    length(var.allowed_locations) > 0 ? { location = { title = "known locations alone", control = "block" } } : {},
  )
}

resource "azuread_conditional_access_policy" "this" {
  for_each = local.policies

  display_name = "${var.name}: ${each.value.title}"
  state        = var.state

  conditions {
    client_app_types = ["all"]

    applications {
      included_applications = var.applications
    }

    users {
      included_users  = length(var.included_groups) > 0 ? [] : ["All"]
      included_groups = var.included_groups
      excluded_groups = var.break_glass_groups
    }

    dynamic "locations" { # whatever isn't among the allowed ones is blocked
      for_each = each.key == "location" ? [var.allowed_locations] : []

      content {
        included_locations = ["All"]
        excluded_locations = [for name in locations.value : azuread_named_location.this[name].object_id]
      }
    }
  }

  dynamic "grant_controls" {
    for_each = each.key == "frequency" ? [] : [each.value]

    content {
      operator                          = "OR"
      built_in_controls                 = compact([try(grant_controls.value.control, "")])
      authentication_strength_policy_id = try(grant_controls.value.strength, null)
    }
  }

  dynamic "session_controls" {
    for_each = each.key == "frequency" ? [each.value] : []

    content {
      sign_in_frequency          = session_controls.value.hours
      sign_in_frequency_period   = "hours"
      sign_in_frequency_interval = "timeBased"
    }
  }
}

resource "azuread_named_location" "this" {
  for_each = var.named_locations

  display_name = "${var.name}: ${each.key}"

  dynamic "ip" {
    for_each = length(each.value.ip_ranges) > 0 ? [each.value] : []

    content {
      ip_ranges = ip.value.ip_ranges
      trusted   = ip.value.trusted
    }
  }

  dynamic "country" {
    for_each = length(each.value.countries) > 0 ? [each.value] : []

    content {
      countries_and_regions                 = country.value.countries
      include_unknown_countries_and_regions = false # an address of unknown country is from none of these
    }
  }
}
