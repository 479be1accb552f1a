package token

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	entra "tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

const (
	home     = "11111111-1111-1111-1111-11111111aaaa"
	foreign  = "22222222-2222-2222-2222-222222222222"
	ordersID = "0f9c1c2e-0000-4000-8000-0000000000aa"
	stockID  = "0f9c1c2e-0000-4000-8000-0000000000bb"
	alice    = "44444444-0000-4000-8000-000000000001"

	ordersURI = "api://" + home + "/orders"
	skew      = time.Minute
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// clock moves only when a test says so.
type clock struct {
	mu     sync.Mutex
	at     time.Time
	onRead func() // runs once, before the next reading, outside any lock of the clock
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	hook := c.onRead
	c.onRead = nil
	c.mu.Unlock()
	if hook != nil {
		hook()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) beforeNextReading(hook func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onRead = hook
}

const (
	freshFor    = contract.DefaultRefresh
	forcedEvery = contract.DefaultRefetch
	maxStale    = contract.DefaultMaxStale
)

func planOf(algorithms []string, issuers ...contract.TrustedIssuer) *contract.Plan {
	return &contract.Plan{Name: "test", ClockSkew: skew, Algorithms: algorithms, Issuers: issuers,
		Keys: contract.KeyTimes{Refresh: freshFor, Refetch: forcedEvery, MaxStale: maxStale}}
}

// send gives the stage a request with one Authorization header for each value.
func send(ctx context.Context, stage pipeline.Stage, values ...string) (*pipeline.Call, *refusal.Refusal) {
	r := &http.Request{Method: "GET", Header: http.Header{}}
	for _, v := range values {
		r.Header.Add("Authorization", v)
	}
	call := &pipeline.Call{Request: r}
	return call, stage(ctx, call)
}

// present is send for the verdict: "granted", or the status and the code. What
// must hold of every verdict is checked here.
func present(t testing.TB, stage pipeline.Stage, values ...string) string {
	t.Helper()
	call, refused := send(t.Context(), stage, values...)
	if (refused == nil) != (call.Identity != nil) {
		t.Errorf("refused %v with identity %v: exactly one must be there", refused, call.Identity)
	}
	if refused == nil {
		return "granted"
	}
	if (refused.Kind == refusal.Unauthenticated) && refused.Challenge == nil {
		t.Errorf("%s: a 401 without a challenge", refused.Code)
	}
	for _, v := range values {
		for _, part := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '.' || r == ',' }) {
			if len(part) > 12 && strings.Contains(refused.Detail+refused.Cause(), part) {
				t.Errorf("%s: the refusal holds a part of the token", refused.Code)
			}
		}
	}
	return verdictOf(refused)
}

func verdictOf(r *refusal.Refusal) string {
	if r == nil {
		return "granted"
	}
	return fmt.Sprintf("%d %s", r.Kind.Status(), r.Code)
}

func presentToken(t testing.TB, stage pipeline.Stage, token string) string {
	t.Helper()
	return present(t, stage, "Bearer "+token)
}

func assertVerdict(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// stand is localrun's Entra on a loopback port, and a gateway's trust in it.
type stand struct {
	*entra.Issuer
	base  string
	clock *clock
	trust *Trust
	stage pipeline.Stage // takes v1 and v2 tokens of the home tenant for the API orders
	http  *http.Transport
}

func start(t testing.TB) *stand {
	t.Helper()
	s := &stand{clock: &clock{at: noon()}, http: &http.Transport{}}
	var err error
	s.Issuer, err = entra.New(entra.Options{
		Tenants: []string{home, foreign},
		APIs: []entra.API{
			{Name: "orders", AppIDURI: ordersURI, ClientID: ordersID, Scopes: []string{"Orders.Read"}, Roles: []string{"DataReader"}},
			{Name: "stock", AppIDURI: "api://" + home + "/stock", ClientID: stockID},
		},
		Now: s.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Issuer)
	t.Cleanup(func() { s.http.CloseIdleConnections(); server.Close() })
	s.base = server.URL
	s.SetBaseURL(server.URL)
	s.trust, s.stage = s.trusting("RS256")
	return s
}

// trusting is a fresh, cold trust in both tenants, and the usual stage on it.
func (s *stand) trusting(algorithms ...string) (*Trust, pipeline.Stage) {
	trust := NewTrust(planOf(algorithms, s.v1(home), s.v2(home), s.v1(foreign), s.v2(foreign)), s.http, s.clock.Now, Options{})
	return trust, trust.Verify([]contract.Accepted{s.acceptedV1(), s.acceptedV2()}, contract.Proof{})
}

func (s *stand) v1(tenant string) contract.TrustedIssuer {
	return contract.TrustedIssuer{Name: "entra", Profile: "entra", Issuer: s.base + "/" + tenant + "/", Discovery: s.base + "/" + tenant, Tenant: tenant, TokenVersion: "1.0"}
}

func (s *stand) v2(tenant string) contract.TrustedIssuer {
	at := s.base + "/" + tenant + "/v2.0"
	return contract.TrustedIssuer{Name: "entra", Profile: "entra", Issuer: at, Discovery: at, Tenant: tenant, TokenVersion: "2.0"}
}

// The audiences are those that contract binds: see TestAPlanHoldsWhatEntraReallySends there.
func (s *stand) acceptedV1() contract.Accepted {
	return contract.Accepted{Issuer: s.v1(home), Audiences: []string{ordersURI, ordersID}}
}

func (s *stand) acceptedV2() contract.Accepted {
	return contract.Accepted{Issuer: s.v2(home), Audiences: []string{ordersID}}
}

func (s *stand) mint(t testing.TB, ask entra.Token) string {
	t.Helper()
	if ask.API == "" {
		ask.API = "orders"
	}
	text, err := s.Mint(ask)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// usersToken and appsToken are what Entra most often issues.
func usersToken(version string) entra.Token {
	return entra.Token{Version: version, User: alice, Scopes: []string{"Orders.Read"}}
}

func appsToken(version string) entra.Token {
	return entra.Token{Version: version, Roles: []string{"DataReader"}}
}

// with changes claims of a token to be minted; nil removes one, json.RawMessage writes it as it is.
func with(tok entra.Token, claims map[string]any) entra.Token {
	tok.Claims = maps.Clone(tok.Claims)
	if tok.Claims == nil {
		tok.Claims = map[string]any{}
	}
	maps.Copy(tok.Claims, claims)
	return tok
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }
