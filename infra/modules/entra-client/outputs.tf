output "client_id" {
  description = "azp or appid of its tokens; bound under client in the environment."
  value       = azuread_application.this.client_id
}

output "object_id" {
  description = "The application's object id: what Graph calls it by."
  value       = azuread_application.this.object_id
}

output "service_principal_object_id" {
  description = "Object id of its service principal: oid of its own tokens."
  value       = azuread_service_principal.this.object_id
}

output "by_hand" {
  description = "What is left to do by hand, null if nothing is."
  value = (
    var.kind == "secret" ? "${var.name}: the registration has no secret yet. Make one in Entra that ends on the day its contract says, and hand it over by a vault: a secret made here would stand in the state." :
    var.kind == "certificate" && length(var.certificates) == 0 ? "${var.name}: the registration has no certificate yet, so it gets no token. Bind one under credentials in the environment." :
    var.kind == "federated" && length(var.federated) == 0 ? "${var.name}: the registration has no federated identity yet, so it gets no token. Bind one under credentials in the environment." :
    null
  )
}
