# As cheap as it can be: nothing costs while nothing is called, but for logs that are kept. No private endpoints: the
# gateway's subnet reaches storage and vault by service endpoints, and nobody else is let in.

module "estate" {
  source = "../../modules/estate"

  gateway     = var.gateway
  environment = var.environment
  tenant_id   = var.tenant_id
  apis        = var.apis
  clients     = var.clients
  location    = var.location
  private     = false

  network = {
    address_space = "10.22.0.0/24"
    subnets       = { gateway = "10.22.0.0/26", endpoints = "10.22.0.64/26" }
    egress        = { restricted = false } # backends are anywhere
  }

  vault = { purge_protection = false } # made and thrown away

  observability = {
    retention = { days = 30 }
    alerts    = { enabled = false }
  }
}
