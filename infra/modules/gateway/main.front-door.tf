locals {
  front_door     = var.inbound.front_door == null ? [] : [var.inbound.front_door]
  managed_rules  = try(var.inbound.front_door.sku_name, "") == "Premium_AzureFrontDoor"
  edge_domain    = var.inbound.front_door == null ? null : var.custom_domain
  edge_domain_id = one(azurerm_cdn_frontdoor_custom_domain.gateway[*].id)
}

resource "azurerm_cdn_frontdoor_profile" "gateway" {
  count = length(local.front_door)

  name                     = "${var.name}-fd"
  resource_group_name      = var.resource_group_name
  sku_name                 = local.front_door[0].sku_name
  response_timeout_seconds = 240 # the platform's own limit for an answer to begin is 230
  tags                     = var.tags
}

resource "azurerm_cdn_frontdoor_endpoint" "gateway" {
  count = length(local.front_door)

  name                     = var.name
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.gateway[0].id
  tags                     = var.tags
}

# No health probe: there is one origin, so nothing would follow from it, and
# probes from every edge would keep instances awake.
resource "azurerm_cdn_frontdoor_origin_group" "gateway" {
  count = length(local.front_door)

  name                     = "gateway"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.gateway[0].id
  session_affinity_enabled = false

  load_balancing {}
}

resource "azurerm_cdn_frontdoor_origin" "gateway" {
  count = length(local.front_door)

  name                           = "gateway"
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.gateway[0].id
  host_name                      = azurerm_function_app_flex_consumption.gateway.default_hostname
  origin_host_header             = azurerm_function_app_flex_consumption.gateway.default_hostname
  certificate_name_check_enabled = true
}

# HTTPS only, without a redirect: a caller that begins in the clear has sent its
# token before it is told.
resource "azurerm_cdn_frontdoor_route" "gateway" {
  count = length(local.front_door)

  name                            = "gateway"
  cdn_frontdoor_endpoint_id       = azurerm_cdn_frontdoor_endpoint.gateway[0].id
  cdn_frontdoor_origin_group_id   = azurerm_cdn_frontdoor_origin_group.gateway[0].id
  cdn_frontdoor_origin_ids        = [azurerm_cdn_frontdoor_origin.gateway[0].id]
  cdn_frontdoor_custom_domain_ids = local.edge_domain == null ? [] : [local.edge_domain_id]
  patterns_to_match               = ["/*"]
  supported_protocols             = ["Https"]
  forwarding_protocol             = "HttpsOnly"
  https_redirect_enabled          = false
  link_to_default_domain          = local.edge_domain == null
}

resource "azurerm_cdn_frontdoor_custom_domain" "gateway" {
  count = local.edge_domain == null ? 0 : 1

  name                     = replace(local.edge_domain.hostname, ".", "-")
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.gateway[0].id
  host_name                = local.edge_domain.hostname

  tls {
    certificate_type = "ManagedCertificate"
    minimum_version  = "TLS12"
  }
}

resource "azurerm_cdn_frontdoor_custom_domain_association" "gateway" {
  count = length(azurerm_cdn_frontdoor_custom_domain.gateway)

  cdn_frontdoor_custom_domain_id = azurerm_cdn_frontdoor_custom_domain.gateway[0].id
  cdn_frontdoor_route_ids        = [azurerm_cdn_frontdoor_route.gateway[0].id]
}

resource "azurerm_cdn_frontdoor_firewall_policy" "gateway" {
  count = length(local.front_door)

  name                       = replace("${var.name}-waf", "-", "")
  resource_group_name        = var.resource_group_name
  sku_name                   = local.front_door[0].sku_name
  mode                       = "Prevention"
  request_body_check_enabled = true
  tags                       = var.tags

  custom_rule {
    name                           = "OneAddressTooOften"
    type                           = "RateLimitRule"
    action                         = "Block"
    priority                       = 100
    rate_limit_duration_in_minutes = 1
    rate_limit_threshold           = local.front_door[0].requests_per_minute

    match_condition {
      match_variable = "SocketAddr" # the caller's own address, which no header changes
      operator       = "IPMatch"
      match_values   = ["0.0.0.0/0", "::/0"]
    }
  }

  dynamic "managed_rule" {
    for_each = local.managed_rules ? { Microsoft_DefaultRuleSet = "2.1", Microsoft_BotManagerRuleSet = "1.1" } : {}
    content {
      type    = managed_rule.key
      version = managed_rule.value
      action  = "Block"
    }
  }
}

resource "azurerm_cdn_frontdoor_security_policy" "gateway" {
  count = length(local.front_door)

  name                     = "waf"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.gateway[0].id

  security_policies {
    firewall {
      cdn_frontdoor_firewall_policy_id = azurerm_cdn_frontdoor_firewall_policy.gateway[0].id

      association {
        patterns_to_match = ["/*"]

        domain {
          cdn_frontdoor_domain_id = local.edge_domain == null ? azurerm_cdn_frontdoor_endpoint.gateway[0].id : local.edge_domain_id
        }
      }
    }
  }
}
