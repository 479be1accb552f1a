output "key" {
  description = "The key."
  sensitive   = true
  value       = "k"
}
