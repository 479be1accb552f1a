package main

import (
	"net/http"
	"net/netip"
	"testing"

	"tollgate/localrun/estate"
	"tollgate/shared/contract"
)

// In the local run every call comes from this machine, which no list lets in.
func TestASampleIsOfAnAPIThatLetsThisMachineIn(t *testing.T) {
	operations := []contract.PlannedOperation{
		{ID: "list", Template: contract.Template{Method: "GET", Segments: []contract.Segment{{Literal: "x"}}}, Allow: &contract.Allow{Roles: []string{"Reader"}}},
		{ID: "make", Template: contract.Template{Method: "POST", Segments: []contract.Segment{{Literal: "x"}}}, Allow: &contract.Allow{Roles: []string{"Writer"}}},
	}
	listed := contract.PlannedAPI{Name: "listed", Operations: operations, Addresses: contract.AddressList{Deny: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}
	open := contract.PlannedAPI{Name: "open", Operations: operations}
	allowed, refused := samples(&contract.Plan{APIs: []contract.PlannedAPI{listed, open}})
	if allowed == nil || refused == nil || allowed.token.API != "open" || refused.token.API != "open" {
		t.Errorf("got %+v and %+v, want two calls of the API without a list", allowed, refused)
	}
	if allowed, refused = samples(&contract.Plan{Addresses: listed.Addresses, APIs: []contract.PlannedAPI{open}}); allowed != nil || refused != nil {
		t.Errorf("got %+v and %+v where the gateway has a list, want none", allowed, refused)
	}
}

func TestTheGreetingUsesUpALimitThatAKeyOpens(t *testing.T) {
	get := contract.PlannedOperation{Template: contract.Template{Method: http.MethodGet, Segments: []contract.Segment{{Literal: "rates"}, {}}}, Key: contract.KeyAlone}
	plan := &contract.Plan{
		APIs:     []contract.PlannedAPI{{Name: "rates", Operations: []contract.PlannedOperation{get}}},
		Products: []contract.PlannedProduct{{Name: "free", APIs: []string{"rates"}}, {Name: "partner", APIs: []string{"rates"}, Limits: []contract.PlannedLimit{{Name: "daily"}}}},
	}
	s := &stage{flags: upFlags{run: "other.json"}, local: &estate.Local{Plan: plan}}
	want := `  KEY=$(bin/tollgate keys create --product partner --owner me --run other.json)
  bin/tollgate call GET /rates/42 --anonymous --key $KEY --run other.json
  bin/tollgate usage --run other.json
`
	if got := s.keyed(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	plan.Products = plan.Products[:1]
	if got := s.keyed(); got != "" {
		t.Errorf("got %s where no product has limits", got)
	}
}
