# What the contracts ask of Entra: a registration for each API and client, and what a client is given of an API.

module "api" {
  source   = "../entra-api"
  for_each = var.apis

  name                = each.key
  identifier_uri      = each.value.identifier_uri
  display_name        = each.value.display_name
  description         = each.value.description
  owners              = each.value.owners
  token_version       = each.value.token_version
  sign_in_audience    = each.value.sign_in_audience
  scopes              = each.value.scopes
  roles               = each.value.roles
  groups              = each.value.groups
  assignment_required = each.value.assignment_required
  optional_claims     = each.value.optional_claims
  group_claims        = each.value.group_claims
  # The gateway proves itself for this registration by its managed identity, and keeps no secret.
  federated = { for name, f in each.value.federated : name => merge(f, name == "gateway" ? { subject = module.gateway.identity.principal_id } : {}) }
}

module "client" {
  source   = "../entra-client"
  for_each = var.clients

  name          = each.key
  display_name  = each.value.display_name
  description   = each.value.description
  owners        = each.value.owners
  kind          = each.value.kind
  certificates  = each.value.certificates
  federated     = each.value.federated
  redirect_uris = each.value.redirect_uris
  uses = { for api, use in each.value.uses : api => {
    client_id                   = module.api[api].client_id
    application_id              = module.api[api].application_id
    service_principal_object_id = module.api[api].service_principal_object_id
    scopes                      = { for name in use.scopes : name => module.api[api].scope_ids[name] }
    roles                       = { for name in use.roles : name => module.api[api].role_ids[name] }
    admin_consent               = use.admin_consent
    preauthorized               = use.preauthorized
  } }
}

module "policy" {
  source = "../entra-policy"

  name                    = local.name
  applications            = [for api in values(module.api) : api.client_id]
  included_groups         = try(var.policies.included_groups, [])
  break_glass_groups      = try(var.policies.break_glass_groups, [])
  state                   = try(var.policies.state, "enabledForReportingButNotEnforced")
  mfa                     = try(var.policies.mfa, null)
  compliant_device        = try(var.policies.compliant_device, false)
  sign_in_frequency_hours = try(var.policies.sign_in_frequency_hours, null)
  named_locations         = try(var.policies.named_locations, {})
  allowed_locations       = try(var.policies.allowed_locations, [])
  claims_mappings = { for api, claims in try(var.policies.claims_mappings, {}) : api => {
    service_principal_id = "/servicePrincipals/${module.api[api].service_principal_object_id}"
    claims               = claims
  } }
}
