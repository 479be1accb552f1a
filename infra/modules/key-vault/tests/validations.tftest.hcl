# Every validation says no.

mock_provider "azurerm" {}

variables {
  name                = "contoso-gateway-dev"
  location            = "westeurope"
  resource_group_name = "contoso-gateway-dev"
  tenant_id           = "11111111-1111-1111-1111-111111111111"
  private_endpoint = {
    subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/endpoints"
    zone_id   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"
  }
}

run "a_name_that_azure_refuses_is_refused" {
  command = plan

  variables {
    name = "contoso_vault"
  }

  expect_failures = [var.name]
}

run "a_name_that_is_too_long_is_refused" {
  command = plan

  variables {
    name = "contoso-gateway-production"
  }

  expect_failures = [var.name]
}

run "a_tenant_by_its_domain_is_refused" {
  command = plan

  variables {
    tenant_id = "contoso.example"
  }

  expect_failures = [var.tenant_id]
}

run "an_officer_that_reads_in_service_is_refused" {
  command = plan

  variables {
    readers  = { gateway = "88888888-8888-8888-8888-888888888888" }
    officers = { gateway = "88888888-8888-8888-8888-888888888888" }
  }

  expect_failures = [var.officers]
}

run "an_officer_that_signs_in_service_is_refused" {
  command = plan

  variables {
    signers  = { gateway = "88888888-8888-8888-8888-888888888888" }
    officers = { gateway = "88888888-8888-8888-8888-888888888888" }
  }

  expect_failures = [var.officers]
}

run "addresses_that_would_not_be_looked_at_are_refused" {
  command = plan

  variables {
    network = { addresses = ["203.0.113.0/24"] }
  }

  expect_failures = [var.network]
}

run "services_of_azure_without_a_public_side_are_refused" {
  command = plan

  variables {
    network = { trusted_services = true }
  }

  expect_failures = [var.network]
}

run "a_public_side_for_nobody_is_refused" {
  command = plan

  variables {
    network = { public_access = true }
  }

  expect_failures = [var.network]
}

run "the_whole_internet_is_refused" {
  command = plan

  variables {
    network = { public_access = true, addresses = ["0.0.0.0/0"] }
  }

  expect_failures = [var.network]
}

run "an_address_that_is_no_range_is_refused" {
  command = plan

  variables {
    network = { public_access = true, addresses = ["203.0.113.7"] }
  }

  expect_failures = [var.network]
}

run "a_vault_that_nobody_reaches_is_refused" {
  command = plan

  variables {
    private_endpoint = null
  }

  expect_failures = [var.network]
}

run "an_unknown_sku_is_refused" {
  command = plan

  variables {
    sku_name = "hsm"
  }

  expect_failures = [var.sku_name]
}
