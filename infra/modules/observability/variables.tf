variable "name" {
  description = "What all names end in, such as tollgate-prod. The event hub's namespace is evhns-NAME.servicebus.windows.net, which nobody else in the world may have."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 40
    error_message = "name: lower-case letters, digits and single hyphens between them, begins with a letter, 40 characters at most (a collection endpoint's name has 44)."
  }
}

variable "location" {
  description = "The region of everything here, which is the gateway's."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9]+$", var.location))
    error_message = "location: as Azure's programs write it, such as westeurope."
  }
}

variable "resource_group_name" {
  description = "The resource group, which is there."
  type        = string
  nullable    = false
}

variable "writers" {
  description = "Who may send events and telemetry, by a name of your choice: object ids of identities, the gateway's first."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "retention" {
  description = "Days that events can be asked, and days in all until they are gone (0: the same). The question unused reads 90 days back. What is older than `days` costs a search job to ask."
  type = object({
    days       = optional(number, 120)
    total_days = optional(number, 0)
  })
  default  = {}
  nullable = false
  validation {
    condition     = var.retention.days >= 30 && var.retention.days <= 730 && floor(var.retention.days) == var.retention.days
    error_message = "retention.days: a whole number from 30 to 730."
  }
  validation {
    condition = var.retention.total_days == 0 || (var.retention.total_days >= var.retention.days && (
      (var.retention.total_days <= 730 && floor(var.retention.total_days) == var.retention.total_days) ||
    contains([1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383], var.retention.total_days)))
    error_message = "retention.total_days: 0, or from retention.days to 730, or whole years: 1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383."
  }
}

variable "daily_quota_gb" {
  description = "What the workspace takes in a day, in GB; -1 is without end. Beyond it nothing is kept until the next day, events neither: whoever can make calls can then make the gateway blind."
  type        = number
  default     = -1
  nullable    = false
  validation {
    condition     = var.daily_quota_gb == -1 || var.daily_quota_gb >= 1
    error_message = "daily_quota_gb: -1, or 1 and more."
  }
}

variable "apis" {
  description = "APIs that get a rule of their own for sustained refusals, by their names in the contracts."
  type        = set(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for a in var.apis : can(regex("^[a-z][a-z0-9-]{0,62}$", a))])
    error_message = "apis: names as contracts have them: lower-case letters, digits and hyphens, begins with a letter."
  }
}

variable "alerts" {
  description = "Who is woken: mail addresses, and webhooks that take a token of Entra (so that no address is a secret), by names of your choice. `without` leaves rules out, by their files' names."
  type = object({
    enabled    = optional(bool, true)
    short_name = optional(string, "tollgate")
    mails      = optional(map(string), {})
    webhooks = optional(map(object({
      uri            = string
      object_id      = string
      identifier_uri = optional(string)
      tenant_id      = optional(string)
    })), {})
    without = optional(set(string), [])
  })
  default  = {}
  nullable = false
  validation {
    condition     = length(var.alerts.short_name) >= 1 && length(var.alerts.short_name) <= 12
    error_message = "alerts.short_name: 1 to 12 characters; it stands in mails and text messages."
  }
  validation {
    condition     = alltrue([for m in values(var.alerts.mails) : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", m))])
    error_message = "alerts.mails: mail addresses, name = \"somebody@contoso.example\"."
  }
  validation {
    condition     = alltrue([for w in values(var.alerts.webhooks) : can(regex("^https://[^/?#@]+(/[^?#]*)?$", w.uri))])
    error_message = "alerts.webhooks: an https address without user, query or fragment; a secret in an address would stand in the state."
  }
  validation {
    condition     = alltrue([for n in var.alerts.without : contains(keys(local.monitored), n)])
    error_message = "alerts.without: names of rules, which are the files of queries/ whose header has monitor among its platforms."
  }
}

variable "query_parameters" {
  description = "What people fill in of queries, such as Grants of unused: name of the `let` line = JSON, a list for `dynamic([])`, a text for `\"\"`. It is set in saved searches and in the workbook."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for v in values(var.query_parameters) : can(jsondecode(v))])
    error_message = "query_parameters: each value is JSON, such as jsonencode([\"a\"])."
  }
  validation {
    condition     = alltrue([for k, v in var.query_parameters : try(local.places[k] == (startswith(trimspace(v), "[") ? "list" : startswith(trimspace(v), "\"") ? "text" : ""), false)])
    error_message = "query_parameters: a name that some query has as `let Name = dynamic([]);`, with a list, or as `let Name = \"\";`, with a text. OfApi and Wanted are filled in elsewhere."
  }
}

variable "grants" {
  description = "What each API grants, as JSON lists (contract.Grant), by API: each gets the question unused of its own, unused-API, so that a new API changes none that is there."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for api, v in var.grants : contains(var.apis, api) && startswith(trimspace(v), "[") && can(jsondecode(v))])
    error_message = "grants: JSON lists, by names that apis has."
  }
}

variable "event_hub" {
  description = "An event hub for a SIEM; null: none. `addresses` and `subnet_ids` are who may reach it if there is no private endpoint (neither: every network, and Entra alone decides). `receivers` are object ids that may read."
  type = object({
    hub             = optional(string, "tollgate")
    sku             = optional(string, "Standard")
    capacity        = optional(number, 1)
    partitions      = optional(number, 2)
    retention_hours = optional(number, 24)
    addresses       = optional(set(string), [])
    subnet_ids      = optional(set(string), [])
    receivers       = optional(map(string), {})
  })
  default = null
  validation {
    condition     = var.event_hub == null ? true : contains(["Standard", "Premium"], var.event_hub.sku)
    error_message = "event_hub.sku: Standard or Premium; Basic has neither private endpoints nor network rules."
  }
  validation {
    condition     = var.event_hub == null ? true : var.event_hub.sku == "Premium" ? contains([1, 2, 4, 6, 8, 10, 12, 16], var.event_hub.capacity) : var.event_hub.capacity >= 1 && var.event_hub.capacity <= 40
    error_message = "event_hub.capacity: 1 to 40 throughput units of Standard, or 1, 2, 4, 6, 8, 10, 12 or 16 processing units of Premium."
  }
  validation {
    condition     = var.event_hub == null ? true : var.event_hub.partitions >= 1 && var.event_hub.partitions <= (var.event_hub.sku == "Premium" ? 100 : 32)
    error_message = "event_hub.partitions: 1 to 32 (Premium: 100)."
  }
  validation {
    condition     = var.event_hub == null ? true : var.event_hub.retention_hours >= 1 && var.event_hub.retention_hours <= (var.event_hub.sku == "Premium" ? 2160 : 168)
    error_message = "event_hub.retention_hours: 1 to 168, which is 7 days (Premium: 2160, which is 90)."
  }
  validation {
    condition     = var.event_hub == null ? true : alltrue([for a in var.event_hub.addresses : can(cidrhost(strcontains(a, "/") ? a : "${a}/32", 0)) && !strcontains(a, ":")])
    error_message = "event_hub.addresses: addresses or ranges of IPv4."
  }
}

variable "private_endpoints" {
  description = "With it, events and telemetry come in through this subnet only, and the event hub is reached there only. Zones are ids of private DNS zones: monitor, oms, ods, agentsvc and blob of Azure Monitor, servicebus of the event hub. `queries` also lets people ask from there only."
  type = object({
    subnet_id = string
    zone_ids  = map(string)
    queries   = optional(bool, false)
  })
  default = null
  validation {
    condition     = var.private_endpoints == null ? true : length(setsubtract(["monitor", "oms", "ods", "agentsvc", "blob"], keys(var.private_endpoints.zone_ids))) == 0
    error_message = "private_endpoints.zone_ids: Azure Monitor needs monitor, oms, ods, agentsvc and blob; without one of them its names lead to public addresses, which refuse."
  }
  validation {
    condition     = var.private_endpoints == null || var.event_hub == null ? true : contains(keys(var.private_endpoints.zone_ids), "servicebus")
    error_message = "private_endpoints.zone_ids: an event hub needs servicebus."
  }
}

variable "tags" {
  description = "Tags of everything that takes any."
  type        = map(string)
  default     = {}
  nullable    = false
}
