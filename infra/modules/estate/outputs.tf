output "bindings" {
  description = "What the environment's file binds: `tollgate infra apply` writes it there."
  value = {
    clientId    = { for name, api in module.api : name => api.client_id }
    client      = { for name, client in module.client : name => client.client_id }
    identities  = { gateway = module.gateway.identity.client_id }
    store       = { tables = module.gateway.tables_endpoint }
    vaults      = { main = module.vault.uri }
    audit       = merge({ logs = module.observability.logs }, module.observability.event_hub == null ? {} : { eventHub = module.observability.event_hub })
    frontDoorId = try(module.gateway.front_door.id, null)
  }
}

output "private" {
  description = "Whether storage, vault, event hub, telemetry and backends are reached through private endpoints alone."
  value       = var.private
}

output "gateway" {
  description = "Where the gateway is: its resource group, the function app and its host names."
  value = {
    resource_group  = azurerm_resource_group.this.name
    function_app    = module.gateway.function_app_name
    hostname        = module.gateway.hostname
    public_hostname = module.gateway.public_hostname
  }
}

output "backends" {
  description = "Backends of the private network: the address for the environment's backend, and the resource."
  value       = module.network.backends
}

output "outbound_address" {
  description = "The static address that calls to backends elsewhere come from, or null."
  value       = module.network.outbound_address
}

output "workspace" {
  description = "Id of the workspace for `tollgate who --workspace`."
  value       = module.observability.workspace_customer_id
}

output "by_hand" {
  description = "What is left to do by hand."
  value       = compact([for client in values(module.client) : client.by_hand == null ? "" : client.by_hand])
}
