output "named_locations" {
  description = "Object ids of the named locations, by name."
  value       = { for name, l in azuread_named_location.this : name => l.object_id }
}

output "policies" {
  description = "Ids of the conditional access policies, by what they ask for: mfa, device, frequency, location."
  value       = { for what, p in azuread_conditional_access_policy.this : what => p.id }
}
