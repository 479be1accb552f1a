# Every validation says no.

mock_provider "azurerm" {}

variables {
  name                = "contoso-gateway-dev"
  location            = "westeurope"
  resource_group_name = "contoso-gateway-dev"
  environment         = "dev"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"
}

run "a_name_that_is_no_storage_name_is_refused" {
  command = plan

  variables {
    name = "Contoso_Gateway"
  }

  expect_failures = [var.name]
}

run "a_name_too_long_for_the_storage_account_is_refused" {
  command = plan

  variables {
    name = "contoso-gateway-production"
  }

  expect_failures = [var.name]
}

run "an_environment_that_is_a_path_is_refused" {
  command = plan

  variables {
    environment = "environments/dev.yaml"
  }

  expect_failures = [var.environment]
}

run "something_else_than_a_subnet_is_refused" {
  command = plan

  variables {
    subnet_id = "gateway"
  }

  expect_failures = [var.subnet_id]
}

run "a_subnet_that_the_platform_refuses_is_refused" {
  command = plan

  variables {
    subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway_out"
  }

  expect_failures = [var.subnet_id]
}

run "private_endpoints_without_one_for_tables_are_refused" {
  command = plan

  variables {
    private_endpoints = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/endpoints", zone_ids = { blob = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net" } }
  }

  expect_failures = [var.private_endpoints]
}

run "an_instance_size_that_azure_lacks_is_refused" {
  command = plan

  variables {
    instance = { memory_mb = 1024 }
  }

  expect_failures = [var.instance]
}

run "fewer_instances_than_the_platform_allows_are_refused" {
  command = plan

  variables {
    instance = { maximum = 10 }
  }

  expect_failures = [var.instance]
}

run "a_concurrency_of_none_is_refused" {
  command = plan

  variables {
    instance = { per_instance_concurrency = 0 }
  }

  expect_failures = [var.instance]
}

run "more_instances_ready_than_there_may_be_are_refused" {
  command = plan

  variables {
    instance = { always_ready = 50 }
  }

  expect_failures = [var.instance]
}

run "one_instance_in_several_zones_is_refused" {
  command = plan

  variables {
    instance            = { always_ready = 1, zone_redundant = true }
    storage_replication = "ZRS"
  }

  expect_failures = [var.instance]
}

run "a_setting_that_the_gateway_does_not_read_is_refused" {
  command = plan

  variables {
    settings = { TOLLGATE_ENVIROMENT = "prod" }
  }

  expect_failures = [var.settings]
}

run "a_setting_that_the_host_sets_is_refused" {
  command = plan

  variables {
    settings = { FUNCTIONS_CUSTOMHANDLER_PORT = "8080" }
  }

  expect_failures = [var.settings]
}

run "a_setting_that_this_module_sets_is_refused" {
  command = plan

  variables {
    settings = { TOLLGATE_ENVIRONMENT = "prod" }
  }

  expect_failures = [var.settings]
}

run "a_setting_that_holds_a_secret_is_refused" {
  command = plan

  variables {
    settings = { OTEL_EXPORTER_OTLP_HEADERS = "x-api-key=abc" }
  }

  expect_failures = [var.settings]
}

run "a_shared_access_signature_is_refused" {
  command = plan

  variables {
    settings = { TOLLGATE_TABLES = "https://contoso.table.core.windows.net/?sv=2024-11-04&sig=abc" }
  }

  expect_failures = [var.settings]
}

run "a_connection_string_is_refused" {
  command = plan

  variables {
    settings = { TOLLGATE_TABLES = "AccountName=contoso;AccountKey=abc" }
  }

  expect_failures = [var.settings]
}

run "an_unknown_way_in_is_refused" {
  command = plan

  variables {
    inbound = { mode = "open" }
  }

  expect_failures = [var.inbound]
}

run "mode_addresses_without_addresses_is_refused" {
  command = plan

  variables {
    inbound = { mode = "addresses" }
  }

  expect_failures = [var.inbound]
}

run "addresses_that_would_not_be_looked_at_are_refused" {
  command = plan

  variables {
    inbound = { addresses = ["203.0.113.0/24"] }
  }

  expect_failures = [var.inbound]
}

run "the_whole_internet_as_an_address_is_refused" {
  command = plan

  variables {
    inbound = { mode = "addresses", addresses = ["0.0.0.0/0"] }
  }

  expect_failures = [var.inbound]
}

run "the_whole_internet_as_a_deployer_is_refused" {
  command = plan

  variables {
    inbound = { deployers = ["::/0"] }
  }

  expect_failures = [var.inbound]
}

run "an_address_that_is_no_range_is_refused" {
  command = plan

  variables {
    inbound = { mode = "addresses", addresses = ["203.0.113.7"] }
  }

  expect_failures = [var.inbound]
}

run "a_deployer_that_storage_would_refuse_is_refused" {
  command = plan

  variables {
    inbound = { deployers = ["203.0.113.6/31"] }
  }

  expect_failures = [var.inbound]
}

run "mode_front_door_without_a_front_door_is_refused" {
  command = plan

  variables {
    inbound = { mode = "front_door" }
  }

  expect_failures = [var.inbound]
}

run "two_front_doors_are_refused" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door = {}, front_door_id = "aaaaaaaa-0000-4000-8000-000000000001" }
  }

  expect_failures = [var.inbound]
}

run "a_front_door_that_would_be_gone_around_is_refused" {
  command = plan

  variables {
    inbound = { mode = "public", front_door = {} }
  }

  expect_failures = [var.inbound]
}

run "a_resource_id_in_place_of_the_front_doors_guid_is_refused" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Cdn/profiles/fd" }
  }

  expect_failures = [var.inbound]
}

run "a_front_door_of_an_old_kind_is_refused" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door = { sku_name = "Standard_Microsoft" } }
  }

  expect_failures = [var.inbound]
}

run "a_rate_that_blocks_everyone_is_refused" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door = { requests_per_minute = 1 } }
  }

  expect_failures = [var.inbound]
}

run "mode_private_without_a_private_endpoint_is_refused" {
  command = plan

  variables {
    inbound = { mode = "private" }
  }

  expect_failures = [var.inbound]
}

run "an_old_tls_is_refused" {
  command = plan

  variables {
    inbound = { minimum_tls = "1.1" }
  }

  expect_failures = [var.inbound]
}

run "a_domain_that_is_an_address_is_refused" {
  command = plan

  variables {
    custom_domain = { hostname = "https://api.contoso.example" }
  }

  expect_failures = [var.custom_domain]
}

run "an_unknown_certificate_is_refused" {
  command = plan

  variables {
    custom_domain = { hostname = "api.contoso.example", certificate = "self-signed" }
  }

  expect_failures = [var.custom_domain]
}

run "a_certificate_that_nobody_could_issue_is_refused" {
  command = plan

  variables {
    custom_domain = { hostname = "api.contoso.example" }
    inbound       = { mode = "addresses", addresses = ["203.0.113.0/24"] }
  }

  expect_failures = [var.custom_domain]
}

run "an_unknown_replication_is_refused" {
  command = plan

  variables {
    storage_replication = "RAGRS"
  }

  expect_failures = [var.storage_replication]
}

run "storage_in_one_zone_for_a_gateway_in_several_is_refused" {
  command = plan

  variables {
    storage_replication = "LRS"
    instance            = { always_ready = 2, zone_redundant = true }
  }

  expect_failures = [var.storage_replication]
}

run "a_package_that_is_not_there_is_refused" {
  command = plan

  variables {
    package = "dist/azure.zip"
  }

  expect_failures = [var.package]
}

run "an_unknown_word_for_certificates_is_refused" {
  command = plan

  variables {
    inbound = { certificates = "on" }
  }

  expect_failures = [var.inbound]
}

run "certificates_that_front_door_would_drop_are_refused" {
  command = plan

  variables {
    inbound = { mode = "front_door", front_door = {}, certificates = "required" }
  }

  expect_failures = [var.inbound]
}
