variable "name" {
  type        = string
  description = "What display names of policies begin with, such as the gateway's name and the environment."
  nullable    = false

  validation {
    condition     = length(trimspace(var.name)) > 0 && length(var.name) <= 120
    error_message = "name must have 1 to 120 characters."
  }
}

variable "applications" {
  type        = set(string)
  description = "Client ids of the APIs that policies are about. Conditional access needs Entra ID P1 for every user it is about."
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for id in var.applications : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "applications must be client ids (GUIDs): All or Office365 would reach past this estate."
  }

  validation {
    condition     = length(var.applications) > 0 || (var.mfa == null && !var.compliant_device && var.sign_in_frequency_hours == null && length(var.allowed_locations) == 0)
    error_message = "applications must be named where a policy is asked for."
  }
}

variable "included_groups" {
  type        = set(string)
  description = "Object ids of the groups that policies are about; empty for all users."
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for id in var.included_groups : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "included_groups must be object ids (GUIDs)."
  }
}

variable "break_glass_groups" {
  type        = set(string)
  description = "Object ids of the groups of accounts that no policy shuts out, so that a mistake can be mended."
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for id in var.break_glass_groups : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "break_glass_groups must be object ids (GUIDs)."
  }

  validation {
    condition     = var.state != "enabled" || length(var.break_glass_groups) > 0 || (var.mfa == null && !var.compliant_device && var.sign_in_frequency_hours == null && length(var.allowed_locations) == 0)
    error_message = "break_glass_groups must be named before a policy is enabled: nobody could mend one that shuts everybody out."
  }
}

variable "state" {
  type        = string
  description = "enabledForReportingButNotEnforced: sign-in logs tell what policies would do. enabled: they do it. disabled: neither."
  nullable    = false
  default     = "enabledForReportingButNotEnforced"

  validation {
    condition     = contains(["enabled", "disabled", "enabledForReportingButNotEnforced"], var.state)
    error_message = "state must be enabled, disabled or enabledForReportingButNotEnforced."
  }
}

variable "mfa" {
  type        = string
  description = "mfa: any second factor. phishingResistant: a passkey, Windows Hello or a certificate. null: no such policy. Needs Entra ID P1."
  default     = null

  validation {
    condition     = var.mfa == null || contains(["mfa", "phishingResistant"], coalesce(var.mfa, "-"))
    error_message = "mfa must be mfa, phishingResistant or null."
  }
}

variable "compliant_device" {
  type        = bool
  description = "true: only from devices that Intune calls compliant. Needs Entra ID P1 and Intune."
  nullable    = false
  default     = false
}

variable "sign_in_frequency_hours" {
  type        = number
  description = "After so many hours, from 1 to 23, users sign in anew; null: as the tenant says. Needs Entra ID P1."
  default     = null

  validation {
    condition     = var.sign_in_frequency_hours == null || (coalesce(var.sign_in_frequency_hours, 1) >= 1 && coalesce(var.sign_in_frequency_hours, 1) <= 23 && floor(coalesce(var.sign_in_frequency_hours, 1)) == coalesce(var.sign_in_frequency_hours, 1))
    error_message = "sign_in_frequency_hours must be a whole number from 1 to 23, or null."
  }
}

variable "named_locations" {
  type = map(object({
    ip_ranges = optional(list(string), [])
    trusted   = optional(bool, false)
    countries = optional(list(string), [])
  }))
  description = "Places by name: networks (CIDR), trusted or not, or countries (ISO 3166, two letters). Needs Entra ID P1."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for l in values(var.named_locations) : (length(l.ip_ranges) > 0) != (length(l.countries) > 0)])
    error_message = "named_locations must each have ip_ranges or countries, and not both."
  }

  validation {
    condition     = alltrue(flatten([for l in values(var.named_locations) : [for range in l.ip_ranges : can(cidrhost(range, 0)) && !endswith(range, "/0")]]))
    error_message = "named_locations must have networks such as 203.0.113.0/24, and none that is the whole internet."
  }

  validation {
    condition     = alltrue(flatten([for l in values(var.named_locations) : [for c in l.countries : can(regex("^[A-Z]{2}$", c))]]))
    error_message = "named_locations must name countries by two capital letters, such as DE."
  }
}

variable "allowed_locations" {
  type        = set(string)
  description = "Names under named_locations; sign-ins from elsewhere are blocked. Empty: from anywhere. Needs Entra ID P1."
  nullable    = false
  default     = []

  validation {
    condition     = length(setsubtract(var.allowed_locations, keys(var.named_locations))) == 0
    error_message = "allowed_locations must be among named_locations."
  }
}

variable "claims_mappings" {
  type = map(object({
    service_principal_id = string
    claims               = map(object({ source = string, id = string }))
  }))
  description = "Claims that Entra doesn't send by itself, by API: its service principal (/servicePrincipals/OBJECT-ID), and where each claim comes from. Needs signingKeys: application, and Entra ID P1 where users' attributes are synchronised."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue(flatten([for m in values(var.claims_mappings) : [for claim, from in m.claims : contains(["user", "application", "resource", "audience", "company"], from.source)]]))
    error_message = "claims_mappings must take claims from user, application, resource, audience or company."
  }

  validation {
    condition     = alltrue(flatten([for m in values(var.claims_mappings) : [for claim in keys(m.claims) : !contains(["acr", "acrs", "acct", "amr", "appid", "appidacr", "aud", "azp", "azpacr", "cnf", "exp", "groups", "iat", "idtyp", "iss", "nbf", "oid", "roles", "scp", "sub", "tid", "uti", "ver", "wids", "xms_cc"], lower(claim))]]))
    error_message = "claims_mappings must not write claims by which the gateway tells who calls, such as oid, tid, roles and scp."
  }
}
