# The storage account: keys of subscriptions, limits, revocations, the package.

mock_provider "azurerm" {}

variables {
  name                = "contoso-gateway-dev"
  location            = "westeurope"
  resource_group_name = "contoso-gateway-dev"
  environment         = "dev"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"
}

run "shared_keys_are_off" {
  command = plan

  assert {
    condition     = azurerm_storage_account.gateway.shared_access_key_enabled == false && azurerm_storage_account.gateway.default_to_oauth_authentication
    error_message = "whoever has the account's key is let in"
  }

  assert {
    condition     = azurerm_storage_account.gateway.local_user_enabled == false
    error_message = "users with passwords can be made"
  }
}

run "only_tls_1_2_over_https" {
  command = plan

  assert {
    condition     = azurerm_storage_account.gateway.https_traffic_only_enabled && azurerm_storage_account.gateway.min_tls_version == "TLS1_2"
    error_message = "the account takes calls in the clear, or an old TLS"
  }
}

run "nothing_is_public" {
  command = plan

  assert {
    condition     = azurerm_storage_account.gateway.allow_nested_items_to_be_public == false && azurerm_storage_container.package.container_access_type == "private"
    error_message = "the package can be made readable by everyone"
  }

  assert {
    condition     = azurerm_storage_account.gateway.cross_tenant_replication_enabled == false && azurerm_storage_account.gateway.allowed_copy_scope == "AAD"
    error_message = "what is kept can be copied out of the tenant"
  }
}

run "all_networks_but_the_gateways_are_denied" {
  command = plan

  assert {
    condition     = azurerm_storage_account.gateway.network_rules[0].default_action == "Deny"
    error_message = "every network is let in"
  }

  assert {
    condition     = azurerm_storage_account.gateway.network_rules[0].bypass == toset(["None"])
    error_message = "other services of Azure are let in"
  }

  assert {
    condition     = azurerm_storage_account.gateway.network_rules[0].virtual_network_subnet_ids == toset([var.subnet_id]) && length(azurerm_storage_account.gateway.network_rules[0].ip_rules) == 0
    error_message = "others than the gateway's subnet are let in"
  }
}

run "encrypted_twice_and_kept_a_while_when_deleted" {
  command = plan

  assert {
    condition     = azurerm_storage_account.gateway.infrastructure_encryption_enabled
    error_message = "one layer of encryption is all there is"
  }

  assert {
    condition     = one(azurerm_storage_account.gateway.blob_properties[0].delete_retention_policy[*].days) == 14 && one(azurerm_storage_account.gateway.blob_properties[0].container_delete_retention_policy[*].days) == 14
    error_message = "a deleted package is gone"
  }
}

run "with_private_endpoints_there_is_no_public_side" {
  command = plan

  variables {
    inbound = { deployers = ["203.0.113.7/32"] }
    private_endpoints = {
      subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/endpoints"
      zone_ids = {
        blob  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
        table = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.table.core.windows.net"
        sites = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.azurewebsites.net"
        queue = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.queue.core.windows.net"
      }
    }
  }

  assert {
    condition     = azurerm_storage_account.gateway.public_network_access_enabled == false
    error_message = "the account has a public side beside its private one"
  }

  assert {
    condition     = length(azurerm_storage_account.gateway.network_rules[0].virtual_network_subnet_ids) == 0 && length(azurerm_storage_account.gateway.network_rules[0].ip_rules) == 0
    error_message = "once the public side is on again, somebody is let in"
  }

  assert {
    condition     = toset([for p in azurerm_private_endpoint.storage : one(p.private_service_connection[0].subresource_names)]) == toset(["blob", "table", "queue"])
    error_message = "the gateway can't reach all of it"
  }

  assert {
    condition     = alltrue([for service, p in azurerm_private_endpoint.storage : p.private_dns_zone_group[0].private_dns_zone_ids == tolist([var.private_endpoints.zone_ids[service]])])
    error_message = "a name leads to the wrong address"
  }
}
