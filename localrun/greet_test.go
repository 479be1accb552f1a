package main

import (
	"net/netip"
	"testing"

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
