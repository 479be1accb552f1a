# What the client is given. An API knows nothing of its clients: they name it, so
# no two modules wait for each other, pre-authorisation included.

locals {
  roles = merge([for api, use in var.uses : {
    for name, id in use.roles : "${api}/${name}" => { id = id, resource = use.service_principal_object_id }
  }]...)
}

resource "azuread_app_role_assignment" "this" {
  for_each = local.roles

  app_role_id         = each.value.id
  principal_object_id = azuread_service_principal.this.object_id
  resource_object_id  = each.value.resource
}

# Consent for everybody, to scopes that ask for an administrator's. Applying it is that administrator's word.
resource "azuread_service_principal_delegated_permission_grant" "this" {
  for_each = { for api, use in var.uses : api => use if length(use.admin_consent) > 0 }

  service_principal_object_id          = azuread_service_principal.this.object_id
  resource_service_principal_object_id = each.value.service_principal_object_id
  claim_values                         = each.value.admin_consent
}

resource "azuread_application_pre_authorized" "this" {
  for_each = { for api, use in var.uses : api => use if length(use.preauthorized) > 0 }

  application_id       = each.value.application_id
  authorized_client_id = azuread_application.this.client_id
  permission_ids       = [for name in each.value.preauthorized : each.value.scopes[name]]
}
