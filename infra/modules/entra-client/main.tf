# One client's registration, what it proves itself by, and what it is given of APIs.
# No secret is made here: it would stand in the state.
#
# Permissions: as entra-api. Consent for everybody (`admin_consent`) needs, besides, Directory.ReadWrite.All in a
# pipeline; the provider's documentation asks Global Administrator of a person. Licence: none.

resource "azuread_application" "this" {
  display_name            = var.display_name
  description             = var.description == "" ? null : var.description
  owners                  = var.owners
  sign_in_audience        = "AzureADMyOrg"
  prevent_duplicate_names = true # state that was lost must not make a second one

  fallback_public_client_enabled = false # no user's password, and no device code that somebody else may have asked for

  dynamic "single_page_application" {
    for_each = length(var.redirect_uris.spa) > 0 ? [var.redirect_uris.spa] : []

    content {
      redirect_uris = single_page_application.value
    }
  }

  dynamic "public_client" {
    for_each = length(var.redirect_uris.public) > 0 ? [var.redirect_uris.public] : []

    content {
      redirect_uris = public_client.value
    }
  }

  web {
    redirect_uris = var.redirect_uris.web

    implicit_grant { # tokens in addresses end up in histories and logs
      access_token_issuance_enabled = false
      id_token_issuance_enabled     = false
    }
  }

  # What it may ask for. Nobody is given anything by this alone.
  dynamic "required_resource_access" {
    for_each = { for api, use in var.uses : api => use if length(use.scopes) + length(use.roles) > 0 }

    content {
      resource_app_id = required_resource_access.value.client_id

      dynamic "resource_access" {
        for_each = required_resource_access.value.scopes

        content {
          id   = resource_access.value
          type = "Scope"
        }
      }

      dynamic "resource_access" {
        for_each = required_resource_access.value.roles

        content {
          id   = resource_access.value
          type = "Role"
        }
      }
    }
  }
}

resource "azuread_service_principal" "this" {
  client_id = azuread_application.this.client_id
  owners    = var.owners
}

resource "azuread_application_certificate" "this" {
  for_each = var.certificates

  application_id = azuread_application.this.id
  type           = "AsymmetricX509Cert"
  encoding       = "pem"
  value          = each.value.pem
  end_date       = each.value.end_date
}

resource "azuread_application_federated_identity_credential" "this" {
  for_each = var.federated

  application_id = azuread_application.this.id
  display_name   = each.key
  issuer         = each.value.issuer
  subject        = each.value.subject
  audiences      = [each.value.audience]
}
