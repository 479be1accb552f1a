package token

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
)

// crowd presents each token from a goroutine of its own while the answer to
// the first request for what is held back until all of them wait for it.
func crowd(t *testing.T, p *idp, verify func(token string) string, what string, tokens []string) []string {
	held := make(chan struct{})
	p.onRequest = func(is string, _ *http.Request) {
		if is == what {
			<-held
		}
	}
	got := make([]string, len(tokens))
	var all sync.WaitGroup
	for i, token := range tokens {
		all.Go(func() { got[i] = verify(token) })
	}
	synctest.Wait() // everybody waits for the one fetch
	close(held)
	all.Wait()
	return got
}

func TestFiftyTokensAtOnceCauseOneFetch(t *testing.T) {
	many := func(k signer) (tokens []string) {
		for i := range 50 {
			tokens = append(tokens, k.token(t, k.header(), swap(t, claimsText(), "u-1", fmt.Sprint("u-", i))))
		}
		return tokens
	}
	first, second := many(rsaK1()), many(rsaK2())
	synctest.Test(t, func(t *testing.T) {
		p := newIDP(rsaK1().jwk())
		stage := p.stage()
		verify := func(token string) string { return presentToken(t, stage, token) }
		for i, got := range crowd(t, p, verify, "discovery", first) {
			if got != "granted" {
				t.Errorf("cold, token %d: got %s, want granted", i, got)
			}
		}
		if keys, discovery := p.fetches("keys"), p.fetches("discovery"); keys != 1 || discovery != 1 {
			t.Errorf("cold: got %d fetches of keys and %d of discovery, want 1 and 1", keys, discovery)
		}
		p.publish(rsaK2().jwk(), rsaK1().jwk())
		for i, got := range crowd(t, p, verify, "keys", second) {
			if got != "granted" {
				t.Errorf("a new key, token %d: got %s, want granted", i, got)
			}
		}
		if keys, discovery := p.fetches("keys"), p.fetches("discovery"); keys != 2 || discovery != 1 {
			t.Errorf("a new key: got %d fetches of keys and %d of discovery, want 2 and 1", keys, discovery)
		}
	})
}

// C59 for the one who comes a moment late: it found the old key set, and by the
// time it asks for a new one, somebody else's fetch has already brought it.
func TestC59ATokenThatMissesTheFetchByAMomentIsAccepted(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	p.publish(rsaK1().jwk(), rsaK2().jwk())
	token := rsaK2().valid(t)

	arrived, goOn, late := make(chan struct{}), make(chan struct{}), make(chan string)
	p.clock.beforeNextReading(func() { close(arrived); <-goOn }) // it holds the old key set now
	go func() {
		_, refused := send(context.Background(), stage, "Bearer "+token)
		late <- verdictOf(refused)
	}()
	<-arrived
	assertVerdict(t, presentToken(t, stage, token), "granted") // fetches the new key
	close(goOn)
	assertVerdict(t, <-late, "granted")
}

func TestACallerThatLeavesDoesNotStopTheFetch(t *testing.T) {
	token := rsaK1().valid(t)
	synctest.Test(t, func(t *testing.T) {
		p := newIDP(rsaK1().jwk())
		stage, held := p.stage(), make(chan struct{})
		p.onRequest = func(what string, _ *http.Request) {
			if what == "discovery" {
				<-held
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan string)
		go func() {
			_, refused := send(ctx, stage, "Bearer "+token)
			left <- verdictOf(refused)
		}()
		synctest.Wait()
		leave()
		assertVerdict(t, <-left, "503 keys_unavailable")
		close(held)
		synctest.Wait()
		assertVerdict(t, presentToken(t, stage, token), "granted")
		if got := p.fetches("keys"); got != 1 {
			t.Errorf("got %d fetches of keys, want 1", got)
		}
	})
}

// Many at once, with rotation, noise and outages between: for the race
// detector, and for what must hold in any order.
func TestTrustIsSafeForConcurrentUse(t *testing.T) {
	s := start(t)
	good, other := s.mint(t, usersToken("v2")), s.mint(t, appsToken("v1"))
	stranger := usersToken("v2")
	stranger.Key = "stranger"
	bad := s.mint(t, stranger)
	stages := []func(string) string{}
	for range 3 {
		stage := s.trust.Verify([]contract.Accepted{s.acceptedV1(), s.acceptedV2()}, contract.Proof{})
		stages = append(stages, func(token string) string {
			_, refused := send(context.Background(), stage, "Bearer "+token)
			return verdictOf(refused)
		})
	}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for range 15 {
				verify := stages[i%3]
				for token, want := range map[string]string{good: "granted", other: "granted", bad: "401 unknown_key", bad + "x": "401 malformed"} {
					if got := verify(token); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				}
				s.clock.pass(time.Second)
			}
		})
	}
	all.Wait()
	if got := s.Fetches()["keys"]; got > 2+5 { // two issuers, cold; three minutes of noise on one, and one to spare for each end
		t.Errorf("got %d fetches of keys in three minutes, want 7 at the most", got)
	}
}
