package planned_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
)

const plan = `{"format_version": "1.2",
	"configuration": {"root_module": {"module_calls": {"estate": {"source": "../../modules/estate", "module": {"module_calls": {
		"api": {"source": "../entra-api", "module": {}}}}}}}},
	"resource_changes": [
		{"address": "module.estate.module.api[\"a.b[\\\"c\\\"]\"].azuread_application.this[0]", "module_address": "module.estate.module.api[\"a.b[\\\"c\\\"]\"]",
		 "mode": "managed", "type": "azuread_application", "name": "this", "index": 0,
		 "change": {"actions": ["create"], "before": null, "after": {"api": [{"x": [1, "two"]}]}, "after_unknown": {"id": true, "api": [{"y": true, "z": {}}]}}},
		{"address": "data.azuread_client_config.this", "mode": "data", "type": "azuread_client_config", "name": "this", "change": {"actions": ["read"]}},
		{"address": "module.lost[3].a_b.c", "module_address": "module.lost[3]", "mode": "managed", "type": "a_b", "name": "c", "index": "k",
		 "change": {"actions": ["delete", "create"], "before": {}, "after": {}}}]}`

func TestAResourceKnowsTheModulesItIsInAndWhatIsUndecided(t *testing.T) {
	var p tfjson.Plan
	if err := json.Unmarshal([]byte(plan), &p); err != nil {
		t.Fatal(err)
	}
	all := planned.Of(&p)
	if len(all) != 2 {
		t.Fatalf("got %d resources, want the two that are managed", len(all))
	}
	want := []planned.Module{{Call: "estate", Source: "estate"}, {Call: "api", Source: "entra-api", Key: `a.b["c"]`}}
	c := &all[0]
	if d := cmp.Diff(want, c.Modules); d != "" || c.In("entra-api").Key != `a.b["c"]` || c.In("entra-client") != nil || c.Key != "" {
		t.Errorf("modules: %s", d)
	}
	for at, want := range map[string]bool{"id": true, "api.0.y": true, "api.0.y.deeper": true, "api.0.z": false, "api.0.x": false, "none": false} {
		if got := c.Undecided(at); got != want {
			t.Errorf("undecided at %s: got %t, want %t", at, got, want)
		}
	}
	if c.WillText("api.0.x.1") != "two" || c.Will("api.7") != nil || c.Will("api.x") != nil || c.Was("api") != nil || !c.Created() {
		t.Errorf("got %v", c.After)
	}
	if all[1].Key != "k" || !all[1].Replaced() || all[1].Modules[0] != (planned.Module{Call: "lost"}) {
		t.Errorf("got %+v", all[1])
	}
}

func TestAudiencesThatAValidatorMayTakeForOneAreOne(t *testing.T) {
	for _, uri := range []string{"api://T/Orders", "api://t/orders/", " api://t/orders// "} {
		if got := planned.SameAudience(uri); got != "api://t/orders" {
			t.Errorf("%q: got %q", uri, got)
		}
	}
	if planned.SameAudience("api://t/orders") == planned.SameAudience("api://t/orders2") {
		t.Error("two audiences became one")
	}
}
