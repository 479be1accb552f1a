# The vault: who reads, who is kept out, what can't be undone.

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

run "roles_alone_give_access" {
  command = plan

  assert {
    condition     = azurerm_key_vault.vault.rbac_authorization_enabled
    error_message = "access policies decide, and whoever may write the vault may write those"
  }

  assert {
    condition     = !azurerm_key_vault.vault.enabled_for_deployment && !azurerm_key_vault.vault.enabled_for_disk_encryption && !azurerm_key_vault.vault.enabled_for_template_deployment
    error_message = "a deployment reads secrets without a role"
  }
}

run "what_is_deleted_can_be_had_back" {
  command = plan

  assert {
    condition     = azurerm_key_vault.vault.purge_protection_enabled
    error_message = "whoever deletes a secret can end it for good"
  }

  assert {
    condition     = azurerm_key_vault.vault.soft_delete_retention_days == 90
    error_message = "what is deleted is gone sooner than it could be"
  }
}

run "purge_protection_is_off_where_asked" {
  command = plan

  variables {
    purge_protection = false
  }

  assert {
    condition     = azurerm_key_vault.vault.purge_protection_enabled == false
    error_message = "an environment to throw away can't be thrown away"
  }
}

run "there_is_no_public_side" {
  command = plan

  assert {
    condition     = azurerm_key_vault.vault.public_network_access_enabled == false
    error_message = "the vault has a public side"
  }

  assert {
    condition     = azurerm_key_vault.vault.network_acls[0].default_action == "Deny" && azurerm_key_vault.vault.network_acls[0].bypass == "None"
    error_message = "once the public side is on, somebody is let in"
  }

  assert {
    condition     = one(azurerm_private_endpoint.vault[*].private_service_connection[0].subresource_names) == tolist(["vault"]) && one(azurerm_private_endpoint.vault[*].private_dns_zone_group[0].private_dns_zone_ids) == tolist([var.private_endpoint.zone_id])
    error_message = "the gateway can't reach the vault"
  }
}

run "the_public_side_lets_in_whom_it_names" {
  command = plan

  variables {
    private_endpoint = null
    network = {
      public_access = true
      addresses     = ["203.0.113.0/24"]
      subnet_ids    = ["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/gateway"]
    }
  }

  assert {
    condition     = azurerm_key_vault.vault.public_network_access_enabled && azurerm_key_vault.vault.network_acls[0].default_action == "Deny" && azurerm_key_vault.vault.network_acls[0].bypass == "None"
    error_message = "every network is let in, or services of Azure are"
  }

  assert {
    condition     = azurerm_key_vault.vault.network_acls[0].ip_rules == toset(["203.0.113.0/24"]) && azurerm_key_vault.vault.network_acls[0].virtual_network_subnet_ids == toset(var.network.subnet_ids)
    error_message = "whoever is named isn't let in, or others are"
  }

  assert {
    condition     = length(azurerm_private_endpoint.vault) == 0
    error_message = "a private endpoint is paid for that nobody asked for"
  }
}

run "services_of_azure_are_let_in_where_asked" {
  command = plan

  variables {
    network = { public_access = true, addresses = ["203.0.113.0/24"], trusted_services = true }
  }

  assert {
    condition     = azurerm_key_vault.vault.network_acls[0].bypass == "AzureServices"
    error_message = "they aren't"
  }
}

run "each_may_do_what_it_is_named_for" {
  command = plan

  variables {
    readers  = { gateway = "88888888-8888-8888-8888-888888888888" }
    signers  = { gateway = "88888888-8888-8888-8888-888888888888" }
    officers = { platform = "99999999-9999-9999-9999-999999999999" }
  }

  assert {
    condition     = toset([for k, a in azurerm_role_assignment.vault : a.role_definition_name if a.principal_id == "88888888-8888-8888-8888-888888888888"]) == toset(["Key Vault Secrets User", "Key Vault Crypto User"])
    error_message = "the gateway may do other things than read secrets and sign"
  }

  assert {
    condition     = toset([for k, a in azurerm_role_assignment.vault : a.role_definition_name if a.principal_id == "99999999-9999-9999-9999-999999999999"]) == toset(["Key Vault Secrets Officer", "Key Vault Crypto Officer", "Key Vault Certificates Officer"])
    error_message = "officers can't put in what the gateway reads, or do more"
  }
}

run "nobody_has_a_role_unasked" {
  command = plan

  assert {
    condition     = length(azurerm_role_assignment.vault) == 0
    error_message = "somebody has a role"
  }
}

run "who_asked_for_what_is_logged" {
  command = plan

  variables {
    diagnostics = { workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs" }
  }

  assert {
    condition     = contains([for l in azurerm_monitor_diagnostic_setting.vault[0].enabled_log : l.category], "AuditEvent")
    error_message = "who read a secret leaves no trace"
  }
}
