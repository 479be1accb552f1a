package contract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

func TestGrantsAreWhatCallsMayUse(t *testing.T) {
	e, faults := contract.Load(estate(
		"orders.yaml", "scopes: [ {", "scopes: [ { name: Orders.Idle, consent: user }, {",
		"orders.yaml", "roles: [ {", "roles: [ { name: Clerk }, { name: Idle }, {",
		"orders.yaml", "operations:", "operations:\n  - { id: change, match: \"PUT /{id}\", allow: { scopes: [Orders.Read], userRoles: [Clerk], roles: [Clerk] } }\n  - { id: health, match: \"GET /health\", public: true }",
	))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p, faults := e.Plan("prod")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p.Clients = []contract.PlannedClient{{ID: "c-1"}, {}} // the second has no id here
	p.Products = []contract.PlannedProduct{{Name: "partner"}}
	want := []contract.Grant{
		{Kind: "operation", API: "orders", Name: "change"},
		{Kind: "scope", API: "orders", Name: "Orders.Read", Operation: "change", Principal: "user"},
		{Kind: "role", API: "orders", Name: "Clerk", Operation: "change", Principal: "application"},
		{Kind: "role", API: "orders", Name: "Clerk", Operation: "change", Principal: "user"},
		{Kind: "operation", API: "orders", Name: "health"},
		{Kind: "operation", API: "orders", Name: "get"},
		{Kind: "scope", API: "orders", Name: "Orders.Read", Operation: "get", Principal: "user"},
		{Kind: "role", API: "orders", Name: "DataReader", Operation: "get", Principal: "application"},
		{Kind: "scope", API: "orders", Name: "Orders.Idle"},
		{Kind: "role", API: "orders", Name: "Idle"},
		{Kind: "client", Name: "c-1"},
		{Kind: "product", Name: "partner"},
	}
	if diff := cmp.Diff(want, p.Grants()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
