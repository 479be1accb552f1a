variable "name" {
  type        = string
  nullable    = false
  description = "Name of the vault, a part of its public address: it must be free in all of Azure, and stays taken for 90 days once the vault is deleted."

  validation {
    condition     = can(regex("^[a-zA-Z](-?[a-zA-Z0-9])+$", var.name)) && length(var.name) >= 3 && length(var.name) <= 24
    error_message = "The name is 3 to 24 letters, digits and single hyphens, and begins with a letter."
  }
}

variable "location" {
  type        = string
  nullable    = false
  description = "Azure region."
}

variable "resource_group_name" {
  type        = string
  nullable    = false
  description = "Resource group that the vault is made in."
}

variable "tenant_id" {
  type        = string
  nullable    = false
  description = "Tenant whose tokens the vault takes."

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.tenant_id))
    error_message = "tenant_id is the tenant's GUID, in lower case."
  }
}

variable "readers" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Principals that read secrets and certificates with their keys (Key Vault Secrets User), by a name of yours: the gateway's identity."
}

variable "signers" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Principals that sign with keys that never leave the vault (Key Vault Crypto User), by a name of yours: the gateway's identity, where an assertionKey is kept here."
}

variable "officers" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Groups or people that put secrets, keys and certificates in and rotate them (Key Vault Secrets, Crypto and Certificates Officer), by a name of yours. Terraform puts nothing in: what it puts in would stand in its state."

  validation {
    condition     = length(setintersection(toset(values(var.officers)), toset(concat(values(var.readers), values(var.signers))))) == 0
    error_message = "Who reads or signs in service must not be an officer too: it could replace what it is trusted by."
  }
}

variable "network" {
  type = object({
    public_access    = optional(bool, false)
    addresses        = optional(list(string), [])
    subnet_ids       = optional(list(string), [])
    trusted_services = optional(bool, false)
  })
  nullable    = false
  default     = {}
  description = "The vault's public side, off unless public_access asks for it; even then only these addresses (CIDR) and subnets, by their service endpoint, are let in. trusted_services lets Microsoft's own services past that."

  validation {
    condition     = var.network.public_access || length(var.network.addresses) + length(var.network.subnet_ids) == 0 && !var.network.trusted_services
    error_message = "network.addresses, subnet_ids and trusted_services are looked at with public_access only."
  }

  validation {
    condition     = !var.network.public_access || length(var.network.addresses) + length(var.network.subnet_ids) > 0
    error_message = "network.public_access without addresses or subnet_ids lets nobody in."
  }

  validation {
    condition     = alltrue([for a in var.network.addresses : can(cidrhost(a, 0)) && !endswith(a, "/0")])
    error_message = "network.addresses are CIDR ranges such as 203.0.113.0/24, and none is the whole Internet."
  }

  validation {
    condition     = var.network.public_access || var.private_endpoint != null
    error_message = "Without private_endpoint and network.public_access nobody reaches the vault, the gateway neither."
  }
}

variable "private_endpoint" {
  type = object({
    subnet_id = string
    zone_id   = string
  })
  default     = null
  description = "Private endpoint of the vault: its subnet, and the private DNS zone privatelink.vaultcore.azure.net. Null: none."
}

variable "sku_name" {
  type        = string
  nullable    = false
  default     = "standard"
  description = "standard, or premium, where keys can be kept in hardware."

  validation {
    condition     = contains(["standard", "premium"], var.sku_name)
    error_message = "sku_name is standard or premium."
  }
}

variable "purge_protection" {
  type        = bool
  nullable    = false
  default     = true
  description = "Keeps what is deleted for 90 days, whoever asks. Once on it can't be turned off, and a name is taken for as long; off is for environments that are made and thrown away."
}

variable "diagnostics" {
  type        = object({ workspace_id = string })
  default     = null
  description = "Log Analytics workspace for who asked for what, in an object so that a workspace made in the same run will do. Null: none is kept."
}

variable "tags" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Tags of every resource here."
}
