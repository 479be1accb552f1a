# One API's registration. Everything that Entra keeps in the application object
# stands in one resource: beside azuread_application, the resources for parts of it
# would each show the others' parts as changes. A scope or role that goes is
# disabled by the provider before it is removed, as Entra demands.
#
# Permissions, for a person: Application Administrator. For a pipeline, of Microsoft Graph: Application.ReadWrite.All
# and AppRoleAssignment.ReadWrite.All; User.Read.All where owners are people. Licence: none; groups that are assigned
# need Entra ID P1.

locals {
  # Ids that follow from names: made anew, a registration has the same ones, and grants fit again.
  scope_ids = { for name in keys(var.scopes) : name => uuidv5("url", "tollgate:${var.name}/scope/${name}") }
  role_ids  = { for name in keys(var.roles) : name => uuidv5("url", "tollgate:${var.name}/role/${name}") }

  # A role without a value never stands in a token. Graph knows the default role
  # only for applications that declare none, so groups without a role get this one.
  access_id = uuidv5("url", "tollgate:${var.name}/access")
}

resource "azuread_application" "this" {
  display_name            = var.display_name
  description             = var.description == "" ? null : var.description
  owners                  = var.owners
  identifier_uris         = [var.identifier_uri]
  sign_in_audience        = var.sign_in_audience
  prevent_duplicate_names = true # state that was lost must not make a second one

  group_membership_claims = var.group_claims ? ["ApplicationGroup"] : null # only those assigned: no user has too many

  api {
    requested_access_token_version = var.token_version
    mapped_claims_enabled          = false # or whoever administers a tenant could write claims that rules read

    dynamic "oauth2_permission_scope" {
      for_each = var.scopes

      content {
        id                         = local.scope_ids[oauth2_permission_scope.key]
        value                      = oauth2_permission_scope.key
        type                       = oauth2_permission_scope.value.consent == "user" ? "User" : "Admin"
        enabled                    = true
        admin_consent_display_name = oauth2_permission_scope.key
        admin_consent_description  = coalesce(oauth2_permission_scope.value.description, oauth2_permission_scope.key)
        user_consent_display_name  = oauth2_permission_scope.value.consent == "user" ? oauth2_permission_scope.key : null
        user_consent_description   = oauth2_permission_scope.value.consent == "user" ? coalesce(oauth2_permission_scope.value.description, oauth2_permission_scope.key) : null
      }
    }
  }

  dynamic "app_role" {
    for_each = var.roles

    content {
      id                   = local.role_ids[app_role.key]
      value                = app_role.key
      display_name         = app_role.key
      description          = coalesce(app_role.value.description, app_role.key)
      allowed_member_types = app_role.value.members
      enabled              = true
    }
  }

  dynamic "app_role" {
    for_each = length(var.groups) > 0 ? [local.access_id] : []

    content {
      id                   = app_role.value
      display_name         = "Access"
      description          = "May get tokens. It stands in none of them."
      allowed_member_types = ["User"]
      enabled              = true
    }
  }

  optional_claims {
    dynamic "access_token" {
      for_each = var.optional_claims

      content {
        name      = access_token.value
        essential = false
      }
    }
  }
}

resource "azuread_service_principal" "this" {
  client_id                    = azuread_application.this.client_id
  owners                       = var.owners
  app_role_assignment_required = var.assignment_required
}

# A registration that acts for users (on-behalf-of) proves itself by another platform's identity, never by a secret.
resource "azuread_application_federated_identity_credential" "this" {
  for_each = var.federated

  application_id = azuread_application.this.id
  display_name   = each.key
  issuer         = each.value.issuer
  subject        = each.value.subject
  audiences      = [each.value.audience]
}
