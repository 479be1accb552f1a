package token

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"tollgate/shared/contract"
)

// H140: what is cached is that a text was signed by a key, and nothing that may change.
func TestH140ACachedTokenIsJudgedAnew(t *testing.T) {
	t.Run("expires while it is cached", func(t *testing.T) {
		s := start(t)
		tok := s.mint(t, appsToken("v2"))
		assertVerdict(t, presentToken(t, s.stage, tok), "granted")
		s.clock.pass(freshFor / 2)
		assertVerdict(t, presentToken(t, s.stage, tok), "granted")
		s.clock.pass(2 * freshFor)
		assertVerdict(t, presentToken(t, s.stage, tok), "401 token_expired")
	})
	t.Run("its key leaves the key set", func(t *testing.T) {
		p := newIDP(rsaK1().jwk(), rsaK2().jwk())
		stage, tok := p.stage(), rsaK1().valid(t)
		assertVerdict(t, presentToken(t, stage, tok), "granted")
		p.publish(rsaK2().jwk())
		p.clock.pass(forcedEvery)
		assertVerdict(t, presentToken(t, stage, tok), "granted") // nobody has asked yet
		assertVerdict(t, presentToken(t, stage, newRSA("k9", 2048).valid(t)), "401 unknown_key")
		assertVerdict(t, presentToken(t, stage, tok), "401 unknown_key")
	})
	t.Run("its kid is given new material", func(t *testing.T) {
		p := newIDP(rsaK1().jwk())
		stage, tok := p.stage(), rsaK1().valid(t)
		assertVerdict(t, presentToken(t, stage, tok), "granted")
		p.publish(rsaK2().named("k1").jwk())
		assertVerdict(t, presentToken(t, stage, rsaK2().named("k1").valid(t)), "granted")
		p.clock.pass(forcedEvery)
		assertVerdict(t, presentToken(t, stage, tok), "401 bad_signature")
	})
	t.Run("an unchanged key that is fetched again verifies nothing twice", func(t *testing.T) {
		p := newIDP(rsaK1().jwk())
		trust := NewTrust(planOf([]string{"RS256"}, p.trusted()), p, p.clock.Now, Options{})
		stage := trust.Verify([]contract.Accepted{{Issuer: p.trusted(), Audiences: []string{ordersID}}}, contract.Proof{})
		tok := rsaK1().valid(t)
		assertVerdict(t, presentToken(t, stage, tok), "granted")
		before := trust.verified.get(tok)
		if _, err := trust.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.clock.pass(freshFor / 2)
		if _, err := trust.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		assertVerdict(t, presentToken(t, stage, tok), "granted")
		if trust.verified.get(tok) != before || before == nil {
			t.Error("the token was verified again")
		}
	})
}

// H139: one cache for all APIs must not carry a verdict from one to another.
func TestH139ACachedTokenIsNoGoodElsewhere(t *testing.T) {
	s := start(t)
	tok := s.mint(t, appsToken("v2"))
	assertVerdict(t, presentToken(t, s.stage, tok), "granted")
	other := s.trust.Verify([]contract.Accepted{{Issuer: s.v2(home), Audiences: []string{stockID}}}, contract.Proof{})
	assertVerdict(t, presentToken(t, other, tok), "401 wrong_audience")
	elsewhere := s.trust.Verify([]contract.Accepted{{Issuer: s.v2(foreign), Audiences: []string{ordersID}}}, contract.Proof{})
	assertVerdict(t, presentToken(t, elsewhere, tok), "401 issuer_not_trusted")
}

func TestARefusedTokenIsNotCached(t *testing.T) {
	s := start(t)
	for _, tok := range []string{
		s.mint(t, with(appsToken("v2"), one("aud", stockID))),
		s.mint(t, with(appsToken("v2"), one("exp", 1))),
		s.mint(t, with(appsToken("v2"), one("cnf", map[string]any{"jkt": "x"}))),
	} {
		presentToken(t, s.stage, tok)
		if s.trust.verified.get(tok) != nil {
			t.Error("a refused token is in the cache")
		}
	}
}

func TestAByteMoreOrLessIsAnotherToken(t *testing.T) {
	s := start(t)
	tok := s.mint(t, appsToken("v2"))
	assertVerdict(t, presentToken(t, s.stage, tok), "granted")
	for _, other := range []string{tok + "A", tok[:len(tok)-1], " " + tok, tok + "=", tok + "."} {
		if got := presentToken(t, s.stage, other); got == "granted" {
			t.Errorf("granted with %d bytes instead of %d", len(other), len(tok))
		}
	}
}

// H142: distinct valid tokens, many more than fit. TOLLGATE_TOKENS=1000000 in make prove.
func TestH142TheCacheStaysWithinItsBound(t *testing.T) {
	total := 20_000
	if n, err := strconv.Atoi(os.Getenv("TOLLGATE_TOKENS")); err == nil {
		total = n
	}
	key := ecK()
	p := newIDP(key.jwk())
	trust := NewTrust(planOf([]string{"ES256"}, p.trusted()), p, p.clock.Now, Options{})
	stage := trust.Verify([]contract.Accepted{{Issuer: p.trusted(), Audiences: []string{ordersID}}}, contract.Proof{})
	base := heap()
	for i := range total {
		tok := key.token(t, key.header(), strings.Replace(claimsText(), "{", fmt.Sprintf(`{"n":%d,`, i), 1))
		if got := presentToken(t, stage, tok); got != "granted" {
			t.Fatalf("token %d: %s", i, got)
		}
	}
	grown := heap() - base
	t.Logf("%d distinct tokens: %d kept, %d bytes of text, heap grown by %d bytes", total, len(trust.verified.entries), trust.verified.size, grown)
	if trust.verified.size > maxCached || len(trust.verified.entries) != trust.verified.order.Len() {
		t.Errorf("got %d bytes in %d entries, want at most %d", trust.verified.size, len(trust.verified.entries), maxCached)
	}
	if grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes, want under 64 MiB", grown)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
