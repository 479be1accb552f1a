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

variable "identifier_uri" {
  type = string
}

variable "scopes" {
  type = list(string)
}

variable "roles" {
  type = list(string)
}

variable "assignment_required" {
  type = bool
}

resource "azuread_application" "this" {
  display_name    = var.name
  identifier_uris = [var.identifier_uri]

  api {
    requested_access_token_version = 2

    dynamic "oauth2_permission_scope" {
      for_each = toset(var.scopes)

      content {
        id                         = uuidv5("url", "tollgate:${var.name}/scope/${oauth2_permission_scope.key}")
        value                      = oauth2_permission_scope.key
        admin_consent_description  = oauth2_permission_scope.key
        admin_consent_display_name = oauth2_permission_scope.key
        enabled                    = true
      }
    }
  }

  dynamic "app_role" {
    for_each = toset(var.roles)

    content {
      id                   = uuidv5("url", "tollgate:${var.name}/role/${app_role.key}")
      value                = app_role.key
      display_name         = app_role.key
      description          = app_role.key
      allowed_member_types = ["Application"]
      enabled              = true
    }
  }
}

resource "azuread_service_principal" "this" {
  client_id                    = azuread_application.this.client_id
  app_role_assignment_required = var.assignment_required
}

output "client_id" {
  value = azuread_application.this.client_id
}

output "service_principal_object_id" {
  value = azuread_service_principal.this.object_id
}
