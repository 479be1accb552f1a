// Package guard holds a flood of refused credentials down to what it may cost,
// without ever locking out a caller who shares an address with it.
//
// Refused credentials are counted by address. Beyond its budget, an address is
// not blocked: credentials that were verified before pass as always, for they
// cost a look-up; ones never seen take turns in a slow lane, for each costs a
// signature check. It is the only home of go-limiter.
package guard

import (
	"context"
	"hash/maphash"
	"net/netip"
	"time"

	"github.com/sethvargo/go-limiter"
	"github.com/sethvargo/go-limiter/memorystore"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

const (
	// lane is how many new credentials are verified in a second for an address
	// over its budget: 20 signature checks take about a thousandth of a core.
	lane = 20
	// crowd is how many callers are reckoned to stand behind an address that is
	// unknown or private: together they have that many budgets and lanes.
	crowd = 100
	// buckets bounds what is remembered, whoever calls from wherever. Addresses
	// that fall into one bucket share a budget.
	buckets = 1 << 16
	// everybody is the bucket of unknown and private addresses.
	everybody = "everybody"
)

// Guard counts refused credentials in this process.
type Guard struct {
	refused, slow limiter.Store // budget by address; turns in the lane
	seed          maphash.Seed  // nobody can tell which addresses share a bucket
	names         string        // the buckets' names, two bytes each
}

// New is a guard with this budget; contract's defaults where it has none.
func New(limit contract.GuardLimit) *Guard {
	if limit.Refused == 0 {
		limit = contract.GuardLimit{Refused: contract.DefaultRefused, Window: contract.DefaultWindow}
	}
	return on(memory(limit.Refused, limit.Window), memory(lane, time.Second), limit)
}

// memory never purges: its keys are bounded, and purging would take a goroutine
// that a frozen function doesn't run.
func memory(tokens int, window time.Duration) limiter.Store {
	s, _ := memorystore.New(&memorystore.Config{Tokens: uint64(tokens), Interval: window, InitialAlloc: 64, DisablePurge: true}) // no configuration fails
	return s
}

func on(refused, slow limiter.Store, limit contract.GuardLimit) *Guard {
	ctx := context.Background()
	_ = refused.Set(ctx, everybody, uint64(crowd*limit.Refused), limit.Window) // fails only once it is closed, as Get does below
	_ = slow.Set(ctx, everybody, crowd*lane, time.Second)
	names := make([]byte, 0, 2*buckets)
	for i := range buckets {
		names = append(names, byte(i>>8), byte(i))
	}
	return &Guard{refused: refused, slow: slow, seed: maphash.MakeSeed(), names: string(names)}
}

// Around is the stage verify behind the guard. known tells that judging the
// call's credential costs no signature check.
func (g *Guard) Around(known func(context.Context, *pipeline.Call) bool, verify pipeline.Stage) pipeline.Stage {
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		key := g.bucket(c.Client)
		if g.over(ctx, key) && !known(ctx, c) && !takes(ctx, g.slow, key) {
			return refusal.New(refusal.TooMany, "too_many_refused", "Too many refused credentials came from this address; new ones are taken slowly for a while. Try again.").
				By("gateway.floodGuard").Retry(time.Second)
		}
		r := verify(ctx, c)
		if r != nil && counts(r) {
			takes(ctx, g.refused, key)
		}
		return r
	}
}

// counts: the refusals that a credential caused. RFC 6750 §3.1: a challenge
// without an error says that none was sent, which proves no ill will and costs nothing.
func counts(r *refusal.Refusal) bool {
	return r.Kind == refusal.Unauthenticated && (r.Challenge == nil || r.Challenge.Error != "")
}

// bucket is where an address is counted: IPv6 by /64, which one caller has to
// itself (RFC 6177 §2), so that it can't rotate through it.
func (g *Guard) bucket(a netip.Addr) string {
	if contract.Private(a) {
		return everybody
	}
	var b [8]byte
	n := 4
	if a.Is4() {
		four := a.As4()
		copy(b[:], four[:])
	} else {
		sixteen := a.As16()
		n = copy(b[:], sixteen[:])
	}
	i := 2 * (maphash.Bytes(g.seed, b[:n]) % buckets)
	return g.names[i : i+2]
}

// over tells whether the bucket's budget is spent. Get says what was left at the
// last Take, even after the window has passed, so a spent one is asked for a
// token, which goes back if there is one again.
func (g *Guard) over(ctx context.Context, key string) bool {
	budget, left, err := g.refused.Get(ctx, key)
	if budget == 0 || left > 0 || err != nil {
		return false // nothing was refused yet; or the store is closed, and then every credential is verified in full
	}
	if takes(ctx, g.refused, key) {
		_ = g.refused.Burst(ctx, key, 1)
		return false
	}
	return true
}

// takes one from the bucket, if there is one.
func takes(ctx context.Context, s limiter.Store, key string) bool {
	_, _, _, ok, err := s.Take(ctx, key)
	return ok || err != nil
}
