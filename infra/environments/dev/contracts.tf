# What the contracts say. `tollgate infra` writes it into contracts.auto.tfvars.json before each plan;
# modules/estate and the modules that take the parts check it. The same in every environment.

variable "gateway" {
  type        = any
  description = "Of the gateway's contract: name, client_address, grants."
  nullable    = false
}

variable "environment" {
  type        = string
  description = "Name of the environment in the contracts."
  nullable    = false
}

variable "tenant_id" {
  type        = string
  description = "The Entra tenant."
  nullable    = false
}

variable "apis" {
  type        = any
  description = "Registrations of APIs, by name."
  nullable    = false
}

variable "clients" {
  type        = any
  description = "Registrations of clients, by name."
  nullable    = false
}

output "bindings" {
  description = "What the environment's file binds; `tollgate infra apply` writes it there."
  value       = module.estate.bindings
}

output "private" {
  description = "Whether everything behind the gateway is reached through private endpoints alone. `tollgate infra` holds such a plan to more rules."
  value       = module.estate.private
}

output "gateway" {
  description = "Where the gateway is."
  value       = module.estate.gateway
}

output "backends" {
  description = "Backends of the private network."
  value       = module.estate.backends
}

output "outbound_address" {
  description = "The static address that calls to backends elsewhere come from, or null."
  value       = module.estate.outbound_address
}

output "workspace" {
  description = "Id of the workspace for `tollgate who --workspace`."
  value       = module.estate.workspace
}

output "by_hand" {
  description = "What is left to do by hand."
  value       = module.estate.by_hand
}
