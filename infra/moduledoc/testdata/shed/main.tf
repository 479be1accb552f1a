# A shed, for tests of what a README says. It has
# two lines here.
#
# Licence: none.

resource "azurerm_resource_group" "this" {
  name     = var.name
  location = "westeurope"
}

# Not of the file as a whole.
module "roof" {
  source   = "../roof"
  for_each = toset(["north", "south"])
}
