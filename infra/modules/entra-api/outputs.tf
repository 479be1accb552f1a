output "client_id" {
  description = "aud of a v2 token; bound under clientId in the environment."
  value       = azuread_application.this.client_id
}

output "application_id" {
  description = "Resource id, /applications/OBJECT-ID, for what is attached to the registration."
  value       = azuread_application.this.id
}

output "object_id" {
  description = "The application's object id: what Graph calls it by."
  value       = azuread_application.this.object_id
}

output "service_principal_object_id" {
  description = "Object id of its service principal: where roles are assigned and consent is given."
  value       = azuread_service_principal.this.object_id
}

output "scope_ids" {
  description = "Ids of the scopes, by name."
  value       = local.scope_ids
}

output "role_ids" {
  description = "Ids of the roles, by name."
  value       = local.role_ids
}

output "identifier_uri" {
  description = "The Application ID URI."
  value       = var.identifier_uri
}
