package gateway

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"net/http"
	"strings"
	"testing"

	"tollgate/localrun/backend"
	"tollgate/shared/assertion"
	"tollgate/shared/assertion/verify"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// asserting is the files that make the public API ask for assertions.
func asserting() []string {
	return []string{
		"public.yaml", strings.Replace(contracts["public.yaml"], `"${backend.all}" }`, `"${backend.all}", assertion: { audience: "https://public.internal.example" } }`, 1),
		"environments/test.yaml", contracts["environments/test.yaml"] + "publicURL: http://localhost:1\nassertionKey: { keptIn: process }\n",
	}
}

func withRoot(s *stand, root assertion.Root) *stand {
	s.parts.AssertionRoot = func(contract.PlannedAssertionKey) assertion.Root { return root }
	s.Gateway = Compile(s.plan, s.parts)
	return s
}

func TestOnlyAnAPIThatAsksForItSendsAnAssertion(t *testing.T) {
	s := withRoot(newStand(t, backend.New(), asserting()...), assertion.NewProcessRoot())
	_, seen := s.granted(t, request(t, "GET", "/public/a"))
	if len(seen.Header[verify.Header]) != 1 || len(seen.Header[verify.KeyHeader]) != 1 {
		t.Errorf("got %v, want one assertion and one key", seen.Header)
	}
	_, seen = s.granted(t, request(t, "GET", "/open/a", verify.Header+": a.b.c", "x_gateway.assertion-key: d.e.f"))
	for name := range seen.Header {
		if strings.Contains(strings.ToLower(name), "assertion") {
			t.Errorf("the backend got %s, which nobody but the gateway may say", name)
		}
	}
}

// downRoot is one that can't be reached.
type downRoot struct{}

func (downRoot) Keys(context.Context) ([]*ecdsa.PublicKey, error) {
	return nil, errors.New("no route to the vault")
}
func (downRoot) Sign(context.Context, *ecdsa.PublicKey, [32]byte) ([]byte, error) {
	return nil, errors.New("no route to the vault")
}

func TestWithoutItsRootACallIsRefusedAndNeverSentWithout(t *testing.T) {
	for name, root := range map[string]assertion.Root{"none": nil, "one that is down": downRoot{}} {
		t.Run(name, func(t *testing.T) {
			s := withRoot(newStand(t, backend.New(), asserting()...), root)
			s.refused(t, request(t, "GET", "/public/a"), http.StatusServiceUnavailable, "assertion_unavailable")
			s.refused(t, request(t, "GET", "/_gateway/jwks"), http.StatusServiceUnavailable, "assertion_unavailable")
			s.granted(t, request(t, "GET", "/open/a")) // which asks for none
		})
	}
}

func TestWithoutAssertionsThereIsNoKeySet(t *testing.T) {
	s := newStand(t, backend.New())
	s.refused(t, request(t, "GET", "/_gateway/jwks"), http.StatusNotFound, "no_route")
}

// What another prover did to the request is what is signed.
func TestTheAssertionComesLast(t *testing.T) {
	s := newStand(t, backend.New(), asserting()...)
	s.parts.Provers = func(contract.PlannedAPI) []pipeline.Prover {
		return []pipeline.Prover{func(_ context.Context, _ *pipeline.Call, out *http.Request) *refusal.Refusal {
			if out.Header[verify.Header] != nil {
				t.Error("the assertion was there before the other proof")
			}
			return nil
		}}
	}
	_, seen := withRoot(s, assertion.NewProcessRoot()).granted(t, request(t, "GET", "/public/a"))
	if len(seen.Header[verify.Header]) != 1 {
		t.Errorf("got %v, want an assertion", seen.Header)
	}
}
