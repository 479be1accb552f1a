# How calls leave the gateway's subnet, where it isn't Azure's own way.

resource "azurerm_public_ip" "outbound" {
  count = var.outbound.nat_gateway ? 1 : 0

  name                = "${var.name}-out-ip"
  location            = var.location
  resource_group_name = var.resource_group_name
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway" "outbound" {
  count = var.outbound.nat_gateway ? 1 : 0

  name                = "${var.name}-nat"
  location            = var.location
  resource_group_name = var.resource_group_name
  sku_name            = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "outbound" {
  count = var.outbound.nat_gateway ? 1 : 0

  nat_gateway_id       = azurerm_nat_gateway.outbound[0].id
  public_ip_address_id = azurerm_public_ip.outbound[0].id
}

resource "azurerm_subnet_nat_gateway_association" "gateway" {
  count = var.outbound.nat_gateway ? 1 : 0

  subnet_id      = azurerm_subnet.gateway.id
  nat_gateway_id = azurerm_nat_gateway.outbound[0].id
}

# Everything to the firewall; routes that another network announces don't lead
# around it.
resource "azurerm_route_table" "outbound" {
  count = var.outbound.next_hop == null ? 0 : 1

  name                          = "${var.name}-routes"
  location                      = var.location
  resource_group_name           = var.resource_group_name
  bgp_route_propagation_enabled = false
  tags                          = var.tags
}

resource "azurerm_route" "outbound" {
  count = length(azurerm_route_table.outbound)

  name                   = "everything"
  resource_group_name    = var.resource_group_name
  route_table_name       = azurerm_route_table.outbound[0].name
  address_prefix         = "0.0.0.0/0"
  next_hop_type          = "VirtualAppliance"
  next_hop_in_ip_address = var.outbound.next_hop
}

resource "azurerm_subnet_route_table_association" "gateway" {
  count = length(azurerm_route_table.outbound)

  subnet_id      = azurerm_subnet.gateway.id
  route_table_id = azurerm_route_table.outbound[0].id
}
