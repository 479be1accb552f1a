# Every validation says no.

mock_provider "azurerm" {}

variables {
  name                = "contoso-dev"
  location            = "westeurope"
  resource_group_name = "contoso-dev"
  address_space       = "10.20.0.0/24"
  subnets             = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26" }
}

run "a_name_that_azure_refuses_is_refused" {
  command = plan

  variables {
    name = "Contoso_Dev"
  }

  expect_failures = [var.name]
}

run "an_address_space_that_is_no_range_is_refused" {
  command = plan

  variables {
    address_space = "10.20.0.0"
  }

  expect_failures = [var.address_space]
}

run "a_subnet_that_is_no_range_is_refused" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/26", endpoints = "endpoints" }
  }

  expect_failures = [var.subnets]
}

run "a_gateway_subnet_that_is_too_small_is_refused" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/28", endpoints = "10.20.0.64/26" }
  }

  expect_failures = [var.subnets]
}

run "a_subnet_outside_the_network_is_refused" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/26", endpoints = "10.21.0.64/26" }
  }

  expect_failures = [var.subnets]
}

run "a_subnet_larger_than_the_network_is_refused" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/23", endpoints = "10.20.0.64/26" }
  }

  expect_failures = [var.subnets]
}

run "subnets_that_overlap_are_refused" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/25", endpoints = "10.20.0.64/26" }
  }

  expect_failures = [var.subnets]
}

run "a_zone_that_is_not_known_is_refused" {
  command = plan

  variables {
    zones = ["blob", "file"]
  }

  expect_failures = [var.zones]
}

run "half_of_azure_monitors_zones_are_refused" {
  command = plan

  variables {
    zones = ["blob", "monitor"]
  }

  expect_failures = [var.zones]
}

run "a_zone_that_is_no_domain_is_refused" {
  command = plan

  variables {
    dns_zone = "internal"
  }

  expect_failures = [var.dns_zone]
}

run "a_backend_of_two_kinds_is_refused" {
  command = plan

  variables {
    backends = { orders = { host = { address = "10.30.0.4" }, web_app = { stack = { node_version = "24-lts" } } } }
    dns_zone = "internal.contoso.example"
  }

  expect_failures = [var.backends]
}

run "a_backend_of_no_kind_is_refused" {
  command = plan

  variables {
    backends = { orders = {} }
  }

  expect_failures = [var.backends]
}

run "a_backend_whose_name_is_no_host_name_is_refused" {
  command = plan

  variables {
    backends = { Orders = { host = { address = "10.30.0.4" } } }
    dns_zone = "internal.contoso.example"
  }

  expect_failures = [var.backends]
}

run "a_backend_at_a_public_address_is_refused" {
  command = plan

  variables {
    backends = { orders = { host = { address = "203.0.113.4" } } }
    dns_zone = "internal.contoso.example"
  }

  expect_failures = [var.backends]
}

run "a_backend_by_its_address_without_a_zone_is_refused" {
  command = plan

  variables {
    backends = { orders = { host = { address = "10.30.0.4" } } }
  }

  expect_failures = [var.backends]
}

run "an_app_of_two_stacks_is_refused" {
  command = plan

  variables {
    backends = { orders = { web_app = { stack = { node_version = "24-lts", python_version = "3.13" } } } }
  }

  expect_failures = [var.backends]
}

run "an_app_of_an_unknown_stack_is_refused" {
  command = plan

  variables {
    backends = { orders = { web_app = { stack = { go_version = "1.19" } } } }
  }

  expect_failures = [var.backends]
}

run "every_address_as_a_caller_is_refused" {
  command = plan

  variables {
    callers = ["0.0.0.0/0"]
    subnets = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", inbound = "10.20.0.128/28" }
  }

  expect_failures = [var.callers]
}

run "callers_without_an_endpoint_to_reach_are_refused" {
  command = plan

  variables {
    callers = ["10.40.0.0/16"]
  }

  expect_failures = [var.callers]
}

run "an_endpoint_that_nobody_reaches_is_refused" {
  command = plan

  variables {
    subnets = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", inbound = "10.20.0.128/28" }
  }

  expect_failures = [var.callers]
}

run "every_address_to_call_is_refused" {
  command = plan

  variables {
    egress = { addresses = ["0.0.0.0/0"] }
  }

  expect_failures = [var.egress]
}

run "the_internet_as_a_service_is_refused" {
  command = plan

  variables {
    egress = { service_tags = ["Internet"] }
  }

  expect_failures = [var.egress]
}

run "a_regional_cloud_as_a_service_is_refused" {
  command = plan

  variables {
    egress = { service_tags = ["AzureCloud.WestEurope"] }
  }

  expect_failures = [var.egress]
}

run "two_ways_out_are_refused" {
  command = plan

  variables {
    outbound = { nat_gateway = true, next_hop = "10.0.0.4" }
  }

  expect_failures = [var.outbound]
}

run "a_firewall_without_an_address_is_refused" {
  command = plan

  variables {
    outbound = { next_hop = "firewall" }
  }

  expect_failures = [var.outbound]
}

run "a_name_server_without_an_address_is_refused" {
  command = plan

  variables {
    outbound = { dns_servers = ["dns.contoso.example"] }
  }

  expect_failures = [var.outbound]
}

run "an_image_without_a_registry_is_refused" {
  command = plan

  variables {
    backends = { orders = { web_app = { stack = { docker_image_name = "orders:1.4" } } } }
  }

  expect_failures = [var.backends]
}

run "a_plan_without_private_endpoints_is_refused" {
  command = plan

  variables {
    backends = { orders = { web_app = { stack = { node_version = "24-lts" }, sku_name = "F1" } } }
  }

  expect_failures = [var.backends]
}

run "operators_from_everywhere_are_refused" {
  command = plan
  variables {
    subnets   = { gateway = "10.20.0.0/26", endpoints = "10.20.0.64/26", services = "10.20.0.128/26" }
    operators = ["0.0.0.0/0"]
  }
  expect_failures = [var.operators]
}

run "operators_among_the_backends_endpoints_are_refused" {
  command = plan
  variables {
    operators = ["10.40.0.0/24"]
  }
  expect_failures = [var.operators]
}
