package token

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestNothingIsFetchedBeforeATokenNeedsAKey(t *testing.T) {
	s := start(t)
	fetched := func() int { return s.Fetches()["discovery"] + s.Fetches()["keys"] }
	for range 10 {
		s.trusting("RS256")
	}
	foreigner := usersToken("v2")
	foreigner.Tenant = foreign
	for _, token := range []string{"", "x.y.z", s.mint(t, foreigner)} {
		presentToken(t, s.stage, token)
	}
	if got := fetched(); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
	assertVerdict(t, presentToken(t, s.stage, s.mint(t, usersToken("v2"))), "granted")
	if got := fetched(); got != 2 {
		t.Errorf("got %d requests for the first token, want 2: one issuer's discovery and its keys", got)
	}
	for range 100 {
		presentToken(t, s.stage, s.mint(t, usersToken("v2")))
	}
	if got := fetched(); got != 2 {
		t.Errorf("got %d requests after a hundred tokens, want 2", got)
	}
}

func TestC56AThousandUnknownKidsCauseOneFetchInTheWindow(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	unknown := func(i int) string {
		return b64(fmt.Sprintf(`{"typ":"JWT","alg":"RS256","kid":"random-%d"}`, i)) + "." + b64(claimsText()) + "." + b64(fmt.Sprint("signature", i))
	}
	for i := range 1000 { // in ten seconds
		assertVerdict(t, presentToken(t, stage, unknown(i)), "401 unknown_key")
		p.clock.pass(10 * time.Millisecond)
	}
	if keys, discovery := p.fetches("keys"), p.fetches("discovery"); keys != 2 || discovery != 1 {
		t.Errorf("got %d fetches of keys and %d of discovery, want 2 and 1", keys, discovery)
	}
	p.clock.pass(forcedEvery)
	for i := range 1000 {
		assertVerdict(t, presentToken(t, stage, unknown(i)), "401 unknown_key")
	}
	if got := p.fetches("keys"); got != 3 {
		t.Errorf("got %d fetches of keys a minute later, want 3", got)
	}
}

func TestC56AThousandBadSignaturesCauseOneFetchInTheWindow(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage, valid := p.stage(), rsaK1().valid(t)
	assertVerdict(t, presentToken(t, stage, valid), "granted")
	for i := range 1000 {
		assertVerdict(t, presentToken(t, stage, altered(valid, 2, b64(fmt.Sprint("signature", i)))), "401 bad_signature")
	}
	if got := p.fetches("keys"); got != 2 {
		t.Errorf("got %d fetches of keys, want 2", got)
	}
}

func TestC59TheFirstTokenOfANewKeyIsAccepted(t *testing.T) {
	for _, keepOld := range []bool{true, false} {
		t.Run(fmt.Sprintf("C59 the old key stays published: %t", keepOld), func(t *testing.T) {
			s := start(t)
			assertVerdict(t, presentToken(t, s.stage, s.mint(t, usersToken("v2"))), "granted")
			for round := 1; round <= 2; round++ {
				if _, err := s.Rotate("", keepOld); err != nil {
					t.Fatal(err)
				}
				assertVerdict(t, presentToken(t, s.stage, s.mint(t, usersToken("v2"))), "granted")
				if got := s.Fetches(); got["keys"] != 1+round || got["discovery"] != 1 {
					t.Errorf("got %v, want %d fetches of keys and 1 of discovery", got, 1+round)
				}
				s.clock.pass(forcedEvery)
			}
		})
	}
}

func TestC58AnAttackerCanNotKeepANewKeyOutForMoreThanAMinute(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	noise := rsaK2().named("nobody").valid(t)
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	assertVerdict(t, presentToken(t, stage, noise), "401 unknown_key") // the budget is spent
	p.publish(rsaK1().jwk(), rsaK2().jwk())
	waited := time.Duration(0)
	for presentToken(t, stage, rsaK2().valid(t)) != "granted" {
		presentToken(t, stage, noise) // and spent again as soon as there is any
		p.clock.pass(time.Second)
		if waited += time.Second; waited > 2*forcedEvery {
			t.Fatal("the new key is still kept out")
		}
	}
	if waited > forcedEvery {
		t.Errorf("got a wait of %s, want %s at the most", waited, forcedEvery)
	}
	t.Logf("kept out for %s", waited)
}

func TestAWithdrawnKeyIsForgottenWithinTheHour(t *testing.T) {
	s := start(t)
	old := usersToken("v2")
	old.Lifetime = 10 * time.Hour
	token := s.mint(t, old)
	assertVerdict(t, presentToken(t, s.stage, token), "granted")
	if _, err := s.Rotate("", false); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(freshFor - time.Second)
	assertVerdict(t, presentToken(t, s.stage, token), "granted")
	s.clock.pass(time.Second)
	assertVerdict(t, presentToken(t, s.stage, token), "401 unknown_key")
}

func TestAWithdrawnKeyIsForgottenAtOnceWhenANewOneArrives(t *testing.T) {
	s := start(t)
	token := s.mint(t, usersToken("v2"))
	assertVerdict(t, presentToken(t, s.stage, token), "granted")
	if _, err := s.Rotate("", false); err != nil {
		t.Fatal(err)
	}
	assertVerdict(t, presentToken(t, s.stage, s.mint(t, usersToken("v2"))), "granted")
	assertVerdict(t, presentToken(t, s.stage, token), "401 unknown_key")
}

func TestC61TheSameKidWithNewMaterialIsFetchedOnce(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	renewed := rsaK2().named("k1")
	assertVerdict(t, presentToken(t, stage, renewed.valid(t)), "401 bad_signature")
	p.publish(renewed.jwk())
	p.clock.pass(forcedEvery)
	assertVerdict(t, presentToken(t, stage, renewed.valid(t)), "granted")
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "401 bad_signature")
	if got := p.fetches("keys"); got != 3 {
		t.Errorf("got %d fetches of keys, want 3", got)
	}
}

func TestTheAddressOfTheKeysIsAskedAgainEveryHour(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage, long := p.stage(), swap(t, claimsText(), "1795439700", "1795539700")
	token := rsaK1().token(t, rsaK1().header(), long)
	for hour := range 5 {
		assertVerdict(t, presentToken(t, stage, token), "granted")
		if keys, discovery := p.fetches("keys"), p.fetches("discovery"); keys != hour+1 || discovery != hour+1 {
			t.Errorf("hour %d: got %d and %d fetches, want %d of each", hour, keys, discovery, hour+1)
		}
		p.clock.pass(freshFor)
	}
}

func TestTheAddressOfTheKeysIsAskedAgainAfterAFailure(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	p.publish(rsaK1().jwk(), rsaK2().jwk())
	healthy := newIDP(rsaK1().jwk(), rsaK2().jwk())
	healthy.members = map[string]any{"jwks_uri": "https://login.idp.example/moved/keys"}
	p.fail(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/keys" {
			return answered(r, http.StatusGone, http.NoBody), nil
		}
		return healthy.RoundTrip(r)
	})
	presentToken(t, stage, rsaK2().valid(t)) // finds that they have moved
	p.clock.pass(forcedEvery)
	assertVerdict(t, presentToken(t, stage, rsaK2().valid(t)), "granted")
}

// C56 while the issuer is down: noise doesn't hammer it.
func TestC56UnknownKidsDuringAnOutageCauseOneFetchInTheWindow(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage, noise := p.stage(), rsaK2().named("nobody").valid(t)
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	p.fail(down)
	before := p.fetches("discovery") + p.fetches("keys")
	for range 1200 { // two minutes
		presentToken(t, stage, noise)
		p.clock.pass(100 * time.Millisecond)
	}
	if got := p.fetches("discovery") + p.fetches("keys") - before; got > 2 {
		t.Errorf("got %d fetches in two minutes, want 2 at the most", got)
	}
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
}
