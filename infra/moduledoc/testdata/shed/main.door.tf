# A door.

data "azurerm_client_config" "this" {}

resource "azurerm_key_vault" "door" {
  count = var.door == null ? 0 : 1
}
