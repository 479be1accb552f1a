# Everything behind the gateway is private: storage, vault, event hub, telemetry and backends are reached
# through private endpoints alone, and the gateway calls nothing but those, Entra and one partner.

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
    address_space = "10.20.0.0/24"
    subnets       = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", services = "10.20.0.128/26" }
    operators     = ["10.40.0.0/24"] # those who keep keys and secrets, over a peered network
    dns_zone      = "internal.contoso.example"
    egress        = { restricted = true, addresses = ["203.0.113.16/28"] } # shipments.partner.example
    outbound      = { nat_gateway = true }                                 # the partner lets one address in
  }

  # Where the contracts' backends are: names below dns_zone, for the addresses under backend in the environment.
  backends = {
    archive   = { host = { address = "10.30.0.10" } }
    catalog-a = { host = { address = "10.30.0.11" } }
    catalog-b = { host = { address = "10.30.0.12" } }
    customers = { host = { address = "10.30.0.13" } }
    directory = { host = { address = "10.30.0.14" } }
    invoices  = { host = { address = "10.30.0.15" } }
    ledger    = { host = { address = "10.30.0.16" } }
    orders    = { host = { address = "10.30.0.17" } }
    payments  = { host = { address = "10.30.0.18" } }
    rates     = { host = { address = "10.30.0.19" } }
    stock     = { host = { address = "10.30.0.20" } }
  }

  function = {
    inbound             = { mode = "public" } # TLS 1.2 and newer; the deployment site stays shut
    instance            = { memory_mb = 2048, maximum = 100, always_ready = 2, zone_redundant = true }
    storage_replication = "ZRS"
  }

  vault = { sku_name = "premium" }

  observability = {
    retention = { days = 365 }
    alerts    = { mails = { oncall = var.alert_mail } }
    event_hub = {}
  }
}
