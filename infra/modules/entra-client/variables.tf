variable "name" {
  type        = string
  description = "The client's name in its contract."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "name must be lower-case letters, digits and hyphens, from a letter, as in the contract."
  }
}

variable "display_name" {
  type        = string
  description = "What administrators and users see."
  nullable    = false

  validation {
    condition     = length(trimspace(var.display_name)) > 0 && length(var.display_name) <= 120
    error_message = "display_name must have 1 to 120 characters."
  }
}

variable "kind" {
  type        = string
  description = "How the client proves itself: certificate, federated, none (a public client), or secret, which is made by hand."
  nullable    = false

  validation {
    condition     = contains(["certificate", "federated", "none", "secret"], var.kind)
    error_message = "kind must be certificate, federated, none or secret."
  }
}

variable "description" {
  type        = string
  description = "For readers in Entra; empty for none."
  nullable    = false
  default     = ""

  validation {
    condition     = length(var.description) <= 1024
    error_message = "description must have at most 1024 characters."
  }
}

variable "owners" {
  type        = set(string)
  description = "Object ids of those who own the registration. Whoever deploys with Application.ReadWrite.OwnedBy must be among them."
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for id in var.owners : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "owners must be object ids (GUIDs)."
  }
}

variable "certificates" {
  type        = map(object({ pem = string, end_date = string }))
  description = "Certificates by a name of their own: the public part as PEM text, and the day they end (RFC 3339)."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for c in values(var.certificates) : startswith(trimspace(c.pem), "-----BEGIN CERTIFICATE-----") && can(timeadd(c.end_date, "0s"))])
    error_message = "certificates must be PEM text that begins with -----BEGIN CERTIFICATE-----, and end_date a time such as 2027-06-30T00:00:00Z."
  }

  validation {
    condition     = alltrue([for c in values(var.certificates) : !strcontains(c.pem, "PRIVATE KEY")])
    error_message = "certificates must not hold a private key: it belongs to the client alone, and would stand in the state."
  }

  validation {
    condition     = length(var.certificates) == 0 || var.kind == "certificate"
    error_message = "certificates are for clients of kind certificate."
  }
}

variable "federated" {
  type        = map(object({ issuer = string, subject = string, audience = string }))
  description = "Other platforms' identities that are this client, by platform."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for f in values(var.federated) : startswith(f.issuer, "https://") && f.subject != "" && !strcontains(f.subject, "*") && startswith(f.audience, "api://AzureADTokenExchange")])
    error_message = "federated must have an https issuer, a whole subject without *, and Entra's audience for exchanges (api://AzureADTokenExchange)."
  }

  validation {
    condition     = length(var.federated) == 0 || var.kind == "federated"
    error_message = "federated is for clients of kind federated."
  }

  validation {
    condition     = length(var.federated) <= 20
    error_message = "federated must have at most 20 identities: Entra keeps no more for one registration."
  }
}

variable "redirect_uris" {
  type = object({
    spa    = optional(set(string), [])
    web    = optional(set(string), [])
    public = optional(set(string), [])
  })
  description = "Where users come back to after signing in: a page's (spa), a server's (web), a program's on the user's machine (public)."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for uri in setunion(var.redirect_uris.spa, var.redirect_uris.web) : can(regex("^(https://|http://(localhost|127\\.0\\.0\\.1)[:/])[^*#]*$", uri))])
    error_message = "redirect_uris of pages and servers must be https, or http on localhost, without * and #."
  }

  validation {
    condition     = length(setunion(var.redirect_uris.spa, var.redirect_uris.public)) == 0 || var.kind == "none"
    error_message = "redirect_uris under spa and public are for clients of kind none: what runs in the user's hands keeps no credential."
  }

  validation {
    condition     = length(var.redirect_uris.web) == 0 || var.kind != "none"
    error_message = "redirect_uris under web are for clients with a credential."
  }
}

variable "uses" {
  type = map(object({
    client_id                   = string
    application_id              = string
    service_principal_object_id = string
    scopes                      = optional(map(string), {})
    roles                       = optional(map(string), {})
    admin_consent               = optional(set(string), [])
    preauthorized               = optional(set(string), [])
  }))
  description = "What it uses, by API: that registration's ids, ids of scopes and roles by name, scopes to consent to for everybody, and scopes that nobody is asked for."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for use in values(var.uses) : length(setsubtract(setunion(use.admin_consent, use.preauthorized), keys(use.scopes))) == 0])
    error_message = "uses must name under admin_consent and preauthorized only scopes that it has."
  }
}
