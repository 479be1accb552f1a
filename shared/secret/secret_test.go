package secret_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/localrun/vault"
	"tollgate/shared/contract"
	"tollgate/shared/renewal"
	"tollgate/shared/secret"
)

// tokens gives one for whatever scope is asked for.
type tokens struct {
	now   func() time.Time
	asked []string
	fault error
}

func (s *tokens) Token(_ context.Context, id, scope string) (string, error) {
	s.asked = append(s.asked, id+" "+scope)
	claims := fmt.Sprintf(`{"aud":%q,"exp":%d}`, strings.TrimSuffix(scope, "/.default"), s.now().Add(time.Hour).Unix())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln", s.fault
}

// lab is a source in front of a vault, with a clock of its own.
type lab struct {
	*vault.Vault
	*secret.Source
	tokens *tokens
	ref    contract.SecretRef
	clock  *atomic.Int64
}

func (l lab) pass(d time.Duration) { l.clock.Add(int64(d)) }

func begin(t *testing.T) lab {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Now().UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	v := vault.New(vault.Options{Authority: "https://login.example/11111111-1111-1111-1111-111111111111", Now: now})
	v.Put("key", "hunter2", "")
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	tok := &tokens{now: now}
	return lab{v, secret.NewSource(secret.Vaults{Tokens: tok, Transport: http.DefaultTransport}, now), tok,
		contract.SecretRef{Vault: server.URL, Name: "key", Identity: "id"}, clock}
}

func (l lab) want(t *testing.T, value string) {
	t.Helper()
	if got, err := l.Read(t.Context(), l.ref); err != nil || got != value {
		t.Errorf("got %q, %v, want %q", got, err, value)
	}
}

func (l lab) refuses(t *testing.T, part string) {
	t.Helper()
	got, err := l.Read(t.Context(), l.ref)
	down, ok := errors.AsType[*renewal.Unavailable](err)
	if !ok || got != "" || down.Wait <= 0 || !strings.Contains(err.Error(), part) {
		t.Errorf("got %q, %v, want unavailable because %q", got, err, part)
	}
	if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "Welcome") || strings.Contains(err.Error(), "asked for")) {
		t.Errorf("got %q: an error must not repeat what a vault wrote", err)
	}
}

func TestASecretIsReadWithATokenForTheVaultOnly(t *testing.T) {
	l := begin(t)
	l.want(t, "hunter2")
	if len(l.tokens.asked) != 1 || l.tokens.asked[0] != "id "+vault.Resource+"/.default" {
		t.Errorf("got tokens asked for %q, want one of the identity for the vault", l.tokens.asked)
	}
}

func TestARotationIsPickedUpByTheRequestThatFindsItStale(t *testing.T) {
	l := begin(t)
	l.want(t, "hunter2")
	l.Put("key", "hunter3", "")
	l.pass(secret.Fresh - time.Second)
	l.want(t, "hunter2")
	l.pass(time.Second)
	l.want(t, "hunter3")
	if n := l.Reads("key"); n != 2 {
		t.Errorf("got %d reads, want two", n)
	}
}

func TestAnOutageIsBridgedForAnHour(t *testing.T) {
	l := begin(t)
	l.want(t, "hunter2")
	l.Fail(faults.Fault{Kind: faults.Status})
	l.pass(secret.MaxStale - time.Second)
	l.want(t, "hunter2")
	l.pass(20 * time.Second)
	l.refuses(t, "the vault answered 503")
	l.Heal()
	l.pass(20 * time.Second)
	l.want(t, "hunter2")
}

func TestEachFaultOfAVaultIsToldWithoutWhatItWrote(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(lab)
		want  string
	}{
		"it is down":          {func(l lab) { l.Fail(faults.Fault{Kind: faults.Status}) }, "the vault answered 503"},
		"it hangs up":         {func(l lab) { l.Fail(faults.Fault{Kind: faults.Refuse}) }, "what the vault answered can't be used"},
		"a portal answers":    {func(l lab) { l.Fail(faults.Fault{Kind: faults.Garbage}) }, "what the vault answered can't be used"},
		"there is no such":    {func(l lab) { l.Remove("key") }, "the vault answered 404 SecretNotFound"},
		"it is not allowed":   {func(l lab) { l.Fail(faults.Fault{Kind: faults.Status, Status: 403}) }, "the vault answered 403"},
		"there is no token":   {func(l lab) { l.tokens.fault = &renewal.Unavailable{Cause: errors.New("no identity"), Wait: 1} }, "no identity"},
		"it redirects":        {func(l lab) { l.Fail(faults.Fault{Kind: faults.Status, Status: 302}) }, "the vault answered 302"},
		"it is empty":         {func(l lab) { l.Put("key", "", "") }, "it is empty"},
		"it is far too large": {func(l lab) { l.Put("key", strings.Repeat("hunter2", 100_000), "") }, "can't be used"},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t)
			c.spoil(l)
			l.refuses(t, c.want)
		})
	}
}

func TestADeadVaultIsNotAskedByEveryRequest(t *testing.T) {
	l := begin(t)
	l.Fail(faults.Fault{Kind: faults.Status, Times: 1})
	for range 100 {
		l.refuses(t, "the vault answered 503")
	}
	l.pass(2 * time.Second)
	l.want(t, "hunter2")
}

func TestASlowVaultKeepsNobodyLongerThanTheyLike(t *testing.T) {
	l := begin(t)
	l.Fail(faults.Fault{Kind: faults.Slow, Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Read(ctx, l.ref); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller's own deadline", err)
	}
}

// The SDK panics over this challenge (its parseTenant); the gateway must not.
func TestAChallengeThatCanNotBeReadIsAFailure(t *testing.T) {
	l := begin(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer authorization="x", resource="https://vault.azure.net"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	l.ref.Vault = server.URL
	l.refuses(t, "the answer couldn't be read")
}

// remote carries requests for any host to a handler of this process, and notes their scheme.
type remote struct {
	handler http.Handler
	schemes []string
}

func (r *remote) RoundTrip(req *http.Request) (*http.Response, error) {
	r.schemes = append(r.schemes, req.URL.Scheme+"://"+req.URL.Host)
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w.Result(), nil
}

func TestNoTokenGoesOverPlainHTTPBeyondThisMachine(t *testing.T) {
	l, net := begin(t), &remote{handler: http.NotFoundHandler()}
	s := secret.NewSource(secret.Vaults{Tokens: l.tokens, Transport: net}, time.Now)
	for _, address := range []string{"http://contoso.vault.azure.net", "http://10.0.0.4", "http://127.0.0.1.example", "http://localhost.example:80"} {
		_, err := s.Read(t.Context(), contract.SecretRef{Vault: address, Name: "key"})
		if err == nil || len(net.schemes) > 0 || len(l.tokens.asked) > 0 {
			t.Errorf("%s: got %v, requests %q, tokens %q, want nothing sent", address, err, net.schemes, l.tokens.asked)
		}
	}
}

// Key Vault names its own domain in the challenge; a name that isn't its parent's must get no token.
func TestATokenIsForTheVaultsOwnDomainOnly(t *testing.T) {
	l := begin(t)
	net := &remote{handler: l.Vault}
	s := secret.NewSource(secret.Vaults{Tokens: l.tokens, Transport: net}, time.Now)
	if got, err := s.Read(t.Context(), contract.SecretRef{Vault: "https://contoso.vault.azure.net", Name: "key"}); err != nil || got != "hunter2" {
		t.Errorf("got %q, %v, want the secret", got, err)
	}
	l.tokens.asked = nil
	if _, err := s.Read(t.Context(), contract.SecretRef{Vault: "https://vault.evil.example", Name: "key"}); err == nil || len(l.tokens.asked) > 0 {
		t.Errorf("got %v and tokens %q, want no token for another domain", err, l.tokens.asked)
	}
}
