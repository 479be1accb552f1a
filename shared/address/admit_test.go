package address_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"tollgate/shared/address"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

func nets(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s) // "" is unknown
	return a
}

func TestAddressesAreAdmittedAsTheListsSay(t *testing.T) {
	gateway := contract.AddressList{Deny: nets("203.0.113.64/26"), Rule: "gateway.addresses"}
	api := contract.AddressList{Allow: nets("198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "192.0.2.1/32"), Deny: nets("198.51.100.7/32"), Rule: "addresses"}
	stage := address.Admit(gateway, api)
	for client, rule := range map[string]string{
		"198.51.100.0": "", "198.51.100.255": "", "203.0.113.63": "", "203.0.113.128": "", "2001:db8:ffff::1": "", "192.0.2.1": "",
		"203.0.113.64": "gateway.addresses", "203.0.113.127": "gateway.addresses", // what one list denies, no other allows
		"198.51.100.7": "addresses", "192.0.2.2": "addresses", "192.0.2.0": "addresses", "198.51.101.0": "addresses", "2001:db9::": "addresses", "8.8.8.8": "addresses",
		"": "gateway.addresses", "10.0.0.1": "gateway.addresses", "127.0.0.1": "gateway.addresses", "::1": "gateway.addresses", "fd00::1": "gateway.addresses",
		"169.254.1.1": "gateway.addresses", "fe80::1": "gateway.addresses", "100.64.0.1": "gateway.addresses", "0.0.0.0": "gateway.addresses", "::": "gateway.addresses",
	} {
		got := stage(t.Context(), &pipeline.Call{Client: addr(client)})
		switch {
		case rule == "" && got != nil:
			t.Errorf("%s: got %s by %s, want it admitted", client, got.Code, got.Rule)
		case rule != "" && (got == nil || got.Code != "address_not_allowed" || got.Rule != rule || got.Kind.Status() != 403):
			t.Errorf("%s: got %+v, want it refused by %s", client, got, rule)
		case got != nil && got.Challenge != nil:
			t.Errorf("%s: got the challenge %+v, want none: no token would help", client, got.Challenge)
		}
	}
}

func TestWithoutAListEveryAddressIsAdmitted(t *testing.T) {
	for _, client := range []string{"", "10.0.0.1", "8.8.8.8"} {
		if got := address.Admit(contract.AddressList{})(t.Context(), &pipeline.Call{Client: addr(client)}); got != nil {
			t.Errorf("%q: got %s, want it admitted", client, got.Code)
		}
	}
}

// many is n networks /24 with a gap after each.
func many(n int) (out []netip.Prefix) {
	for i := range n {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x20000000+uint32(i)<<9)
		out = append(out, netip.PrefixFrom(netip.AddrFrom4(b), 24))
	}
	return out
}

// The search agrees with asking each network, next to every edge.
func TestTheSearchFindsWhatAskingEachNetworkFinds(t *testing.T) {
	list := contract.AddressList{Allow: append(many(300), nets("2001:db8::/48", "2001:db8:2::/48")...)}
	slices.Reverse(list.Allow)
	stage := address.Admit(list)
	for _, p := range list.Allow {
		first, beyond := p.Addr(), p.Addr()
		for p.Contains(beyond) && beyond.Is4() {
			beyond = beyond.Next()
		}
		for _, a := range []netip.Addr{first, first.Prev(), first.Next(), beyond} {
			want := slices.ContainsFunc(list.Allow, func(p netip.Prefix) bool { return p.Contains(a) })
			if got := stage(t.Context(), &pipeline.Call{Client: a}) == nil; got != want {
				t.Errorf("%s: got admitted %v, want %v", a, got, want)
			}
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	for _, n := range []int{1, 300} {
		b.Run(map[int]string{1: "1 network", 300: "300 networks"}[n], func(b *testing.B) {
			stage := address.Admit(contract.AddressList{Allow: many(n)})
			call := &pipeline.Call{Client: addr("32.0.0.7")}
			b.ReportAllocs()
			for b.Loop() {
				if stage(b.Context(), call) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}
