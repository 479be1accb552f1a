output "network_id" {
  description = "Resource id of the network; to peer it with others."
  value       = azurerm_virtual_network.network.id
}

# The ids come once the rules are in force: nothing starts in a subnet before.
output "gateway_subnet_id" {
  description = "Subnet of the gateway's outbound traffic."
  value       = azurerm_subnet.gateway.id
  depends_on  = [azurerm_subnet_network_security_group_association.gateway]
}

output "endpoint_subnet_id" {
  description = "Subnet of private endpoints that the gateway calls."
  value       = azurerm_subnet.endpoints.id
  depends_on  = [azurerm_subnet_network_security_group_association.endpoints]
}

output "services_subnet_id" {
  description = "Subnet of private endpoints of storage, vault and telemetry: subnets.services, else that of all endpoints."
  value       = length(azurerm_subnet.services) > 0 ? azurerm_subnet.services[0].id : azurerm_subnet.endpoints.id
  depends_on  = [azurerm_subnet_network_security_group_association.services, azurerm_subnet_network_security_group_association.endpoints]
}

output "inbound_subnet_id" {
  description = "Subnet of the gateway's own private endpoint, or null."
  value       = one(azurerm_subnet.inbound[*].id)
  depends_on  = [azurerm_subnet_network_security_group_association.inbound]
}

output "zone_ids" {
  description = "Private DNS zones by service; empty without private endpoints."
  value       = { for z, zone in azurerm_private_dns_zone.service : z => zone.id }
  depends_on  = [azurerm_private_dns_zone_virtual_network_link.service]
}

output "backends" {
  description = "Backends by name: the address to write into the environment's backend (url), the resource hosted here (id) and its identity's principal_id, or null."
  value = { for n, b in var.backends : n => {
    url          = contains(keys(local.backend_records), n) ? "https://${n}.${var.dns_zone}" : try("https://${azurerm_linux_web_app.backend[n].default_hostname}", null)
    id           = try(azurerm_linux_web_app.backend[n].id, b.resource.id, null)
    principal_id = try(azurerm_linux_web_app.backend[n].identity[0].principal_id, null)
  } }
}

output "outbound_address" {
  description = "The static public address that calls come from, or null."
  value       = one(azurerm_public_ip.outbound[*].ip_address)
}
