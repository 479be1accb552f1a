# What the contracts say: `tollgate infra` writes these into contracts.auto.tfvars.json.
# The modules that take the parts know their shapes and check them.

variable "gateway" {
  type = object({
    name           = string
    client_address = optional(string, "")
    grants = optional(list(object({
      kind      = string
      api       = string
      name      = string
      operation = string
      principal = string
    })), [])
  })
  description = "Of the gateway's contract: its name, which names of resources begin with; the source of clientAddress; and what the contracts grant, for the question what is unused (of clients, their names)."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.gateway.name))
    error_message = "gateway.name must be lower-case letters, digits and single hyphens, from a letter: Azure takes no other name for a vault."
  }

  validation {
    condition     = (var.gateway.client_address == "frontDoor") == (try(var.function.inbound.mode, "public") == "front_door")
    error_message = "gateway.client_address and function.inbound.mode must agree: clientAddress: { source: frontDoor } in the contracts goes with mode front_door, and with no other. Else every caller has Front Door's address, or may name one."
  }
}

variable "environment" {
  type        = string
  description = "Name of the environment: the file of contracts/environments that the gateway binds its contracts to."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.environment)) && length(var.gateway.name) + length(var.environment) <= 21
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

variable "network" {
  type        = any
  description = "address_space, subnets, dns_zone, callers, operators, egress and outbound of private-backend."
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.network), ["address_space", "subnets", "dns_zone", "callers", "operators", "egress", "outbound"])) == 0
    error_message = "network knows address_space, subnets, dns_zone, callers, operators, egress and outbound."
  }
}

variable "backends" {
  type        = any
  description = "Backends of the private network by name, in the shape of private-backend."
  nullable    = false
  default     = {}
}

variable "function" {
  type        = any
  description = "instance, inbound, custom_domain, settings, storage_replication and package of gateway."
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.function), ["instance", "inbound", "custom_domain", "settings", "storage_replication", "package"])) == 0
    error_message = "function knows instance, inbound, custom_domain, settings, storage_replication and package."
  }
}

variable "vault" {
  type        = any
  description = "officers, sku_name, purge_protection and addresses (CIDR ranges that reach it where private is false) of key-vault."
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.vault), ["officers", "sku_name", "purge_protection", "addresses"])) == 0
    error_message = "vault knows officers, sku_name, purge_protection and addresses."
  }

  validation {
    condition     = !var.private || length(try(var.vault.addresses, [])) == 0
    error_message = "vault.addresses are of the vault's public side, which a private environment hasn't."
  }
}

variable "observability" {
  type        = any
  description = "retention, daily_quota_gb, alerts and event_hub of observability."
  nullable    = false
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.observability), ["retention", "daily_quota_gb", "alerts", "event_hub"])) == 0
    error_message = "observability knows retention, daily_quota_gb, alerts and event_hub."
  }
}

variable "policies" {
  type        = any
  description = "What entra-policy makes; each part is off unless it is asked for, and names the licence it needs."
  nullable    = false
  default     = {}
}

variable "tags" {
  type        = map(string)
  description = "Tags of every resource that takes any, besides gateway and environment."
  nullable    = false
  default     = {}
}
