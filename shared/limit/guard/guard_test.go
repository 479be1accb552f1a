package guard

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

const (
	bad      = "401 bad_signature"
	tooMany  = "429 too_many_refused"
	attacker = "203.0.113.7"
)

func TestAFloodFromOneAddressCostsItsBudgetAndTheLane(t *testing.T) {
	s := newStand()
	if got := s.flood(t, attacker, 10_000); got[bad] != budget+lane || got[tooMany] != 10_000-budget-lane {
		t.Errorf("got %v, want %d refused and the others too many", got, budget+lane)
	}
	if s.verified != budget+lane {
		t.Errorf("got %d signature checks, want %d", s.verified, budget+lane)
	}
	s.clock.at += time.Second
	if got := s.flood(t, attacker, 10_000); got[bad] != lane {
		t.Errorf("got %v in the next second, want %d refused", got, lane)
	}
	r := s.stage(t.Context(), call(attacker, "bad"))
	if r.RetryAfter != time.Second || r.Challenge != nil || r.Rule != "gateway.floodGuard" {
		t.Errorf("got %+v, want Retry-After 1, no challenge, and the rule", r)
	}
}

func TestAVerifiedTokenPassesDuringTheFlood(t *testing.T) {
	s := newStand()
	assertVerdict(t, s.send(t, attacker, "good and known"), "granted")
	s.flood(t, attacker, 10_000)
	for range 1000 {
		assertVerdict(t, s.send(t, attacker, "good and known"), "granted")
	}
	assertVerdict(t, s.send(t, attacker, ""), "401 token_missing")
}

func TestANewTokenGetsInThroughTheLane(t *testing.T) {
	s := newStand()
	s.flood(t, attacker, 10_000)
	assertVerdict(t, s.send(t, attacker, "good but new"), tooMany)
	s.clock.at += time.Second
	s.flood(t, attacker, lane-1)
	assertVerdict(t, s.send(t, attacker, "good but new"), "granted")
	s.flood(t, attacker, 1000)
	assertVerdict(t, s.send(t, attacker, "good but new"), "granted") // known from now on
}

func TestAnotherAddressIsUntouched(t *testing.T) {
	s := newStand()
	s.flood(t, attacker, 10_000)
	for _, from := range []string{"203.0.113.8", "2001:db8::1", "", "10.0.0.1"} {
		assertVerdict(t, s.send(t, from, "bad"), bad)
		assertVerdict(t, s.send(t, from, "good from "+from), "granted")
	}
}

func TestTheBudgetComesBackAfterTheWindow(t *testing.T) {
	s := newStand()
	s.flood(t, attacker, 1000)
	s.clock.at += time.Minute
	for i := range lane + 10 { // more than the lane takes
		assertVerdict(t, s.send(t, attacker, fmt.Sprintf("good %d", i)), "granted")
	}
	if _, left, _ := s.refused.Get(t.Context(), s.only(t)); left != budget {
		t.Errorf("got a budget of %d left, want all %d: looking at it costs nothing", left, budget)
	}
	if got := s.flood(t, attacker, 1000); got[bad] != budget+lane {
		t.Errorf("got %v, want %d refused", got, budget+lane)
	}
}

// only is the one bucket that an address has taken from.
func (s *stand) only(t *testing.T) string {
	t.Helper()
	for key := range maps.Keys(s.refused.data) {
		if key != everybody {
			return key
		}
	}
	t.Fatal("no bucket was taken from")
	return ""
}

func TestOnlyRefusedCredentialsCount(t *testing.T) {
	s := newStand()
	for range 10 * budget {
		s.send(t, attacker, "")
		s.send(t, attacker, "outage")
		s.send(t, attacker, "good one")
	}
	assertVerdict(t, s.send(t, attacker, "bad"), bad)
	// The guard's own refusals don't count: a minute after the last that was verified, all is well.
	s.flood(t, attacker, 10*budget)
	s.clock.at += time.Minute
	if got := s.flood(t, attacker, budget); got[bad] != budget {
		t.Errorf("got %v, want the whole budget", got)
	}
}

func TestAnIPv6CallerIsItsNetwork(t *testing.T) {
	s := newStand()
	for i := range 1000 {
		s.send(t, fmt.Sprintf("2001:db8:0:1::%x", i), fmt.Sprintf("bad %d", i))
	}
	assertVerdict(t, s.send(t, "2001:db8:0:1:ffff::1", "bad"), tooMany)
	assertVerdict(t, s.send(t, "2001:db8:0:2::1", "bad"), bad)
}

// Unknown and private addresses share a hundred budgets and lanes.
func TestTheCrowdSharesALargeBudget(t *testing.T) {
	s := newStand()
	froms := []string{"", "10.0.0.1", "127.0.0.1", "fd00::1", "100.64.0.9"}
	got := map[string]int{}
	for i := range 20_000 {
		got[s.send(t, froms[i%len(froms)], fmt.Sprintf("bad %d", i))]++
	}
	if got[bad] != crowd*(budget+lane) {
		t.Errorf("got %v, want %d refused", got, crowd*(budget+lane))
	}
	assertVerdict(t, s.send(t, attacker, "bad"), bad)
}

func TestAMillionAddressesTakeBoundedMemory(t *testing.T) {
	verify := func(context.Context, *pipeline.Call) *refusal.Refusal {
		return refusal.New(refusal.Unauthenticated, "bad_signature", "No.")
	}
	known := func(context.Context, *pipeline.Call) bool { return false }
	g := New(contract.GuardLimit{})
	stage := g.Around(known, verify)
	before := heap()
	names := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	c := call("", "bad")
	for i := range 1_000_000 {
		c.Client = netip.AddrFrom4([4]byte{byte(32 + random.IntN(64)), byte(i >> 16), byte(i >> 8), byte(i)})
		names[g.bucket(c.Client)] = true
		stage(t.Context(), c)
	}
	grown := heap() - before
	if len(names) > buckets || len(names) < buckets/2 {
		t.Errorf("got %d buckets, want some %d and no more", len(names), buckets)
	}
	if grown > 32<<20 {
		t.Errorf("the guard grew by %d bytes, want it under 32 MiB", grown)
	}
	t.Logf("a million addresses: %d buckets, %d KiB", len(names), grown>>10)
	runtime.KeepAlive(g)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What a granted call pays for the guard, beside a stage that does nothing.
func BenchmarkGrantedCall(b *testing.B) {
	nothing := func(context.Context, *pipeline.Call) *refusal.Refusal { return nil }
	known := func(context.Context, *pipeline.Call) bool { return true }
	g := New(contract.GuardLimit{})
	for _, from := range []string{"203.0.113.8", "2001:db8::1", ""} {
		g.refused.Take(b.Context(), g.bucket(call(from, "").Client)) // its bucket exists
	}
	run := func(name string, stage pipeline.Stage, from string) {
		b.Run(name, func(b *testing.B) {
			c := call(from, "good")
			b.ReportAllocs()
			for b.Loop() {
				stage(b.Context(), c)
			}
		})
	}
	run("unguarded", nothing, attacker)
	run("address that never failed", g.Around(known, nothing), attacker)
	run("address that failed once", g.Around(known, nothing), "203.0.113.8")
	run("IPv6", g.Around(known, nothing), "2001:db8::1")
	run("unknown", g.Around(known, nothing), "")
}
