terraform {
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.9"
    }
  }
}

variable "name" {
  type = string
}

variable "uses" {
  type = map(object({
    client_id                   = string
    service_principal_object_id = string
    scopes                      = list(string)
    roles                       = list(string)
  }))
}

locals {
  roles = merge([for api, use in var.uses : { for role in use.roles : "${api}/${role}" => { api = api, role = role } }]...)
}

resource "azuread_application" "this" {
  display_name = var.name

  dynamic "required_resource_access" {
    for_each = var.uses

    content {
      resource_app_id = required_resource_access.value.client_id

      dynamic "resource_access" {
        for_each = required_resource_access.value.scopes

        content {
          id   = uuidv5("url", "tollgate:${required_resource_access.key}/scope/${resource_access.value}")
          type = "Scope"
        }
      }

      dynamic "resource_access" {
        for_each = required_resource_access.value.roles

        content {
          id   = uuidv5("url", "tollgate:${required_resource_access.key}/role/${resource_access.value}")
          type = "Role"
        }
      }
    }
  }
}

resource "azuread_service_principal" "this" {
  client_id = azuread_application.this.client_id
}

resource "azuread_app_role_assignment" "this" {
  for_each = local.roles

  app_role_id         = uuidv5("url", "tollgate:${each.value.api}/role/${each.value.role}")
  principal_object_id = azuread_service_principal.this.object_id
  resource_object_id  = var.uses[each.value.api].service_principal_object_id
}
