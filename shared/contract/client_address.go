package contract

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// The sources of ClientAddress.
const (
	SourceHost      = "host"
	SourceForwarded = "forwarded"
	SourceFrontDoor = "frontDoor"
	SourceEvent     = "event"
)

// ClientSource is ClientAddress, bound.
type ClientSource struct {
	Source      string // one of the sources; "" where the address is unknown
	Hops        int    // with forwarded: the entry from the right, from 1
	FrontDoorID string // with frontDoor: what X-Azure-FDID must be
}

// AddressList is Addresses, parsed. No network of a list lies within another of it.
type AddressList struct {
	Allow, Deny []netip.Prefix
	Rule        string // by which a refusal names it
}

// GuardLimit is FloodGuard, with its defaults.
type GuardLimit struct {
	Refused int
	Window  time.Duration
}

// maxHops: a longer chain of one's own proxies is a mistake in the contract.
const maxHops = 16

// maxRefused: a guard that lets more through in an hour guards nothing.
const maxRefused = 100_000

var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), // RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),                                 // carrier-grade NAT (RFC 6598); Azure uses it inside its platform
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), // loopback
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"), // link-local
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("::/128"), // unspecified, and "this network" (RFC 1122 §3.2.1.3)
	netip.MustParsePrefix("fc00::/7"),                                       // unique local (RFC 4193)
	netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("ff00::/8"), // multicast: nobody's own
	netip.MustParsePrefix("255.255.255.255/32"), netip.MustParsePrefix("fec0::/10"), // broadcast; site-local (RFC 3879)
}

// Private tells an address that many callers could have: that of a private
// network, of the platform or of this machine, or none at all. Nothing may be
// granted or counted by it as if it were one caller's.
func Private(a netip.Addr) bool {
	return !a.IsValid() || slices.ContainsFunc(privateNetworks, func(p netip.Prefix) bool { return p.Contains(a) })
}

func (g *Gateway) checkAddress(d *document) {
	switch c := g.ClientAddress; {
	case c.Hops != 0 && c.Source != SourceForwarded:
		d.fault("clientAddress.hops", "is for the source forwarded; remove it")
	case c.Hops > maxHops:
		d.fault("clientAddress.hops", "is over %d", maxHops)
	case c.Source == SourceForwarded:
		d.warn("clientAddress.source", "the Functions host in proxy mode discards the caller's X-Forwarded-For chain; behind it, use host or frontDoor. forwarded is for other front ends")
	}
	if g.FloodGuard.Refused > maxRefused {
		d.fault("floodGuard.refused", "is over %d; the guard would never act", maxRefused)
	}
	if w := time.Duration(g.FloodGuard.Window); w < time.Second || w > time.Hour {
		d.fault("floodGuard.window", "%s is not from 1s to 1h", w)
	}
	g.Addresses.check(d, g)
}

func (g *Gateway) setAddressDefaults() {
	if g.ClientAddress.Source == SourceForwarded && g.ClientAddress.Hops == 0 {
		g.ClientAddress.Hops = 1
	}
	if g.FloodGuard.Refused == 0 {
		g.FloodGuard.Refused = DefaultRefused
	}
	orElse(&g.FloodGuard.Window, DefaultWindow)
}

func (a Addresses) check(d *document, g *Gateway) {
	if len(a.Allow)+len(a.Deny) > 0 && g.ClientAddress.Source == "" {
		d.fault("addresses", "the gateway doesn't say where a caller's address is read from, so every call would be refused; add clientAddress: to the Gateway")
	}
	for list, entries := range map[string][]string{"allow": a.Allow, "deny": a.Deny} {
		var seen []netip.Prefix
		for i, entry := range entries {
			at := fmt.Sprintf("addresses.%s.%d", list, i)
			p, why := parseNetwork(entry)
			if why != "" {
				d.fault(at, "%q %s", entry, why)
				continue
			}
			for _, other := range seen {
				if other.Overlaps(p) {
					d.fault(at, "%s overlaps %s of the same list; keep the wider one", p, other)
				}
			}
			seen = append(seen, p)
			if of, private := privateNetwork(p); private && list == "allow" {
				d.fault(at, "%s lies in the private network %s: behind the Functions host such an address is the platform's own, so every caller would have it", p, of)
			} else if private {
				d.fault(at, "%s lies in the private network %s, and private addresses are refused wherever there is a list; remove the line", p, of)
			}
		}
	}
}

// parseNetwork reads an address or a network; why tells what is wrong with it.
func parseNetwork(s string) (p netip.Prefix, why string) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return p, "is neither an address nor a network such as 203.0.113.0/24 or 2001:db8::/32"
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	switch a := p.Addr(); {
	case a.Is4In6() && p.Bits() >= 96:
		return p, fmt.Sprintf("is an IPv4 network in IPv6 form; write %s", netip.PrefixFrom(a.Unmap(), p.Bits()-96).Masked())
	case a.Is4In6(), p.Masked() != p:
		return p, fmt.Sprintf("has bits set beyond its length; the network is %s", p.Masked())
	}
	return p, ""
}

// privateNetwork is the private network that all of p lies in.
func privateNetwork(p netip.Prefix) (netip.Prefix, bool) {
	i := slices.IndexFunc(privateNetworks, func(of netip.Prefix) bool { return of.Bits() <= p.Bits() && of.Contains(p.Addr()) })
	if i < 0 {
		return netip.Prefix{}, false
	}
	return privateNetworks[i], true
}

// list parses what check found right.
func (a Addresses) list(rule string) AddressList {
	out := AddressList{Rule: rule}
	for _, entry := range a.Allow {
		p, _ := parseNetwork(entry)
		out.Allow = append(out.Allow, p)
	}
	for _, entry := range a.Deny {
		p, _ := parseNetwork(entry)
		out.Deny = append(out.Deny, p)
	}
	return out
}

// Empty tells that the list rules nothing.
func (l AddressList) Empty() bool { return len(l.Allow)+len(l.Deny) == 0 }

// bindAddresses binds what the gateway says of callers' addresses.
func (b *binder) bindAddresses(d *document, p *Plan) {
	g := &b.estate.Gateway
	p.ClientAddress = ClientSource{Source: g.ClientAddress.Source, Hops: g.ClientAddress.Hops}
	p.Addresses = g.Addresses.list("gateway.addresses")
	p.FloodGuard = GuardLimit{g.FloodGuard.Refused, time.Duration(g.FloodGuard.Window)}
	switch {
	case g.ClientAddress.Source == SourceFrontDoor && b.env.FrontDoorID == "":
		d.fault("clientAddress.source", "frontDoor is believed only under the profile's id, and %s binds none; add frontDoorId:", b.env.doc.file)
	case g.ClientAddress.Source == SourceFrontDoor:
		p.ClientAddress.FrontDoorID = b.env.FrontDoorID
	case b.env.FrontDoorID != "":
		b.envDoc.warn("frontDoorId#", "no contract takes it; it is for the gateway's clientAddress: { source: frontDoor }")
	}
}
