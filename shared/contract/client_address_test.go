package contract_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate/shared/contract"
)

func TestFaultsOfAddressesNameTheirPlaceAndTheRemedy(t *testing.T) {
	gateway := func(lines string) []string {
		return []string{"gateway.yaml", "claimsContract: 1", "claimsContract: 1\n" + lines}
	}
	listed := func(lists string) []string { return gateway("clientAddress: { source: host }\naddresses: " + lists) }
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"unknown source":          {gateway("clientAddress: { source: guess }"), `gateway.yaml:4:26: error: "guess" is not one of host, forwarded, frontDoor`},
		"no source":               {gateway("clientAddress: { hops: 1 }"), `gateway.yaml:4:16: error: "source" is missing`},
		"hops of the host":        {gateway("clientAddress: { source: host, hops: 1 }"), `gateway.yaml:4:38: error: is for the source forwarded`},
		"no hops":                 {gateway("clientAddress: { source: forwarded, hops: 0 }"), `gateway.yaml:4:43: error: must be at least 1`},
		"too many hops":           {gateway("clientAddress: { source: forwarded, hops: 17 }"), `gateway.yaml:4:43: error: is over 16`},
		"forwarded":               {gateway("clientAddress: { source: forwarded }"), `gateway.yaml:4:26: warning: the Functions host in proxy mode discards`},
		"front door without id":   {gateway("clientAddress: { source: frontDoor }"), `gateway.yaml:4:26: error: frontDoor is believed only under the profile's id, and environments/prod.yaml binds none`},
		"id without front door":   {[]string{"environments/prod.yaml", "backend:", "frontDoorId: 11111111-1111-1111-1111-111111111111\nbackend:"}, `environments/prod.yaml:3:1: warning: no contract takes it`},
		"id that is no GUID":      {[]string{"environments/prod.yaml", "backend:", "frontDoorId: mine\nbackend:"}, `environments/prod.yaml:3:14: error: "mine" must match`},
		"a list without source":   {gateway("addresses: { deny: [203.0.113.7] }"), `gateway.yaml:4:12: error: the gateway doesn't say where a caller's address is read from`},
		"an API's without source": {[]string{"orders.yaml", "owner: o", "owner: o\naddresses: { deny: [203.0.113.7] }"}, `orders.yaml:4:12: error: the gateway doesn't say`},
		"host bits":               {listed("{ allow: [203.0.113.7/24] }"), `gateway.yaml:5:22: error: "203.0.113.7/24" has bits set beyond its length; the network is 203.0.113.0/24`},
		"IPv4 in IPv6 form":       {listed("{ allow: [\"::ffff:203.0.113.0/120\"] }"), `gateway.yaml:5:22: error: "::ffff:203.0.113.0/120" is an IPv4 network in IPv6 form; write 203.0.113.0/24`},
		"address in IPv6 form":    {listed("{ deny: [\"::ffff:203.0.113.7\"] }"), `gateway.yaml:5:21: error: "::ffff:203.0.113.7" is an IPv4 network in IPv6 form; write 203.0.113.7/32`},
		"a zone":                  {listed("{ deny: [\"fe80::1%eth0\"] }"), `gateway.yaml:5:21: error: "fe80::1%eth0" is neither an address nor a network`},
		"a name":                  {listed("{ deny: [office.example] }"), `gateway.yaml:5:21: error: "office.example" is neither an address nor a network`},
		"a range":                 {listed("{ deny: [203.0.113.1-203.0.113.9] }"), `gateway.yaml:5:21: error: "203.0.113.1-203.0.113.9" is neither`},
		"private and allowed":     {listed("{ allow: [10.1.0.0/16] }"), `gateway.yaml:5:22: error: 10.1.0.0/16 lies in the private network 10.0.0.0/8: behind the Functions host such an address is the platform's own`},
		"private and denied":      {listed("{ deny: [\"fd00::/8\"] }"), `gateway.yaml:5:21: error: fd00::/8 lies in the private network fc00::/7, and private addresses are refused wherever there is a list`},
		"twice":                   {listed("{ allow: [203.0.113.7, 203.0.113.7/32] }"), `gateway.yaml:5:35: error: 203.0.113.7/32 overlaps 203.0.113.7/32 of the same list`},
		"overlapping":             {listed("{ allow: [203.0.113.0/24, 203.0.113.128/25] }"), `gateway.yaml:5:38: error: 203.0.113.128/25 overlaps 203.0.113.0/24 of the same list`},
		"an empty list":           {listed("{ allow: [] }"), `gateway.yaml:5:21: error: is an empty list`},
		"guard without budget":    {gateway("floodGuard: { refused: 0 }"), `gateway.yaml:4:24: error: must be at least 1`},
		"guard of a day":          {gateway("floodGuard: { window: 24h }"), `gateway.yaml:4:23: error: 24h0m0s is not from 1s to 1h`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestAPlanHoldsAddressesParsed(t *testing.T) {
	e, faults := contract.Load(estate("gateway.yaml", "claimsContract: 1", "claimsContract: 1\nclientAddress: { source: frontDoor }\naddresses: { deny: [203.0.113.7] }\nfloodGuard: { refused: 7 }",
		"orders.yaml", "owner: o", "owner: o\naddresses: { allow: [0.0.0.0/0, \"2001:db8::/32\"] }",
		"environments/prod.yaml", "backend:", "frontDoorId: 0A1B2C3D-0000-4000-8000-00000000F00D\nbackend:"))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p, faults := e.Plan("prod")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	equal := cmpopts.EquateComparable(netip.Prefix{})
	if diff := cmp.Diff(contract.AddressList{Deny: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}, Rule: "gateway.addresses"}, p.Addresses, equal); diff != "" {
		t.Error(diff)
	}
	allow := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2001:db8::/32")}
	if diff := cmp.Diff(contract.AddressList{Allow: allow, Rule: "addresses"}, p.APIs[0].Addresses, equal); diff != "" {
		t.Error(diff)
	}
	if want := (contract.ClientSource{Source: "frontDoor", FrontDoorID: "0A1B2C3D-0000-4000-8000-00000000F00D"}); p.ClientAddress != want {
		t.Errorf("got %+v, want %+v", p.ClientAddress, want)
	}
	if want := (contract.GuardLimit{Refused: 7, Window: contract.DefaultWindow}); p.FloodGuard != want {
		t.Errorf("got %+v, want %+v", p.FloodGuard, want)
	}
	for rule, want := range map[string]string{"gateway.addresses": "gateway.yaml", "addresses": "orders.yaml"} {
		if file, line := p.Place("orders", rule); file != want || line == 0 {
			t.Errorf("got %s at %s:%d, want it in %s", rule, file, line, want)
		}
	}
}
