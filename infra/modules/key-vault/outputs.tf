output "id" {
  description = "Resource id of the vault."
  value       = azurerm_key_vault.vault.id
}

output "uri" {
  description = "Address of the vault, as an environment's vaults has it."
  value       = trimsuffix(azurerm_key_vault.vault.vault_uri, "/")
}

output "name" {
  description = "Name of the vault."
  value       = azurerm_key_vault.vault.name
}
