package summary_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
	"tollgate/infra/summary"
	"tollgate/infra/terraform"
	mirror "tollgate/tests/terraform"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, s *summary.Summary) {
	t.Helper()
	var b strings.Builder
	s.Write(&b)
	name = filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || b.String() != string(want) {
		t.Errorf("%s: got\n%s\nwant (%v)\n%s", name, &b, err, want)
	}
}

// states are the estate's variables, one apply after the other.
var states = []struct{ name, variables string }{
	{"first", `{
		"apis": {
			"orders": {"scopes": ["Orders.Read"], "roles": ["DataReader"]},
			"payments": {"scopes": [], "roles": ["Payments.Create"]},
			"rates": {"scopes": [], "roles": ["Rates.Read"]}
		},
		"clients": {"shop": {"orders": {"scopes": ["Orders.Read"], "roles": ["DataReader"]}}},
		"endpoints": {"vault": "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"}
	}`},
	{"changed", `{
		"apis": {
			"orders": {"scopes": ["Orders.Read"], "roles": ["DataReader", "DataWriter"]},
			"payments": {"scopes": [], "roles": ["Payments.Create"], "assignment_required": false}
		},
		"clients": {
			"shop": {"orders": {"scopes": ["Orders.Read"], "roles": ["DataReader", "DataWriter"]}},
			"billing-batch": {"payments": {"roles": ["Payments.Create"]}, "orders": {"roles": ["DataWriter"]}}
		},
		"endpoints": {"vault": "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"}
	}`},
	{"gone", `{
		"apis": {"orders": {"scopes": [], "roles": ["DataReader"]}},
		"clients": {"shop": {"orders": {"roles": ["DataReader"]}}},
		"endpoints": {}
	}`},
}

func TestAPlanIsToldToSomebodyWhoDoesNotKnowTerraform(t *testing.T) {
	o := terraform.Options{
		Environ: mirror.Env(t), Infra: "testdata/estate", Environment: "dev", Folder: filepath.Join(t.TempDir(), "dev"),
	}
	lock := "testdata/estate/environments/dev/.terraform.lock.hcl"
	t.Cleanup(func() { _ = os.Remove(lock) })
	for i, s := range states {
		o.Variables = []byte(s.variables)
		w, err := terraform.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		plan, _, err := w.Plan(t.Context(), terraform.Create)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, s.name, summary.Of(plan, summary.Facts{Environment: "dev"}))
		if i < len(states)-1 {
			err = w.Apply(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
}

func TestAPlanWithoutChangesSaysSo(t *testing.T) {
	golden(t, "nothing", summary.Of(read(t, `{"format_version": "1.2"}`), summary.Facts{Environment: "dev"}))
}

func read(t *testing.T, text string) *tfjson.Plan {
	t.Helper()
	var plan tfjson.Plan
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		t.Fatal(err)
	}
	return &plan
}

func TestWhatContractsUseCountsAsAffected(t *testing.T) {
	plan := read(t, `{"format_version": "1.2", "resource_changes": [{
		"address": "azuread_application.orders", "mode": "managed", "type": "azuread_application", "name": "orders",
		"change": {"actions": ["update"],
			"before": {"display_name": "orders", "app_role": []},
			"after": {"display_name": "orders", "app_role": [{"value": "DataWriter", "id": "1", "enabled": true}]}}}]}`)
	s := summary.Of(plan, summary.Facts{Environment: "prod", Uses: []planned.Use{
		{Client: "shop", API: "orders", Roles: []string{"DataWriter"}}, {Client: "batch", API: "orders", Roles: []string{"DataWriter"}},
	}})
	if len(s.Changes) != 1 || s.Changes[0].String() != "orders: role DataWriter added, 2 clients affected (batch, shop)" {
		t.Errorf("got %v", s.Changes)
	}
}

// Azure makes a saved search anew for each change of its text, and a new API changes one.
func TestAQueryThatIsMadeAnewIsNotToldAsALoss(t *testing.T) {
	plan := read(t, `{"format_version": "1.2", "resource_changes": [{
		"address": "azurerm_log_analytics_saved_search.this[\"unused\"]", "mode": "managed", "type": "azurerm_log_analytics_saved_search", "name": "this", "index": "unused",
		"change": {"actions": ["delete", "create"], "before": {"query": "a"}, "after": {"query": "b"}}}]}`)
	s := summary.Of(plan, summary.Facts{Environment: "prod"})
	if len(s.Destroyed) != 0 || s.Small != 1 || s.Counts.Replace != 1 {
		t.Errorf("got %+v, want one small change", s)
	}
}

func TestWhatOthersChangedIsTold(t *testing.T) {
	plan := read(t, `{"format_version": "1.2", "resource_drift": [{
		"address": "azurerm_key_vault.this", "mode": "managed", "type": "azurerm_key_vault", "name": "this",
		"change": {"actions": ["update"],
			"before": {"name": "kv", "public_network_access_enabled": false},
			"after": {"name": "kv", "public_network_access_enabled": true}}}]}`)
	s := summary.Of(plan, summary.Facts{Environment: "prod"})
	if len(s.Outside) != 1 || s.Outside[0].String() != "other: Key Vault kv was changed (public_network_access_enabled)" || s.Nothing {
		t.Errorf("got %v", s.Outside)
	}
}

func TestNoValueOfASensitiveAttributeIsTold(t *testing.T) {
	plan := read(t, `{"format_version": "1.2", "resource_changes": [{
		"address": "azurerm_storage_account.this", "mode": "managed", "type": "azurerm_storage_account", "name": "this",
		"change": {"actions": ["update"],
			"before": {"name": "st", "primary_access_key": "hush-1"},
			"after": {"name": "st", "primary_access_key": "hush-2"},
			"before_sensitive": {"primary_access_key": true}, "after_sensitive": {"primary_access_key": true}}}]}`)
	s := summary.Of(plan, summary.Facts{Environment: "prod"})
	text, err := json.Marshal(s)
	if err != nil || strings.Contains(string(text), "hush") || !strings.Contains(string(text), "primary_access_key") {
		t.Errorf("got %s, %v, want the name and not the value", text, err)
	}
}

func TestWhatChangesWithinAQuietResourceIsTold(t *testing.T) {
	for name, c := range map[string]struct{ kind, before, after, want string }{
		"where a name leads": {"azurerm_private_dns_a_record", `{"name": "orders", "records": ["10.30.0.17"]}`, `{"name": "orders", "records": ["10.30.0.99"]}`, "changed (records)"},
		"more without consent": {"azuread_application_pre_authorized", `{"permission_ids": ["a"]}`, `{"permission_ids": ["a", "b"]}`,
			"aren't asked for consent to orders, now for 2 scopes instead of 1"},
	} {
		var plan tfjson.Plan
		text := `{"format_version": "1.2", "resource_changes": [{"address": "` + c.kind + `.this[\"orders\"]", "mode": "managed", "type": "` + c.kind + `", "name": "this", "index": "orders",
			"change": {"actions": ["update"], "before": ` + c.before + `, "after": ` + c.after + `}}]}`
		if err := json.Unmarshal([]byte(text), &plan); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		summary.Of(&plan, summary.Facts{}).Write(&b)
		if !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: got\n%s\nwant %q in it", name, &b, c.want)
		}
	}
}
