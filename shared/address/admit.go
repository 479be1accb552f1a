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
			if !l.admits(c.Client) {
				return refused(l.rule)
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

func (l list) admits(a netip.Addr) bool {
	return !contract.Private(a) && !l.deny.hold(a) && (len(l.allow) == 0 || l.allow.hold(a))
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
