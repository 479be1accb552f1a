variable "name" {
  type        = string
  description = "The API's name in its contract. Ids of scopes and roles follow from it."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "name must be lower-case letters, digits and hyphens, from a letter, as in the contract."
  }
}

variable "identifier_uri" {
  type        = string
  description = "Application ID URI: aud of a v1 token, and what clients ask for. It holds the tenant's id, the client id or a verified domain, or Entra refuses it."
  nullable    = false

  validation {
    condition     = can(regex("^(api|https)://[^*?#\\s]+[^*?#/\\s]$", var.identifier_uri)) && length(var.identifier_uri) <= 255
    error_message = "identifier_uri must begin with api:// or https://, end without a slash, and hold no *, ?, # or space."
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

variable "token_version" {
  type        = number
  description = "Version of the access tokens: 2, whose aud is the client id, or 1."
  nullable    = false
  default     = 2

  validation {
    condition     = contains([1, 2], var.token_version)
    error_message = "token_version must be 1 or 2."
  }
}

variable "sign_in_audience" {
  type        = string
  description = "AzureADMyOrg: this tenant's accounts alone. AzureADMultipleOrgs: other tenants' too; the gateway's contract still names which."
  nullable    = false
  default     = "AzureADMyOrg"

  validation {
    condition     = contains(["AzureADMyOrg", "AzureADMultipleOrgs"], var.sign_in_audience)
    error_message = "sign_in_audience must be AzureADMyOrg or AzureADMultipleOrgs: personal accounts have no tenant that a contract could name."
  }
}

variable "scopes" {
  type        = map(object({ consent = string, description = optional(string, "") }))
  description = "Delegated permissions by name (scp), and who may consent to each: user or admin."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for s in values(var.scopes) : contains(["user", "admin"], s.consent)])
    error_message = "scopes must say consent user or admin."
  }

  validation {
    condition     = alltrue([for name in keys(var.scopes) : can(regex("^[A-Za-z0-9._:/-]{1,120}$", name)) && !contains(keys(var.roles), name)])
    error_message = "scopes must have names of letters, digits and . _ : / -, and none that is a role's: Entra has one space of names for both."
  }
}

variable "roles" {
  type = map(object({
    description = optional(string, "")
    members     = set(string)
    groups      = optional(set(string), [])
  }))
  description = "App roles by name (roles): who may hold each (User, Application), and the object ids of groups whose members do."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for r in values(var.roles) : length(r.members) > 0 && alltrue([for m in r.members : contains(["User", "Application"], m)])])
    error_message = "roles must have members: User, Application, or both."
  }

  validation {
    condition     = alltrue([for r in values(var.roles) : length(r.groups) == 0 || contains(r.members, "User")])
    error_message = "roles with groups must have User among their members: a group can't be given an application's role."
  }

  validation {
    condition     = alltrue(flatten([for r in values(var.roles) : [for id in r.groups : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))]]))
    error_message = "roles must name groups by object ids (GUIDs)."
  }
}

variable "groups" {
  type        = set(string)
  description = "Object ids of groups whose members may get tokens without a role."
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for id in var.groups : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "groups must be object ids (GUIDs)."
  }
}

variable "assignment_required" {
  type        = bool
  description = "true: Entra issues tokens only to users, groups and applications that are assigned. false: to all of the tenant."
  nullable    = false
  default     = true
}

variable "optional_claims" {
  type        = set(string)
  description = "Claims of access tokens that Entra sends only where they are asked for."
  nullable    = false
  default     = ["idtyp"]

  validation {
    condition     = contains(var.optional_claims, "idtyp")
    error_message = "optional_claims must hold idtyp: without it an application's token is told from a user's by a guess."
  }
}

variable "group_claims" {
  type        = bool
  description = "true: tokens hold the groups of the user that are assigned to this registration, and no others."
  nullable    = false
  default     = false
}

variable "federated" {
  type        = map(object({ issuer = string, subject = string, audience = string }))
  description = "Other platforms' identities that the registration proves itself by, such as the gateway's managed identity for on-behalf-of."
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for f in values(var.federated) : startswith(f.issuer, "https://") && f.subject != "" && !strcontains(f.subject, "*") && startswith(f.audience, "api://AzureADTokenExchange")])
    error_message = "federated must have an https issuer, a whole subject without *, and Entra's audience for exchanges (api://AzureADTokenExchange)."
  }
}
