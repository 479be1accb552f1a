package gateway

import (
	"cmp"
	"slices"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/revocation"
	"tollgate/shared/token"
)

// State is what the gateway knows of its parts at this moment. Nobody is asked
// for it.
type State struct {
	OK          bool // at least one operation's calls would not all be refused
	KeySets     []token.KeySetState
	CacheHits   int64 // tokens that were verified before
	CacheMisses int64
	Store       *StoreState       // nil: there is none, or nothing is known of it
	Revocation  *revocation.State // nil: likewise
	Sinks       []audit.State
}

// StoreState is what is known of the store.
type StoreState struct {
	Asked   bool          // since the start
	Known   bool          // it has answered
	Answer  time.Duration // since it did last
	Failing bool          // it didn't when it was asked last
}

// State tells it.
func (g *Gateway) State() State {
	s := State{KeySets: g.trust.KeySets(), Sinks: audit.States(g.parts.Events, g.parts.Now())}
	s.CacheHits, s.CacheMisses = g.trust.Lookups()
	if g.plan.Store != nil && g.parts.Store != nil {
		store := g.parts.Store()
		s.Store = &store
	}
	if g.revocations != nil {
		list := g.revocations.State()
		s.Revocation = &list
	}
	s.OK = g.some(s)
	return s
}

// some tells whether any operation's calls would not all be refused. An outage
// that a contract lets calls pass in is none.
func (g *Gateway) some(s State) bool {
	full := slices.ContainsFunc(s.Sinks, func(o audit.State) bool { return o.Full })
	if full && !g.plan.Audit.Allow {
		return false
	}
	cut := s.Revocation != nil && !s.Revocation.Usable
	for _, api := range g.plan.APIs {
		trusted := slices.ContainsFunc(s.KeySets, func(k token.KeySetState) bool {
			return k.Usable && slices.ContainsFunc(api.Accepts, func(a contract.Accepted) bool { return a.Issuer.Issuer == k.Issuer })
		})
		keys := s.Store.knowsKeys(api.Keys.MaxStale)
		for _, op := range api.Operations {
			switch {
			case op.Allow == nil: // public
				return true
			case cut, !trusted && op.Key != contract.KeyAlone, !keys && (op.Key == contract.KeyAlone || op.Key == contract.KeyAnd):
			default:
				return true
			}
		}
	}
	return len(g.plan.APIs) == 0
}

// knowsKeys: a key that was looked up may be used for as long as maxStale, whatever
// became of the store since. Once that is over, or the store never answered, no key
// can be judged.
func (s *StoreState) knowsKeys(maxStale time.Duration) bool {
	return s == nil || !s.Failing || s.Known && s.Answer < cmp.Or(maxStale, contract.DefaultKeyStale)
}
