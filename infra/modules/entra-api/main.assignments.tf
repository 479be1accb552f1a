# Groups: with a role, or with the right to get tokens and no more.

locals {
  role_groups = merge([for role, r in var.roles : { for group in r.groups : "${role}/${group}" => { role = role, group = group } }]...)
}

resource "azuread_app_role_assignment" "role" {
  for_each = local.role_groups

  app_role_id         = local.role_ids[each.value.role]
  principal_object_id = each.value.group
  resource_object_id  = azuread_service_principal.this.object_id
}

resource "azuread_app_role_assignment" "access" {
  for_each = var.groups

  app_role_id         = local.access_id
  principal_object_id = each.value
  resource_object_id  = azuread_service_principal.this.object_id
}
