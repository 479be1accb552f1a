variable "name" {
  type        = string
  nullable    = false
  description = "Stem of every name here."

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) <= 40
    error_message = "The name is 2 to 40 lower-case letters, digits and single hyphens, and begins with a letter."
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
  description = "Resource group that everything here is made in."
}

variable "address_space" {
  type        = string
  nullable    = false
  description = "The network's addresses, as a CIDR range that no network it is joined with has: 10.20.0.0/24 is enough."

  validation {
    condition     = can(cidrhost(var.address_space, 0)) && !strcontains(var.address_space, ":")
    error_message = "address_space is an IPv4 CIDR range such as 10.20.0.0/24."
  }
}

variable "subnets" {
  type = object({
    gateway   = string
    endpoints = string
    services  = optional(string)
    inbound   = optional(string)
  })
  nullable    = false
  description = "CIDR ranges within address_space. gateway: where the gateway's calls come from, /27 at least. endpoints: private endpoints of backends, and of storage and vault where there is no other for them, which the gateway alone reaches. services: those of storage, vault and telemetry, which `operators` reach too. inbound: the gateway's own private endpoint, which `callers` reach; only with a gateway whose inbound mode is private."

  validation {
    condition     = alltrue([for s in values(var.subnets) : s == null ? true : can(cidrhost(s, 0)) && !strcontains(s, ":")])
    error_message = "subnets are IPv4 CIDR ranges."
  }

  validation {
    condition     = try(tonumber(split("/", var.subnets.gateway)[1]) <= 27, false)
    error_message = "subnets.gateway is a /27 or larger: each instance takes an address of it."
  }

  validation {
    condition = alltrue([for s in compact(values(var.subnets)) : try(
      tonumber(split("/", s)[1]) >= tonumber(split("/", var.address_space)[1]) &&
      cidrhost("${split("/", s)[0]}/${split("/", var.address_space)[1]}", 0) == cidrhost(var.address_space, 0), false)
    ])
    error_message = "subnets lie within address_space."
  }

  # Two ranges overlap if they are one at the length of the shorter prefix.
  validation {
    condition = alltrue(flatten([for i, a in compact(values(var.subnets)) : [for j, b in compact(values(var.subnets)) : i == j ? true : try(
      cidrhost("${split("/", a)[0]}/${min(split("/", a)[1], split("/", b)[1])}", 0) !=
      cidrhost("${split("/", b)[0]}/${min(split("/", a)[1], split("/", b)[1])}", 0), true)
    ]]))
    error_message = "subnets don't overlap."
  }
}

variable "private_endpoints" {
  type        = bool
  nullable    = false
  default     = true
  description = "Private endpoints and private DNS zones. Off: neither, and the gateway's subnet reaches storage, vault and apps by service endpoints, which cost nothing; their public sides then let that subnet in and nobody else."
}

variable "zones" {
  type        = set(string)
  nullable    = false
  default     = ["blob", "table", "vaultcore", "sites"]
  description = "Private DNS zones for private endpoints, by service: blob, table, queue, vaultcore, sites, servicebus, and monitor with oms, ods and agentsvc for an Azure Monitor private link scope. Looked at with private_endpoints only."

  validation {
    condition     = length(setsubtract(var.zones, keys(local.zone_names))) == 0
    error_message = "zones are blob, table, queue, vaultcore, sites, servicebus, monitor, oms, ods and agentsvc."
  }

  validation {
    condition     = !contains(var.zones, "monitor") || length(setsubtract(["oms", "ods", "agentsvc", "blob"], var.zones)) == 0
    error_message = "A private link scope of Azure Monitor needs the zones monitor, oms, ods, agentsvc and blob together: with some of them, the rest resolves to nothing."
  }
}

variable "dns_zone" {
  type        = string
  default     = null
  description = "Private DNS zone for backends' names, such as internal.contoso.example: the backend `orders` is then orders.internal.contoso.example in this network. Null: none."

  validation {
    condition     = var.dns_zone == null ? true : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.dns_zone))
    error_message = "dns_zone is a domain in lower case, such as internal.contoso.example."
  }
}

variable "backends" {
  type = map(object({
    resource = optional(object({
      id          = string
      subresource = optional(string, "sites")
    }))
    host = optional(object({ address = string }))
    web_app = optional(object({
      stack    = map(string)
      sku_name = optional(string, "B1")
      settings = optional(map(string), {})
    }))
  }))
  nullable    = false
  default     = {}
  description = "Backends by name, each one of: resource, an existing one by its id that gets a private endpoint (subresource: sites, blob, namespace, …); host, a private address that gets a name; web_app, a web app hosted here that the gateway's subnet alone reaches. stack is one of docker_image_name (registry/image:tag), dotnet_version, node_version, python_version with its value; settings stand in the state, so none is a secret."

  validation {
    condition     = alltrue([for b in values(var.backends) : length([for given in [b.resource != null, b.host != null, b.web_app != null] : given if given]) == 1])
    error_message = "Each backend has exactly one of resource, host and web_app."
  }

  validation {
    condition     = alltrue([for n in keys(var.backends) : can(regex("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", n))])
    error_message = "A backend's name becomes a host name: up to 32 lower-case letters, digits and hyphens."
  }

  validation {
    condition = alltrue([for b in values(var.backends) : b.host == null ? true : can(cidrhost("${b.host.address}/32", 0)) &&
    can(regex("^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))\\.", b.host.address))])
    error_message = "host.address is a private one (10/8, 172.16/12, 192.168/16): a public backend is reached by its own name, and let out by egress.addresses."
  }

  validation {
    condition     = alltrue([for b in values(var.backends) : b.host == null ? true : var.dns_zone != null])
    error_message = "A host needs dns_zone: a name is all that it gets."
  }

  validation {
    condition     = alltrue([for b in values(var.backends) : b.web_app == null ? true : length(b.web_app.stack) == 1 && length(setsubtract(keys(b.web_app.stack), ["docker_image_name", "dotnet_version", "node_version", "python_version"])) == 0])
    error_message = "web_app.stack is one of docker_image_name, dotnet_version, node_version and python_version."
  }

  validation {
    condition     = alltrue([for b in values(var.backends) : can(b.web_app.stack["docker_image_name"]) ? can(regex("^[a-z0-9.-]+\\.[a-z]+/.+[:@].+$", b.web_app.stack["docker_image_name"])) : true])
    error_message = "web_app.stack.docker_image_name is registry/image:tag, such as contoso.azurecr.io/orders:1.4."
  }

  validation {
    condition     = alltrue([for b in values(var.backends) : b.web_app == null ? true : can(regex("^(B[1-3]|S[1-3]|P[0-9]m?v[2-4])$", b.web_app.sku_name))])
    error_message = "web_app.sku_name is a Basic, Standard or Premium one, such as B1 or P0v3: free and shared plans have neither private endpoints nor access rules for a subnet."
  }
}

variable "callers" {
  type        = list(string)
  nullable    = false
  default     = []
  description = "CIDR ranges that reach the gateway's own private endpoint in subnets.inbound. They reach nothing else here."

  validation {
    condition     = alltrue([for c in var.callers : can(cidrhost(c, 0)) && !endswith(c, "/0")])
    error_message = "callers are CIDR ranges, and none is every address."
  }

  validation {
    condition     = (length(var.callers) > 0) == (var.subnets.inbound != null)
    error_message = "callers and subnets.inbound come together."
  }
}

variable "operators" {
  type        = list(string)
  nullable    = false
  default     = []
  description = "CIDR ranges of those who run it: from there `tollgate keys`, `revoke` and `limits` reach the tables, and secrets are put into the vault, in subnets.services. Backends stay the gateway's alone."

  validation {
    condition     = alltrue([for c in var.operators : can(cidrhost(c, 0)) && !endswith(c, "/0")])
    error_message = "operators are CIDR ranges, and none is every address."
  }

  validation {
    condition     = length(var.operators) == 0 || var.subnets.services != null
    error_message = "operators need subnets.services: among the backends' endpoints they could call backends past the gateway."
  }
}

variable "egress" {
  type = object({
    restricted   = optional(bool, true)
    service_tags = optional(list(string), [])
    addresses    = optional(list(string), [])
  })
  nullable    = false
  default     = {}
  description = "What the gateway may call on port 443 besides private endpoints and backends here: Entra and Azure Monitor always, service_tags (EventHub, where events go there without a private endpoint) and addresses (CIDR ranges of backends elsewhere). restricted false lets it call anything."

  validation {
    condition     = alltrue([for a in var.egress.addresses : can(cidrhost(a, 0)) && !endswith(a, "/0")])
    error_message = "egress.addresses are CIDR ranges, and none is every address: restricted = false says that."
  }

  validation {
    condition     = alltrue([for t in var.egress.service_tags : !contains(["Internet", "VirtualNetwork", "AzureCloud", "*"], split(".", t)[0])])
    error_message = "egress.service_tags name services; Internet, AzureCloud and VirtualNetwork are most of the world."
  }
}

variable "outbound" {
  type = object({
    nat_gateway = optional(bool, false)
    next_hop    = optional(string)
    dns_servers = optional(list(string), [])
  })
  nullable    = false
  default     = {}
  description = "How calls leave. nat_gateway: from one static public address, for backends that ask for one. next_hop: a firewall's private address that all traffic is routed to. dns_servers: instead of Azure's; they must forward the private zones to 168.63.129.16."

  validation {
    condition     = !(var.outbound.nat_gateway && var.outbound.next_hop != null)
    error_message = "outbound.nat_gateway and outbound.next_hop exclude each other: with both, the firewall's address is the one that is seen."
  }

  validation {
    condition     = var.outbound.next_hop == null ? true : can(cidrhost("${var.outbound.next_hop}/32", 0))
    error_message = "outbound.next_hop is the IPv4 address of a firewall."
  }

  validation {
    condition     = alltrue([for s in var.outbound.dns_servers : can(cidrhost("${s}/32", 0))])
    error_message = "outbound.dns_servers are IPv4 addresses."
  }
}

variable "diagnostics" {
  type        = object({ workspace_id = string })
  default     = null
  description = "Log Analytics workspace for logs of security groups and hosted apps, in an object so that a workspace made in the same run will do. Null: none are kept."
}

variable "tags" {
  type        = map(string)
  nullable    = false
  default     = {}
  description = "Tags of every resource here."
}
