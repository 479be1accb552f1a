package assertion

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/localrun/vault"
	"tollgate/shared/assertion"
	"tollgate/shared/assertion/verify"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/secret"
)

const gateway = "https://api.example"

// anybody is a token for whatever is asked for.
type anybody struct{ now func() time.Time }

func (a anybody) Token(_ context.Context, _, scope string) (string, error) {
	claims := fmt.Sprintf(`{"aud":%q,"exp":%d}`, strings.TrimSuffix(scope, "/.default"), a.now().Add(time.Hour).Unix())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln", nil
}

// estate is several instances of one gateway, whose root key is in a vault, and
// one backend that gets the public keys from the first of them.
type estate struct {
	*vault.Vault
	address   string
	passed    atomic.Int64 // time that has passed, beside the real clock's start
	began     time.Time
	instances []instance
	backend   *verify.Verifier
}

type instance struct {
	*assertion.Signer
	prove pipeline.Prover
}

// now is the estate's own time, which the handlers of the stand-ins read too.
func (e *estate) now() time.Time { return e.began.Add(time.Duration(e.passed.Load())) }

func (e *estate) pass(d time.Duration) { e.passed.Add(int64(d)) }

func newEstate(t *testing.T, instances int) *estate {
	t.Helper()
	e := &estate{began: time.Now()}
	clock := e.now
	e.Vault = vault.New(vault.Options{Authority: "https://login.example/11111111-1111-1111-1111-111111111111", Now: clock})
	s := httptest.NewServer(e.Vault)
	t.Cleanup(s.Close)
	e.address = s.URL
	e.rotate(t)
	for range instances {
		e.start(clock)
	}
	var err error
	if e.backend, err = verify.New(verify.Options{Issuer: gateway, Audience: audience, Now: clock, Client: &http.Client{Transport: e}}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *estate) start(clock func() time.Time) {
	plan := &contract.Plan{PublicURL: gateway, ClaimsContract: 1}
	api := contract.PlannedAPI{Name: "things", Backend: contract.PlannedBackend{Assertion: &contract.PlannedAssertion{Audience: audience, Lifetime: time.Minute}}}
	root := secret.NewKey(secret.Vaults{Tokens: anybody{clock}, Transport: http.DefaultTransport}, e.address, "tollgate-root", "", clock)
	s := assertion.New(plan, root, clock)
	e.instances = append(e.instances, instance{s, s.Prove(api)})
}

func (e *estate) rotate(t *testing.T) {
	t.Helper()
	if _, err := e.MakeKey("tollgate-root"); err != nil {
		t.Fatal(err)
	}
}

// RoundTrip answers the backend with the first instance's key set.
func (e *estate) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	body, refused := e.instances[0].KeySet(r.Context())
	if refused != nil {
		w.WriteHeader(refused.Kind.Status())
	}
	_, _ = w.Write(body)
	return w.Result(), nil
}

func (e *estate) call(t *testing.T, n int) (*http.Request, *refusal.Refusal) {
	t.Helper()
	out := &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "things.internal.example", Path: "/things/1"}, Header: http.Header{}}
	refused := e.instances[n].prove(t.Context(), &pipeline.Call{Correlation: "c", Operation: "get"}, out)
	out.RequestURI = out.URL.RequestURI()
	return out, refused
}

func (e *estate) arrives(t *testing.T, n int) {
	t.Helper()
	out, refused := e.call(t, n)
	if refused != nil {
		t.Fatalf("instance %d: got %s (%s)", n, refused.Code, refused.Cause())
	}
	if _, fault := e.backend.Request(out); fault != nil {
		t.Errorf("instance %d: the backend says %s", n, fault)
	}
}

func TestEveryInstanceIsBelievedByTheKeysOfAnyOther(t *testing.T) {
	e := newEstate(t, 3)
	for range 2 {
		for n := range e.instances {
			e.arrives(t, n)
		}
	}
	if got := e.Signatures("tollgate-root"); got != 3 {
		t.Errorf("the vault signed %d times for six calls, want once for each instance", got)
	}
}

// Minute by minute, with an instance that starts now and then.
func TestARotationOfTheRootIsNoticedByNobody(t *testing.T) {
	e := newEstate(t, 2)
	clock := e.now
	for minute := range 150 {
		if minute == 20 {
			e.rotate(t)
		}
		if minute%7 == 0 {
			e.start(clock)
		}
		for n := range e.instances {
			e.arrives(t, n)
		}
		e.pass(time.Minute)
	}
}

func TestAnOutageOfTheVaultIsBridgedByWhoIsCertified(t *testing.T) {
	e := newEstate(t, 2)
	e.arrives(t, 0)
	e.Fail(faults.Fault{Kind: faults.Refuse})
	e.pass(55 * time.Minute)
	e.arrives(t, 0)
	out, refused := e.call(t, 1) // it never was
	if refused == nil || refused.Code != "assertion_unavailable" || refused.Kind != refusal.Unavailable || out.Header.Get(verify.Header) != "" {
		t.Errorf("got %+v, want 503 and nothing sent", refused)
	}
	e.pass(5 * time.Minute)
	if _, refused := e.call(t, 0); refused == nil {
		t.Error("got a call beyond the statement's end")
	}
	e.Heal()
	e.pass(10 * time.Second)
	e.arrives(t, 0)
	e.arrives(t, 1)
}
