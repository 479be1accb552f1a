variable "subscription_id" {
  type        = string
  description = "The Azure subscription."
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "subscription_id must be a GUID: `az account show --query id` tells it."
  }
}

variable "location" {
  type        = string
  description = "The region; one that offers Flex Consumption (`az functionapp list-flexconsumption-locations`)."
  nullable    = false
  default     = "westeurope"

  validation {
    condition     = can(regex("^[a-z0-9]+$", var.location))
    error_message = "location must be as Azure's programs write it, such as westeurope."
  }
}
