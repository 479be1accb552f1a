package infra

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"tollgate/infra/planned"
	"tollgate/infra/prices"
	"tollgate/tests/terraform"
)

// counted are the meters that run whether anybody calls or not, and what one resource adds to each.
var counted = map[string]func(c planned.Change) float64{
	"endpoint": each("azurerm_private_endpoint"),
	"zone":     each("azurerm_private_dns_zone"),
	"nat":      each("azurerm_nat_gateway"),
	"address":  each("azurerm_public_ip"),
	"door":     each("azurerm_cdn_frontdoor_profile"),
	"hub":      sum("azurerm_eventhub_namespace", "capacity"),
	"alert":    rules(false),
	"alert_5m": rules(true),
	"flex_ready": func(c planned.Change) float64 { // GB that are always ready
		return sum(function, "always_ready.0.instance_count")(c) * sum(function, "instance_memory_in_mb")(c) / 1024
	},
}

const function = "azurerm_function_app_flex_consumption"

// unmetered cost nothing, or by what calls use of them alone.
var unmetered = []string{
	"azuread_app_role_assignment", "azuread_application", "azuread_application_certificate", "azuread_application_federated_identity_credential",
	"azuread_application_pre_authorized", "azuread_service_principal", "azuread_service_principal_delegated_permission_grant",
	"azurerm_application_insights", "azurerm_application_insights_workbook", "azurerm_eventhub",
	"azurerm_key_vault", "azurerm_log_analytics_saved_search", "azurerm_log_analytics_workspace", "azurerm_log_analytics_workspace_table_custom_log",
	"azurerm_monitor_action_group", "azurerm_monitor_data_collection_endpoint", "azurerm_monitor_data_collection_rule", "azurerm_monitor_diagnostic_setting",
	"azurerm_monitor_private_link_scope", "azurerm_monitor_private_link_scoped_service", "azurerm_nat_gateway_public_ip_association", "azurerm_network_security_group",
	"azurerm_private_dns_a_record", "azurerm_private_dns_zone_virtual_network_link", "azurerm_resource_group", "azurerm_role_assignment", "azurerm_service_plan",
	"azurerm_storage_account", "azurerm_storage_container", "azurerm_subnet", "azurerm_subnet_nat_gateway_association", "azurerm_subnet_network_security_group_association",
	"azurerm_user_assigned_identity", "azurerm_virtual_network",
}

func TestWhatIsPricedIsWhatIsPlanned(t *testing.T) {
	terraform.Mirror(t)
	book, err := prices.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, priced := range book.Environments {
		t.Run(priced.Name, func(t *testing.T) {
			slot(t)
			all := planned.Of(at(t, priced.Name).plan(t, example(t)))
			for meter, adds := range counted {
				want, metered := 0.0, false
				for _, c := range all {
					want += adds(c)
				}
				got := 0.0
				for _, l := range priced.Fixed {
					if l.Price == meter {
						got, metered = got+quantity(l, "h", "s"), true
					}
				}
				if got != want || metered != (want > 0) {
					t.Errorf("%s: prices.json says %v, the plan has %v", meter, got, want)
				}
			}
			for _, c := range all {
				meters := slices.ContainsFunc([]string{"azurerm_monitor_scheduled_query_rules_alert_v2", function}, func(kind string) bool { return kind == c.Type })
				for _, adds := range counted {
					meters = meters || adds(c) > 0
				}
				if !meters && !slices.Contains(unmetered, c.Type) {
					t.Errorf("%s: nobody has said whether a %s costs anything", c.Address, c.Type)
				}
			}
			used(t, priced, all)
		})
	}
}

// used holds what a million calls are priced by: the size of an instance, and how long events are kept.
func used(t *testing.T, priced prices.Environment, all []planned.Change) {
	t.Helper()
	var memory, days, kept float64
	for _, c := range all {
		memory += sum(function, "instance_memory_in_mb")(c) / 1024
		days += sum("azurerm_log_analytics_workspace", "retention_in_days")(c)
	}
	for _, l := range priced.Million {
		for _, f := range l.Factors {
			switch {
			case f.Of == "GB" && (l.Price == "flex_gbs" || l.Price == "flex_ready_gbs") && f.N != memory:
				t.Errorf("%s: an instance of %v GB, planned %v", l.Price, f.N, memory)
			case f.Of == "months" && l.Price == "kept":
				kept = max(kept, f.N)
			}
		}
	}
	// 31 days are in the price of what comes in; a month is taken as 30.4 days.
	if want := max(0, math.Round((days-31)/30.4*10)/10); kept != want {
		t.Errorf("events are kept for %v days, which is %v months more than are free; prices.json says %v", days, want, kept)
	}
}

func each(kind string) func(planned.Change) float64 {
	return func(c planned.Change) float64 {
		if c.Type == kind {
			return 1
		}
		return 0
	}
}

func sum(kind, at string) func(planned.Change) float64 {
	return func(c planned.Change) float64 {
		if c.Type != kind {
			return 0
		}
		switch n := c.Will(at).(type) {
		case float64:
			return n
		case json.Number:
			f, _ := n.Float64()
			return f
		}
		return 0
	}
}

// rules are those that run: one that is switched off isn't billed.
func rules(often bool) func(planned.Change) float64 {
	return func(c planned.Change) float64 {
		if c.Type == "azurerm_monitor_scheduled_query_rules_alert_v2" && c.Will("enabled") == true && (c.WillText("evaluation_frequency") == "PT5M") == often {
			return 1
		}
		return 0
	}
}

// quantity is the product of a line's factors, but for those of time.
func quantity(l prices.Line, time ...string) float64 {
	product := 1.0
	for _, f := range l.Factors {
		if !slices.Contains(time, f.Of) {
			product *= f.N
		}
	}
	return product
}
