# As prod, at one instance, without the SIEM: what works here works there.

module "estate" {
  source = "../../modules/estate"

  gateway     = var.gateway
  environment = var.environment
  tenant_id   = var.tenant_id
  apis        = var.apis
  clients     = var.clients
  location    = var.location
  private     = true

  network = {
    address_space = "10.21.0.0/24"
    subnets       = { gateway = "10.21.0.0/26", endpoints = "10.21.0.64/26", services = "10.21.0.128/26" }
    operators     = ["10.40.0.0/24"] # those who keep keys and secrets, over a peered network
    dns_zone      = "staging.internal.contoso.example"
    egress        = { restricted = true, addresses = ["203.0.113.16/28"] } # shipments.partner.example
    outbound      = { nat_gateway = true }                                 # the partner lets one address in
  }

  # Where the contracts' backends are: names below dns_zone, for the addresses under backend in the environment.
  backends = {
    archive   = { host = { address = "10.31.0.10" } }
    catalog-a = { host = { address = "10.31.0.11" } }
    catalog-b = { host = { address = "10.31.0.12" } }
    customers = { host = { address = "10.31.0.13" } }
    directory = { host = { address = "10.31.0.14" } }
    invoices  = { host = { address = "10.31.0.15" } }
    ledger    = { host = { address = "10.31.0.16" } }
    orders    = { host = { address = "10.31.0.17" } }
    payments  = { host = { address = "10.31.0.18" } }
    rates     = { host = { address = "10.31.0.19" } }
    stock     = { host = { address = "10.31.0.20" } }
  }

  function = {
    inbound             = { mode = "addresses", addresses = ["198.51.100.0/24"] } # the office
    instance            = { memory_mb = 2048 }
    storage_replication = "LRS"
  }

  observability = {
    retention = { days = 90 }
    alerts    = { mails = { oncall = var.alert_mail } }
  }
}
