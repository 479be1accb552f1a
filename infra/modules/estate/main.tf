# One environment of one gateway: registrations, network, gateway, vault, telemetry. Everything
# that is made stands in one resource group, but for the registrations, which are the tenant's.
#
# Permissions: on the subscription Contributor and Role Based Access Control Administrator, since the resource group is
# made here; once it is there, both on the group do. In Entra those of entra-api, entra-client and entra-policy.

locals {
  name = "${var.gateway.name}-${var.environment}"
  tags = merge(var.tags, { gateway = var.gateway.name, environment = var.environment })

  diagnostics = { workspace_id = module.observability.workspace_id }

  # The names of private DNS zones that each part needs.
  zones = {
    storage = ["blob", "table"]
    monitor = ["monitor", "oms", "ods", "agentsvc", "blob"]
  }
  inbound         = try(var.function.inbound, {})
  inbound_private = try(local.inbound.mode, "public") == "private"
}

resource "azurerm_resource_group" "this" {
  name     = "rg-${local.name}"
  location = var.location
  tags     = local.tags
}

module "network" {
  source = "../private-backend"

  name                = local.name
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  address_space       = try(var.network.address_space, "10.20.0.0/24")
  subnets             = try(var.network.subnets, { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26" })
  private_endpoints   = var.private
  zones               = distinct(concat(local.zones.storage, local.zones.monitor, ["vaultcore", "sites", "servicebus"]))
  dns_zone            = try(var.network.dns_zone, null)
  backends            = var.backends
  callers             = try(var.network.callers, [])
  operators           = try(var.network.operators, [])
  egress              = try(var.network.egress, {})
  outbound            = try(var.network.outbound, {})
  diagnostics         = local.diagnostics
  tags                = local.tags
}

module "gateway" {
  source = "../gateway"

  name                = local.name
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  environment         = var.environment
  subnet_id           = module.network.gateway_subnet_id
  private_endpoints = var.private ? {
    subnet_id = module.network.services_subnet_id
    zone_ids = {
      for service in concat(local.zones.storage, local.inbound_private ? ["sites"] : []) : service => module.network.zone_ids[service]
    }
  } : null
  inbound              = merge(local.inbound, { endpoint_subnet_id = module.network.inbound_subnet_id })
  instance             = try(var.function.instance, {})
  settings             = try(var.function.settings, {})
  custom_domain        = try(var.function.custom_domain, null)
  storage_replication  = try(var.function.storage_replication, "LRS")
  package              = try(var.function.package, null)
  application_insights = nonsensitive(module.observability.application_insights)
  diagnostics          = local.diagnostics
  tags                 = local.tags
}

module "vault" {
  source = "../key-vault"

  name                = local.name
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  tenant_id           = lower(var.tenant_id)
  readers             = { gateway = module.gateway.identity.principal_id }
  signers             = { gateway = module.gateway.identity.principal_id }
  officers            = try(var.vault.officers, {})
  sku_name            = try(var.vault.sku_name, "standard")
  purge_protection    = try(var.vault.purge_protection, true)
  private_endpoint = var.private ? {
    subnet_id = module.network.services_subnet_id
    zone_id   = module.network.zone_ids["vaultcore"]
  } : null
  network = {
    public_access = !var.private
    addresses     = try(var.vault.addresses, [])
    subnet_ids    = var.private ? [] : [module.network.gateway_subnet_id]
  }
  diagnostics = local.diagnostics
  tags        = local.tags
}

module "observability" {
  source = "../observability"

  name                = local.name
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  writers             = { gateway = module.gateway.identity.principal_id }
  apis                = keys(var.apis)
  retention           = try(var.observability.retention, {})
  daily_quota_gb      = try(var.observability.daily_quota_gb, -1)
  alerts              = try(var.observability.alerts, {})
  query_parameters    = local.query_parameters
  grants              = local.grants
  event_hub           = local.event_hub
  private_endpoints = var.private ? {
    subnet_id = module.network.services_subnet_id
    zone_ids  = { for service in concat(local.zones.monitor, ["servicebus"]) : service => module.network.zone_ids[service] }
  } : null
  tags = local.tags
}

locals {
  # Where the network isn't private, the event hub lets the gateway's subnet in.
  event_hub = try(var.observability.event_hub, null) == null ? null : merge(var.observability.event_hub, { subnet_ids = var.private ? [] : [module.network.gateway_subnet_id] })

  # The question what is unused knows clients by their app ids. Each API has one of its own, so that
  # a new API changes nothing that is there.
  query_parameters = {
    Grants = jsonencode([for g in var.gateway.grants : merge(g, g.kind == "client" ? { name = module.client[g.name].client_id } : {}) if g.api == ""])
  }
  grants = { for api in keys(var.apis) : api => jsonencode([for g in var.gateway.grants : g if g.api == api]) }
}
