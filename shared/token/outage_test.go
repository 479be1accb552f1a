package token

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	entra "tollgate/localrun/issuer"
)

var errDown = errors.New("connection refused")

func down(*http.Request) (*http.Response, error) { return nil, errDown }

// misbehaviours are the faults of the stand-in that a key set can't come through.
func misbehaviours() map[string]entra.Fault {
	out := map[string]entra.Fault{"another issuer": {Kind: "issuer", On: "discovery"}}
	for _, on := range []string{"discovery", "keys"} {
		out["500 from "+on] = entra.Fault{On: on, Kind: "status", Status: 500}
		out["503 from "+on] = entra.Fault{On: on, Kind: "status", Status: 503}
		out["304 from "+on] = entra.Fault{On: on, Kind: "status", Status: 304}
		out["404 from "+on] = entra.Fault{On: on, Kind: "status", Status: 404}
		out["202 from "+on] = entra.Fault{On: on, Kind: "status", Status: 202}
		out["a web page from "+on] = entra.Fault{On: on, Kind: "html"}
		out["32 MiB from "+on] = entra.Fault{On: on, Kind: "huge"}
		out["a redirect from "+on] = entra.Fault{On: on, Kind: "redirect"}
		out["a closed connection from "+on] = entra.Fault{On: on, Kind: "refuse"}
	}
	return out
}

func TestC62AnOutageIsNotABadToken(t *testing.T) {
	s := start(t)
	users := usersToken("v2")
	users.Lifetime = 72 * time.Hour
	token := s.mint(t, users)
	for name, fault := range misbehaviours() {
		t.Run("C62 cold, "+name+": 503 keys_unavailable", func(t *testing.T) {
			defer s.Heal()
			s.Fail(fault)
			_, stage := s.trusting("RS256")
			_, refused := send(t.Context(), stage, "Bearer "+token)
			assertVerdict(t, verdictOf(refused), "503 keys_unavailable")
			if refused == nil || refused.RetryAfter != retryAfter || refused.Challenge != nil {
				t.Errorf("got %+v, want Retry-After %s and no challenge", refused, retryAfter)
			}
			s.Heal()
			s.clock.pass(retryAfter)
			assertVerdict(t, presentToken(t, stage, token), "granted")
		})
		t.Run("C62 warm, "+name+": the last known keys for a day, then 503 keys_unavailable", func(t *testing.T) {
			defer s.Heal()
			warm := *s
			warm.clock = &clock{at: noon()}
			_, stage := warm.trusting("RS256")
			assertVerdict(t, presentToken(t, stage, token), "granted")
			s.Fail(fault)
			for _, wait := range []time.Duration{freshFor, time.Minute, maxStale - freshFor - time.Minute - time.Second} {
				warm.clock.pass(wait)
				assertVerdict(t, presentToken(t, stage, token), "granted")
			}
			warm.clock.pass(time.Second)
			assertVerdict(t, presentToken(t, stage, token), "503 keys_unavailable")
			s.Heal()
			warm.clock.pass(maxRetry)
			assertVerdict(t, presentToken(t, stage, token), "granted")
		})
	}
	if got := s.Fetches()["redirected"]; got != 0 {
		t.Errorf("C64: got %d redirects followed, want none", got)
	}
}

func TestC62ARefusedConnectionAndABadCertificateAre503(t *testing.T) {
	s := start(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secret := httptest.NewUnstartedServer(s.Issuer)
	secret.Config.ErrorLog = log.New(io.Discard, "", 0)
	secret.StartTLS()
	defer secret.Close()
	for name, at := range map[string]string{"nobody listens": closed.URL, "the certificate is unknown": secret.URL} {
		t.Run("C62 "+name+": 503 keys_unavailable", func(t *testing.T) {
			s.SetBaseURL(at)
			away := &stand{Issuer: s.Issuer, base: at, clock: s.clock, http: s.http}
			_, stage := away.trusting("RS256")
			assertVerdict(t, presentToken(t, stage, s.mint(t, usersToken("v2"))), "503 keys_unavailable")
		})
	}
}

func TestC62ColdTheWaitDoublesAndNoRequestFetches(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage, token := p.stage(), rsaK1().valid(t)
	p.fail(down)
	fetched := 0
	for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
		wait := seconds * time.Second
		for left := wait; left > 0; left -= wait / 4 {
			for range 5 {
				_, refused := send(t.Context(), stage, "Bearer "+token)
				if verdictOf(refused) != "503 keys_unavailable" || refused.RetryAfter != left {
					t.Fatalf("got %s, Retry-After %s, want 503 keys_unavailable after %s", verdictOf(refused), refused.RetryAfter, left)
				}
			}
			p.clock.pass(wait / 4)
		}
		fetched++
		if got := p.fetches("discovery"); got != fetched {
			t.Fatalf("got %d fetches after a wait of %s, want %d", got, wait, fetched)
		}
	}
	p.fail(nil)
	assertVerdict(t, presentToken(t, stage, token), "granted")
	p.clock.pass(freshFor) // and the next outage begins with a short wait again
	p.fail(down)
	assertVerdict(t, presentToken(t, stage, token), "granted")
	before := p.fetches("discovery")
	p.clock.pass(retryAfter)
	assertVerdict(t, presentToken(t, stage, token), "granted")
	if got := p.fetches("discovery"); got != before+1 {
		t.Errorf("got %d fetches a second into the next outage, want %d", got, before+1)
	}
}

func TestC62WarmAnOutageCostsNoFetchPerRequest(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage, token := p.stage(), rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "1795439700", "1795639700"))
	assertVerdict(t, presentToken(t, stage, token), "granted")
	p.clock.pass(freshFor)
	p.fail(down)
	for range 600 { // ten minutes, three requests a second
		for range 3 {
			assertVerdict(t, presentToken(t, stage, token), "granted")
		}
		p.clock.pass(time.Second)
	}
	if got := p.fetches("discovery"); got > 1+6+20 {
		t.Errorf("got %d fetches in ten minutes, want 27 at the most: 1, 2, 4 … 30 seconds apart", got)
	}
}

// DESIGN, truth 5: an outage is not a bad token. While the issuer can't be
// asked, nobody knows whether a new kid is a new key or a false one.
func TestC62ANewKeyThatABrokenIssuerCanNotBeAskedAboutIs503(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	p.publish(rsaK1().jwk(), rsaK2().jwk())
	p.fail(down)
	for range 20 { // also when the back-off is over, and the window isn't
		assertVerdict(t, presentToken(t, stage, rsaK2().valid(t)), "503 keys_unavailable")
		assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
		p.clock.pass(2 * time.Second)
	}
	p.fail(nil)
	p.clock.pass(forcedEvery)
	assertVerdict(t, presentToken(t, stage, rsaK2().valid(t)), "granted")
}

// Every refused request of an outage leaves an event with the cause in it: what
// the issuer's front door happens to answer must not decide how long that is.
func TestC62TheCauseOfAnOutageIsShort(t *testing.T) {
	page := strings.Repeat("<p>We are sorry. ", 50_000)
	for name, f := range map[string]func(*http.Request) (*http.Response, error){
		"an error page": func(r *http.Request) (*http.Response, error) {
			return answered(r, http.StatusServiceUnavailable, strings.NewReader(page)), nil
		},
		"a document for a very long issuer": func(r *http.Request) (*http.Response, error) {
			return answered(r, http.StatusOK, strings.NewReader(`{"issuer":"`+page+`","jwks_uri":"https://x.example"}`)), nil
		},
	} {
		t.Run("C62 "+name, func(t *testing.T) {
			p := newIDP(rsaK1().jwk())
			p.fail(f)
			_, refused := send(t.Context(), p.stage(), "Bearer "+rsaK1().valid(t))
			assertVerdict(t, verdictOf(refused), "503 keys_unavailable")
			if got := len(refused.Cause()); got > 4<<10 {
				t.Errorf("got a cause of %d bytes for one refused request, want 4 KiB at the most", got)
			}
			if strings.Contains(refused.Detail, "sorry") || strings.Contains(refused.Detail, "idp.example") {
				t.Errorf("got the detail %q, want nothing of the issuer's in it", refused.Detail)
			}
		})
	}
}
