package forward

import (
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/shared/contract"
)

// restFor is how long a target that couldn't be reached is passed over, where
// there is another and no breaker decides.
const restFor = 5 * time.Second

// mask is a set of targets; a contract has 32 at the most.
type mask uint64

// target is one address, and what this instance knows of it.
type target struct {
	url     *url.URL
	base    string // its own path, without a slash at the end
	rule    string
	bit     mask
	breaker *breaker // nil: none

	weight, turn int // see targets.next
	restsUntil   time.Time
}

// targets are taken in turn by weight.
type targets struct {
	now     func() time.Time
	resting bool // whether an unreachable one rests
	mu      sync.Mutex
	all     []*target
}

func newTargets(p contract.PlannedBackend, now func() time.Time) *targets {
	ts := &targets{now: now, resting: p.Breaker == nil && p.Retries > 0 && len(p.Targets) > 1}
	for i, t := range p.Targets {
		ts.all = append(ts.all, &target{
			url: t.URL, base: baseOf(t), rule: t.Rule, bit: 1 << i, weight: max(t.Weight, 1), breaker: newBreaker(p.Breaker, p.Timeout, now),
		})
	}
	return ts
}

// choose takes the next target in turn that wasn't tried and whose breaker lets
// the call through. Nil: there is none.
func (ts *targets) choose(tried mask) (t *target, report func(error)) {
	for t = ts.next(tried); t != nil; t = ts.next(tried) {
		if report, ok := t.breaker.allow(); ok {
			return t, report
		}
		tried |= t.bit
	}
	return nil, nil
}

// next is smooth weighted round robin, as nginx does it: each candidate gains its
// weight, the one with the most is taken and pays what all gained. Shares are
// exact over one round, and no target gets its calls in a row.
func (ts *targets) next(tried mask) *target {
	if len(ts.all) == 1 {
		if tried != 0 {
			return nil
		}
		return ts.all[0]
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.take(func(t *target) bool { return tried&t.bit == 0 && !ts.rests(t) }); t != nil {
		return t
	}
	return ts.take(func(t *target) bool { return tried&t.bit == 0 }) // one that rests is better than none
}

func (ts *targets) take(may func(*target) bool) (best *target) {
	total := 0
	for _, t := range ts.all {
		if !may(t) {
			continue
		}
		t.turn += t.weight
		total += t.weight
		if best == nil || t.turn > best.turn {
			best = t
		}
	}
	if best != nil {
		best.turn -= total
	}
	return best
}

func (ts *targets) rests(t *target) bool { return ts.resting && ts.now().Before(t.restsUntil) }

// rest passes over a target that couldn't be reached.
func (ts *targets) rest(t *target) {
	if !ts.resting {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t.restsUntil = ts.now().Add(restFor)
}

// opensIn is how long it takes until the first open breaker lets a call through.
func (ts *targets) opensIn() time.Duration {
	first := time.Duration(-1)
	for _, t := range ts.all {
		if t.breaker == nil {
			continue
		}
		if wait := time.Unix(0, t.breaker.until.Load()).Sub(ts.now()); first < 0 || wait < first {
			first = max(wait, 0)
		}
	}
	return max(first, time.Second) // a half-open one is being tried
}

// places bound the calls under way.
type places struct {
	most  int64 // 0: any number
	taken *atomic.Int64
}

func newPlaces(most int) places { return places{int64(most), new(atomic.Int64)} }

func (p places) take() bool {
	if p.taken.Add(1) <= p.most || p.most == 0 {
		return true
	}
	p.taken.Add(-1)
	return false
}

func (p places) leave() { p.taken.Add(-1) }
