terraform {
  backend "azurerm" {}
}

provider "azurerm" {
  features {}
  subscription_id = "00000000-0000-4000-8000-000000000001"
}

variable "apis" {
  type = map(object({
    scopes              = list(string)
    roles               = list(string)
    assignment_required = optional(bool, true)
  }))
}

variable "clients" {
  type = map(map(object({
    scopes = optional(list(string), [])
    roles  = optional(list(string), [])
  })))
}

variable "endpoints" {
  type = map(string)
}

module "api" {
  source   = "../../modules/entra-api"
  for_each = var.apis

  name                = each.key
  identifier_uri      = "api://contoso.example/${each.key}"
  scopes              = each.value.scopes
  roles               = each.value.roles
  assignment_required = each.value.assignment_required
}

module "client" {
  source   = "../../modules/entra-client"
  for_each = var.clients

  name = each.key
  uses = { for api, use in each.value : api => {
    client_id                   = module.api[api].client_id
    service_principal_object_id = module.api[api].service_principal_object_id
    scopes                      = use.scopes
    roles                       = use.roles
  } }
}

module "network" {
  source = "../../modules/private-backend"

  endpoints = var.endpoints
}
