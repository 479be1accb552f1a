variable "name" {
  type        = string
  nullable    = false
  description = "Name of the function app, and the stem of every other name here. It is part of the public address, so it must be free in all of Azure."

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) <= 22
    error_message = "The name is 2 to 22 lower-case letters, digits and single hyphens, and begins with a letter: the storage account's name is made of it, and 24 characters are its limit."
  }
}

variable "location" {
  type        = string
  nullable    = false
  description = "Azure region; one that offers Flex Consumption."
}

variable "resource_group_name" {
  type        = string
  nullable    = false
  description = "Resource group that everything here is made in."
}

variable "environment" {
  type        = string
  nullable    = false
  description = "Which file of contracts/environments the gateway binds its contracts to: TOLLGATE_ENVIRONMENT. The package has no default."

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]*$", var.environment))
    error_message = "The environment is the name of a file in contracts/environments without .yaml: lower-case letters, digits and hyphens."
  }
}

variable "subnet_id" {
  type        = string
  nullable    = false
  description = "Subnet for the gateway's outbound traffic, delegated to Microsoft.App/environments. It costs nothing, and the storage account lets nobody else in, so there is no way to do without."

  validation {
    condition     = can(regex("/subnets/[^/_]+$", var.subnet_id))
    error_message = "subnet_id is the resource id of a subnet; Flex Consumption refuses one with an underscore in its name."
  }
}

variable "private_endpoints" {
  type = object({
    subnet_id = string
    zone_ids  = map(string)
  })
  default     = null
  description = "Private endpoints of the storage account, one for each of blob, table and queue that zone_ids has a private DNS zone for; the account then has no public side. `sites` is the gateway's own, for inbound.mode private; other zones are passed over. Null: none, and the gateway's subnet reaches the account by a service endpoint."

  validation {
    condition     = var.private_endpoints == null ? true : length(setsubtract(["blob", "table"], keys(var.private_endpoints.zone_ids))) == 0
    error_message = "private_endpoints.zone_ids must hold a zone for blob (the package, the host's locks) and for table (keys, limits, revocations)."
  }
}

variable "instance" {
  type = object({
    memory_mb                = optional(number, 512)
    maximum                  = optional(number, 40)
    per_instance_concurrency = optional(number, 100)
    always_ready             = optional(number, 0)
    zone_redundant           = optional(bool, false)
  })
  nullable    = false
  default     = {}
  description = "Size and number of instances. memory_mb 512 is a quarter of a core, 2048 one, 4096 two. per_instance_concurrency is how many calls one instance has in hand before another starts. always_ready instances are paid for whether they work or not. zone_redundant spreads them over zones, and can't be changed later."

  validation {
    condition     = contains([512, 2048, 4096], var.instance.memory_mb)
    error_message = "instance.memory_mb is 512, 2048 or 4096: Azure offers no other, and says so at apply only."
  }

  validation {
    condition     = var.instance.maximum >= 40 && var.instance.maximum <= 1000 && floor(var.instance.maximum) == var.instance.maximum
    error_message = "instance.maximum is a whole number from 40 to 1000: the platform takes no other limit."
  }

  validation {
    condition     = var.instance.per_instance_concurrency >= 1 && var.instance.per_instance_concurrency <= 1000
    error_message = "instance.per_instance_concurrency is 1 to 1000."
  }

  validation {
    condition     = var.instance.always_ready >= 0 && var.instance.always_ready <= var.instance.maximum
    error_message = "instance.always_ready is from 0 to instance.maximum."
  }

  validation {
    condition     = !var.instance.zone_redundant || var.instance.always_ready >= 2
    error_message = "instance.zone_redundant needs instance.always_ready of 2 at least: one instance is in one zone."
  }
}

variable "settings" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Settings of the gateway beyond those that this module sets: those of settings.json that are set by the operator. None is a secret; what is, is read from Key Vault."

  validation {
    condition     = length(setsubtract(keys(var.settings), [for s in local.known_settings : s.name])) == 0
    error_message = "The gateway reads no such setting; settings.json lists all that it reads."
  }

  validation {
    condition     = alltrue([for s in local.known_settings : !contains(keys(var.settings), s.name) || s.set_by == "operator"])
    error_message = "settings.json says who sets each; only those set by the operator may be given here."
  }

  validation {
    condition     = alltrue([for s in local.known_settings : !contains(keys(var.settings), s.name) || !s.secret])
    error_message = "This setting holds a secret, which would stand in the state. A collector inside the network needs none."
  }

  validation {
    condition     = alltrue([for v in values(var.settings) : !can(regex("(?i)(^|[?&;])(sig|AccountKey|SharedAccessSignature|password)=", v))])
    error_message = "A value holds a key or a shared access signature, which would stand in the state; shared keys are off here anyway."
  }
}

variable "inbound" {
  type = object({
    mode          = optional(string, "public")
    addresses     = optional(list(string), [])
    front_door_id = optional(string)
    front_door = optional(object({
      sku_name            = optional(string, "Premium_AzureFrontDoor")
      requests_per_minute = optional(number, 3000)
    }))
    endpoint_subnet_id = optional(string)
    deployers          = optional(list(string), [])
    minimum_tls        = optional(string, "1.2")
    certificates       = optional(string, "off")
  })
  nullable    = false
  default     = {}
  description = "Who reaches the gateway. mode `public`: everyone; `addresses`: these CIDR ranges; `front_door`: one Front Door profile, an existing one by front_door_id (its resource GUID) or one made here by front_door, whose Premium SKU has managed WAF rules; `private`: the private endpoint alone, in endpoint_subnet_id or with the others. deployers are the CIDR ranges that reach the deployment site, and the storage account while it has a public side; nobody else does. certificates asks callers for one, `optional` or `required`, and passes it on as X-ARR-ClientCert: an issuer's certificateHeader in the contracts may name that header only then, as with `off` a caller can write it."

  validation {
    condition     = contains(["public", "addresses", "front_door", "private"], var.inbound.mode)
    error_message = "inbound.mode is public, addresses, front_door or private."
  }

  validation {
    condition     = (var.inbound.mode == "addresses") == (length(var.inbound.addresses) > 0)
    error_message = "inbound.addresses is given with mode addresses, and only with it."
  }

  validation {
    condition     = alltrue([for a in concat(var.inbound.addresses, var.inbound.deployers) : can(cidrhost(a, 0)) && !can(regex("/0$", a))])
    error_message = "inbound.addresses and inbound.deployers are CIDR ranges such as 203.0.113.0/24, and none is the whole Internet: mode public says that."
  }

  validation {
    condition     = alltrue([for a in var.inbound.deployers : !endswith(a, "/31")])
    error_message = "inbound.deployers: storage accounts take no /31; name its two addresses."
  }

  validation {
    condition     = var.inbound.mode == "front_door" ? (var.inbound.front_door_id == null) != (var.inbound.front_door == null) : var.inbound.front_door == null && var.inbound.front_door_id == null
    error_message = "mode front_door needs front_door_id or front_door, not both; other modes take neither."
  }

  validation {
    condition     = var.inbound.front_door_id == null ? true : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.inbound.front_door_id))
    error_message = "inbound.front_door_id is the profile's resource GUID, which Front Door sends as X-Azure-FDID; not its resource id."
  }

  validation {
    condition     = var.inbound.front_door == null ? true : contains(["Premium_AzureFrontDoor", "Standard_AzureFrontDoor"], var.inbound.front_door.sku_name)
    error_message = "inbound.front_door.sku_name is Premium_AzureFrontDoor or Standard_AzureFrontDoor."
  }

  validation {
    condition     = var.inbound.front_door == null ? true : var.inbound.front_door.requests_per_minute >= 10 && var.inbound.front_door.requests_per_minute <= 1000000
    error_message = "inbound.front_door.requests_per_minute, for one address, is 10 to 1000000."
  }

  validation {
    condition     = var.inbound.mode == "private" ? try(contains(keys(var.private_endpoints.zone_ids), "sites"), false) : true
    error_message = "mode private needs private_endpoints with a zone for sites: without it nobody reaches the gateway."
  }

  validation {
    condition     = contains(["1.2", "1.3"], var.inbound.minimum_tls)
    error_message = "inbound.minimum_tls is 1.2, or 1.3 where every caller speaks it."
  }

  validation {
    condition     = contains(["off", "optional", "required"], var.inbound.certificates)
    error_message = "inbound.certificates is off, optional or required."
  }

  validation {
    condition     = var.inbound.mode != "front_door" || var.inbound.certificates == "off"
    error_message = "inbound.certificates is off with mode front_door: Front Door ends the caller's TLS and passes no certificate on."
  }
}

variable "custom_domain" {
  type = object({
    hostname    = string
    certificate = optional(string, "managed")
  })
  default     = null
  description = "Public name of the gateway, with a certificate that Azure issues and renews; its CNAME must point here first. certificate `none`: the name is bound and whoever owns it attaches a certificate. With a Front Door made here, the name is Front Door's."

  validation {
    condition     = var.custom_domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.custom_domain.hostname))
    error_message = "custom_domain.hostname is a full host name in lower case, such as api.contoso.example."
  }

  validation {
    condition     = var.custom_domain == null ? true : contains(["managed", "none"], var.custom_domain.certificate)
    error_message = "custom_domain.certificate is managed or none."
  }

  validation {
    condition     = var.custom_domain == null ? true : var.custom_domain.certificate == "none" || var.inbound.mode == "public" || var.inbound.front_door != null
    error_message = "A managed certificate is issued only for an app that everyone reaches: use certificate none with modes addresses and private, and with a Front Door that is made elsewhere."
  }
}

variable "storage_replication" {
  type        = string
  nullable    = false
  default     = "LRS"
  description = "Replication of the storage account that holds keys, limits and revocations: LRS, ZRS, GRS, GZRS. Geo copies can't be read and lag behind: a limit that fails over may let through what was counted last."

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "GZRS"], var.storage_replication)
    error_message = "storage_replication is LRS, ZRS, GRS or GZRS."
  }

  validation {
    condition     = !var.instance.zone_redundant || contains(["ZRS", "GZRS"], var.storage_replication)
    error_message = "A zone-redundant gateway needs storage_replication ZRS or GZRS: with LRS one zone's end is the gateway's."
  }
}

variable "package" {
  type        = string
  default     = null
  description = "Path of the zip that `make package` made. Whoever applies must reach the storage account's blobs: from inside the network, or as one of inbound.deployers. Null: it is deployed through the deployment site."

  validation {
    condition     = var.package == null ? true : endswith(var.package, ".zip") && fileexists(var.package)
    error_message = "package is the path of a zip file that exists: run make package first."
  }
}

variable "application_insights" {
  type = object({
    id                = string
    connection_string = string
  })
  default     = null
  description = "Application Insights that the host writes to, with the gateway's identity: the component may refuse keys. Null: none."
}

variable "diagnostics" {
  type        = object({ workspace_id = string })
  default     = null
  description = "Log Analytics workspace for the platform's own logs, in an object so that a workspace made in the same run will do. Null: none are kept."
}

variable "tags" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Tags of every resource here."
}
