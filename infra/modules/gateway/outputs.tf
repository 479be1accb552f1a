output "identity" {
  description = "The gateway's user-assigned identity: grant it what backends, vault and audit ask for; client_id is the environment's identities.gateway."
  value = {
    id           = azurerm_user_assigned_identity.gateway.id
    client_id    = azurerm_user_assigned_identity.gateway.client_id
    principal_id = azurerm_user_assigned_identity.gateway.principal_id
  }
}

output "function_app_id" {
  description = "Resource id of the function app."
  value       = azurerm_function_app_flex_consumption.gateway.id
}

output "function_app_name" {
  description = "Name of the function app."
  value       = azurerm_function_app_flex_consumption.gateway.name
}

output "hostname" {
  description = "The function app's own host name; with modes front_door and private callers use another."
  value       = azurerm_function_app_flex_consumption.gateway.default_hostname
}

output "public_hostname" {
  description = "Host name that callers use: the custom domain, else Front Door's, else the app's."
  value       = try(coalesce(try(var.custom_domain.hostname, null), one(azurerm_cdn_frontdoor_endpoint.gateway[*].host_name)), azurerm_function_app_flex_consumption.gateway.default_hostname)
}

output "front_door" {
  description = "The Front Door made here, or null. id is the environment's frontDoorId; validation_token goes into the TXT record _dnsauth of the custom domain."
  value = var.inbound.front_door == null ? null : {
    id               = one(azurerm_cdn_frontdoor_profile.gateway[*].resource_guid)
    profile_id       = one(azurerm_cdn_frontdoor_profile.gateway[*].id)
    hostname         = one(azurerm_cdn_frontdoor_endpoint.gateway[*].host_name)
    validation_token = one(azurerm_cdn_frontdoor_custom_domain.gateway[*].validation_token)
  }
}

output "custom_domain_verification_id" {
  description = "Goes into the TXT record asuid of the custom domain before it is bound to the app."
  value       = azurerm_function_app_flex_consumption.gateway.custom_domain_verification_id
  sensitive   = true
}

output "outbound_addresses" {
  description = "Addresses that calls may come from where no NAT gateway gives them one; they can change."
  value       = azurerm_function_app_flex_consumption.gateway.possible_outbound_ip_address_list
}

output "storage_account_id" {
  description = "Resource id of the storage account."
  value       = azurerm_storage_account.gateway.id
}

output "storage_account_name" {
  description = "Name of the storage account."
  value       = azurerm_storage_account.gateway.name
}

output "tables_endpoint" {
  description = "Address of the tables: the environment's store.tables."
  value       = trimsuffix(azurerm_storage_account.gateway.primary_table_endpoint, "/")
}

output "package_container" {
  description = "Address of the container that the package is put into, as released-package.zip."
  value       = "${azurerm_storage_account.gateway.primary_blob_endpoint}${azurerm_storage_container.package.name}"
}
