locals {
  backend_addresses = [for b in local.by_host : "${b.address}/32"]

  # Without private endpoints these are called at their public addresses.
  public_services = var.private_endpoints ? [] : ["AppService", "AzureKeyVault", "Storage"]
  service_tags    = distinct(concat(["AzureActiveDirectory", "AzureMonitor"], local.public_services, var.egress.service_tags))

  # What the gateway may call: addresses, or one service tag.
  calls = merge(
    { endpoints = { to = compact([var.subnets.endpoints, var.subnets.services]), port = "443", protocol = "Tcp" } },
    { for t in local.service_tags : "service-${replace(t, ".", "-")}" => { to = [t], port = "443", protocol = "Tcp" } },
    { for n in ["backends"] : n => { to = local.backend_addresses, port = "443", protocol = "Tcp" } if length(local.backend_addresses) > 0 },
    { for n in ["elsewhere"] : n => { to = var.egress.addresses, port = "443", protocol = "Tcp" } if length(var.egress.addresses) > 0 },
    { for n in ["names"] : n => { to = [for s in var.outbound.dns_servers : "${s}/32"], port = "53", protocol = "*" } if length(var.outbound.dns_servers) > 0 },
  )

  let_out = [for i, n in sort(keys(local.calls)) : merge(local.calls[n], {
    name = "call-${n}", direction = "Outbound", access = "Allow", priority = 100 + i, from = [var.subnets.gateway]
  })]

  # Last in each group, before Azure's own rules, which let the whole network in
  # and everything out.
  last = { priority = 4096, protocol = "*", from = ["*"], to = ["*"], port = "*" }

  deny_inbound  = [merge(local.last, { name = "nobody-else", direction = "Inbound", access = "Deny" })]
  deny_outbound = [merge(local.last, { name = "call-nothing-else", direction = "Outbound", access = "Deny" })]
  let_all_out   = [merge(local.last, { name = "call-anything", direction = "Outbound", access = "Allow" })]

  rules = {
    # Azure's own name service stays reachable, a rule for "*" doesn't cover it.
    gateway = concat(
      local.let_out,
      var.egress.restricted ? local.deny_outbound : local.let_all_out,
      [{ name = "platform-probes", direction = "Inbound", access = "Allow", priority = 100, protocol = "*", from = ["AzureLoadBalancer"], to = ["*"], port = "*" }],
      local.deny_inbound,
    )
    endpoints = concat(
      [{ name = "gateway", direction = "Inbound", access = "Allow", priority = 100, protocol = "Tcp", from = [var.subnets.gateway], to = [var.subnets.endpoints], port = "443" }],
      local.deny_inbound,
      local.deny_outbound,
    )
    services = concat(
      [{ name = "gateway", direction = "Inbound", access = "Allow", priority = 100, protocol = "Tcp", from = [var.subnets.gateway], to = [coalesce(var.subnets.services, "none")], port = "443" }],
      [for n in ["operators"] : { name = n, direction = "Inbound", access = "Allow", priority = 110, protocol = "Tcp", from = var.operators, to = [coalesce(var.subnets.services, "none")], port = "443" } if length(var.operators) > 0],
      local.deny_inbound,
      local.deny_outbound,
    )
    inbound = concat(
      [{ name = "callers", direction = "Inbound", access = "Allow", priority = 100, protocol = "Tcp", from = var.callers, to = [coalesce(var.subnets.inbound, "none")], port = "443" }],
      local.deny_inbound,
      local.deny_outbound,
    )
  }
}

# Rules stand within the group: one that somebody adds by hand is gone with the
# next run.
resource "azurerm_network_security_group" "subnet" {
  for_each = { for n, rules in local.rules : n => rules if !contains(["services", "inbound"], n) || lookup(var.subnets, n, null) != null }

  name                = "${var.name}-${each.key}-nsg"
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = var.tags

  security_rule = [for r in each.value : {
    name                                       = r.name
    description                                = ""
    priority                                   = r.priority
    direction                                  = r.direction
    access                                     = r.access
    protocol                                   = r.protocol
    source_port_range                          = "*"
    source_port_ranges                         = []
    destination_port_range                     = r.port
    destination_port_ranges                    = []
    source_address_prefix                      = length(r.from) == 1 ? r.from[0] : null
    source_address_prefixes                    = length(r.from) == 1 ? [] : r.from
    source_application_security_group_ids      = []
    destination_address_prefix                 = length(r.to) == 1 ? r.to[0] : null
    destination_address_prefixes               = length(r.to) == 1 ? [] : r.to
    destination_application_security_group_ids = []
  }]
}

resource "azurerm_subnet_network_security_group_association" "gateway" {
  subnet_id                 = azurerm_subnet.gateway.id
  network_security_group_id = azurerm_network_security_group.subnet["gateway"].id
}

resource "azurerm_subnet_network_security_group_association" "endpoints" {
  subnet_id                 = azurerm_subnet.endpoints.id
  network_security_group_id = azurerm_network_security_group.subnet["endpoints"].id
}

resource "azurerm_subnet_network_security_group_association" "services" {
  count = length(azurerm_subnet.services)

  subnet_id                 = azurerm_subnet.services[0].id
  network_security_group_id = azurerm_network_security_group.subnet["services"].id
}

resource "azurerm_subnet_network_security_group_association" "inbound" {
  count = length(azurerm_subnet.inbound)

  subnet_id                 = azurerm_subnet.inbound[0].id
  network_security_group_id = azurerm_network_security_group.subnet["inbound"].id
}
