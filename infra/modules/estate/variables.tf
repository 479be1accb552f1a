# What the contracts say: `tollgate infra` writes these into contracts.auto.tfvars.json.
# The modules that take the parts know their shapes and check them.

variable "gateway" {
  type        = string
  description = "Name of the gateway in the contracts: names of resources begin with it."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.gateway))
    error_message = "gateway must be lower-case letters, digits and single hyphens, from a letter: Azure takes no other name for a vault."
  }
}

variable "environment" {
  type        = string
  description = "Name of the environment: the file of contracts/environments that the gateway binds its contracts to."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.environment)) && length(var.gateway) + length(var.environment) <= 21
    error_message = "environment must be lower-case letters, digits and single hyphens, from a letter, and at most 21 characters together with gateway: the storage account's name is made of both, and 24 are its limit."
  }
}

variable "tenant_id" {
  type        = string
  description = "The Entra tenant of the registrations, of the vault and of those who deploy."
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.tenant_id))
    error_message = "tenant_id must be a GUID."
  }
}

variable "apis" {
  type        = any
  description = "Registrations of APIs by name, in the shape of entra-api."
  nullable    = false

  validation {
    condition     = try(length(var.apis), 0) > 0
    error_message = "apis must name one API or more; `tollgate infra plan` writes them from the contracts."
  }

  validation {
    condition     = try(length(distinct([for a in values(var.apis) : lower(trimsuffix(a.identifier_uri, "/"))])) == length(var.apis), true)
    error_message = "apis must each have an Application ID URI of its own: with one shared by two, a token for one API would open the other."
  }
}

variable "clients" {
  type        = any
  description = "Registrations of clients by name, in the shape of entra-client."
  nullable    = false

  validation {
    condition     = try(alltrue([for c in values(var.clients) : alltrue([for api in keys(c.uses) : contains(keys(var.apis), api)])]), false)
    error_message = "clients must use APIs that are among apis."
  }
}

# What the environment decides.

variable "location" {
  type        = string
  description = "Azure region of everything, as Azure's programs write it; one that offers Flex Consumption."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+$", var.location))
    error_message = "location must be as Azure's programs write it, such as westeurope."
  }
}

variable "private" {
  type        = bool
  description = "true: storage, vault, event hub, telemetry and backends are reached through private endpoints alone. false: through service endpoints of the gateway's subnet, which cost nothing; nobody else is let in either way."
  nullable    = false
  default     = true
}
