# Claims that Entra doesn't send by itself. The registration must have keys of its
# own for this (signingKeys: application); mapping with the tenant's keys stays off.
resource "azuread_claims_mapping_policy" "this" {
  for_each = var.claims_mappings

  display_name = "${var.name}: claims of ${each.key}"
  definition = [jsonencode({
    ClaimsMappingPolicy = {
      Version              = 1
      IncludeBasicClaimSet = "true"
      ClaimsSchema         = [for claim, from in each.value.claims : { Source = from.source, ID = from.id, JwtClaimType = claim }]
    }
  })]
}

resource "azuread_service_principal_claims_mapping_policy_assignment" "this" {
  for_each = var.claims_mappings

  claims_mapping_policy_id = azuread_claims_mapping_policy.this[each.key].id
  service_principal_id     = each.value.service_principal_id
}
