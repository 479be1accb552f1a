package address

import (
	"context"
	"net/netip"
	"slices"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Admit is the stage that lets calls come only from where the lists say, each of
// which must agree. Wherever there is a list, an address that is unknown or
// private is refused: it could be anyone's.
func Admit(lists ...contract.AddressList) pipeline.Stage {
	var compiled []list
	for _, l := range lists {
		if !l.Empty() {
			compiled = append(compiled, list{sorted(l.Allow), sorted(l.Deny), l.Rule})
		}
	}
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		for _, l := range compiled {
			if facts, refuses := l.refuses(c.Client); refuses {
				return refused(l.rule).Knowing(facts)
			}
		}
		return nil
	}
}

// refused carries no challenge: no token would help.
func refused(rule string) *refusal.Refusal {
	r := refusal.New(refusal.Forbidden, "address_not_allowed", "Calls from this address are not allowed.").By(rule)
	r.Challenge = nil
	return r
}

type list struct {
	allow, deny networks
	rule        string
}

// refuses tells why, too: a private address is told as an unknown one, as it may be anyone's.
func (l list) refuses(a netip.Addr) (why refusal.Facts, yes bool) {
	switch {
	case contract.Private(a):
		return refusal.Facts{}, true
	case l.deny.hold(a):
		return refusal.Facts{Address: a, Blocked: true}, true
	case len(l.allow) > 0 && !l.allow.hold(a):
		return refusal.Facts{Address: a}, true
	}
	return refusal.Facts{}, false
}

// networks are in order, and none overlaps another: contract.Check saw to it.
type networks []netip.Prefix

func sorted(ps []netip.Prefix) networks {
	return slices.SortedFunc(slices.Values(ps), func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
}

// hold: only the last network that begins at or before the address can hold it.
func (n networks) hold(a netip.Addr) bool {
	i, found := slices.BinarySearchFunc(n, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return found || i > 0 && n[i-1].Contains(a)
}
