package limit

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Stores are where calls are counted.
type Stores struct {
	Shared Store // by all instances together; nil: it can't be asked
	Local  Store // by this one, where a contract says so during an outage
}

// Set is all limits of a plan, compiled once, so that a product's are one
// wherever they are spent.
type Set struct {
	stores   Stores
	bounds   map[string]*bound // by scope and name: an API's limit is one, whichever operation is called
	products map[string][]*bound
	optional map[string]string // by API: the product that calls without a key are served under
}

// bound is one limit on its way to the store.
type bound struct {
	*Rule
	share *Rule  // what this instance lets through by itself; nil if the contract doesn't say so
	item  string // of RateLimit-Policy
}

// NewSet compiles the products' limits.
func NewSet(plan *contract.Plan, stores Stores) *Set {
	s := &Set{stores: stores, bounds: map[string]*bound{}, products: map[string][]*bound{}, optional: map[string]string{}}
	for _, p := range plan.Products {
		s.products[p.Name] = s.bind(p.Limits)
		for _, api := range p.APIs {
			if p.Optional {
				s.optional[api] = p.Name
			}
		}
	}
	return s
}

func (s *Set) bind(limits []contract.PlannedLimit) []*bound {
	var out []*bound
	for _, l := range limits {
		name := l.Scope + "\x00" + l.Name
		b := s.bounds[name]
		if b == nil {
			b = &bound{Rule: NewRule(l)}
			if l.Outage == contract.OutageLocal {
				b.share = b.Share(l.LocalShare)
			}
			b.item = b.policy()
			s.bounds[name] = b
		}
		out = append(out, b)
	}
	return out
}

// policy is the limit as an item of RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-10 §3). A month has no one length, and
// total none.
func (b *bound) policy() string {
	item := strconv.Quote(b.Name) + ";q=" + strconv.FormatInt(b.Amount, 10)
	if b.Period != contract.PeriodMonth && b.Period != contract.PeriodTotal {
		item += ";w=" + strconv.FormatInt(b.seconds(), 10)
	}
	if b.Bytes {
		item += `;qu="content-bytes"`
	}
	return item
}

// Spend is the stage that debits a call of the operation from each limit that
// concerns it. A call that one of them refuses costs the others nothing. nil
// where there is none.
func (s *Set) Spend(api contract.PlannedAPI, op contract.PlannedOperation) pipeline.Stage {
	own := s.bind(op.Limits)
	sp := &spender{Set: s, own: own, api: api.Name, weight: op.Weight}
	any := len(own) > 0
	for _, p := range api.Products {
		any = any || len(s.products[p]) > 0
	}
	if !any {
		return nil
	}
	return sp.stage
}

type spender struct {
	*Set
	own    []*bound
	api    string
	weight int64
}

// spent is what one limit gave a call.
type spent struct {
	*bound
	store Store
	grant Grant
	n     int64
}

func (s *spender) stage(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
	var room [4]spent
	all := room[:0]
	for _, limits := range [2][]*bound{s.own, s.product(c)} {
		for _, b := range limits {
			got, refused := s.one(ctx, c, b)
			if refused != nil {
				giveBack(ctx, all)
				return refused
			}
			if got.store != nil {
				all = append(all, got)
			}
		}
	}
	correctLater(c, all)
	return nil
}

// product is the limits of the product that the call is made under.
func (s *spender) product(c *pipeline.Call) []*bound {
	if c.Subscription != nil {
		return s.products[c.Subscription.Product]
	}
	return s.products[s.optional[s.api]]
}

// values lends room for what calls are counted by.
var values = sync.Pool{New: func() any { b := make([]byte, 0, 256); return &b }}

// one asks for what the call costs by one limit.
func (s *spender) one(ctx context.Context, c *pipeline.Call, b *bound) (spent, *refusal.Refusal) {
	room := values.Get().(*[]byte)
	defer values.Put(room)
	value, missing := b.value((*room)[:0], c)
	*room = value[:0]
	if missing != "" {
		return spent{}, b.keyless(c, missing)
	}
	got := spent{bound: b, store: s.stores.Shared, n: s.weight}
	if b.Bytes {
		got.n = 1 // the rest once it is known
	}
	key := Key{Rule: b.Rule, Value: value}
	if c.Subscription != nil {
		key.Since = c.Subscription.Started
	}
	if got.store == nil {
		return s.outage(ctx, c, got, key, errNoStore)
	}
	grant, err := got.store.Take(ctx, key, got.n)
	if err != nil {
		return s.outage(ctx, c, got, key, err)
	}
	got.grant = grant
	return got, b.judge(c, grant)
}

// judge says what the store's answer means for the call.
func (b *bound) judge(c *pipeline.Call, g Grant) *refusal.Refusal {
	if b.Shadow {
		if !g.OK {
			c.Marks = append(c.Marks, "limit_shadow:"+b.Name)
		}
		return nil
	}
	c.Left(pipeline.Left{Policy: b.item, Name: b.Name, Units: g.Left, Reset: g.Reset})
	if g.OK {
		return nil
	}
	return b.exceeded(g.Reset)
}

// exceeded is the refusal of a limit that is used up.
func (b *bound) exceeded(reset time.Duration) *refusal.Refusal {
	code, again := "rate_exceeded", " Try again later."
	switch {
	case b.Quota && b.Bytes:
		code = "bandwidth_exceeded"
	case b.Quota:
		code = "quota_exceeded"
	}
	if b.Period == contract.PeriodTotal {
		again = ""
	}
	r := refusal.New(refusal.TooMany, code, fmt.Sprintf("The limit %q is used up.%s", b.Name, again)).By(b.PlannedLimit.Rule).Retry(reset)
	r.Violated = b.Name
	return r
}

// keyless refuses a call that has nothing the limit could count it by.
func (b *bound) keyless(c *pipeline.Call, what string) *refusal.Refusal {
	if b.Shadow {
		c.Marks = append(c.Marks, "limit_shadow:"+b.Name)
		return nil
	}
	kind := refusal.Forbidden
	if what == contract.PerHeader {
		kind = refusal.Malformed
	}
	r := refusal.New(kind, "limit_key_missing", fmt.Sprintf("The limit %q counts calls by something that this one doesn't have (%s).", b.Name, what)).By(b.PlannedLimit.Rule)
	r.Challenge = nil // no other token helps where the issuer doesn't send the claim
	return r
}
