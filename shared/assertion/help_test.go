package assertion_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/shared/assertion"
	"tollgate/shared/assertion/verify"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

const (
	gateway  = "https://api.example"
	audience = "https://orders.internal.example"
)

// root is a process root that counts, fails and hangs as it is told.
type root struct {
	assertion.Root
	fails       error
	takes       time.Duration
	signs, asks int
}

func newRoot() *root { return &root{Root: assertion.NewProcessRoot()} }

func (r *root) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(r.takes):
		return r.fails
	}
}

func (r *root) Keys(ctx context.Context) ([]*ecdsa.PublicKey, error) {
	r.asks++
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	return r.Root.Keys(ctx)
}

func (r *root) Sign(ctx context.Context, key *ecdsa.PublicKey, digest [sha256.Size]byte) ([]byte, error) {
	r.signs++
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	return r.Root.Sign(ctx, key, digest)
}

// bench is a signer, and a backend that believes its root.
type bench struct {
	*assertion.Signer
	prove  pipeline.Prover
	verify *verify.Verifier
}

func newBench(t testing.TB, r assertion.Root, change ...func(*contract.PlannedAPI)) *bench {
	t.Helper()
	plan := &contract.Plan{Name: "g", PublicURL: gateway, ClaimsContract: 3, Forward: []contract.Header{{Name: "X-User-Id"}, {Name: "x-roles"}}}
	api := contract.PlannedAPI{Name: "orders", Backend: contract.PlannedBackend{Assertion: &contract.PlannedAssertion{Audience: audience, Lifetime: time.Minute}}}
	for _, c := range change {
		c(&api)
	}
	s := assertion.New(plan, r, time.Now)
	v, err := verify.New(verify.Options{Issuer: gateway, Audience: audience, Client: &http.Client{Transport: published{s}}})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{s, s.Prove(api), v}
}

// published answers with the signer's key set.
type published struct{ *assertion.Signer }

func (p published) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	body, refused := p.KeySet(r.Context())
	if refused != nil {
		w.WriteHeader(refused.Kind.Status())
	}
	_, _ = w.Write(body)
	return w.Result(), nil
}

// outbound is a request as forward makes it.
func outbound(t testing.TB, target string) *http.Request {
	t.Helper()
	u, err := url.Parse(audience + target)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{Method: "GET", URL: u, Header: http.Header{"X-User-Id": {"u-1"}, "X-Roles": {"a,b"}}}
}

func call() *pipeline.Call {
	return &pipeline.Call{Correlation: "c0ffee", Operation: "get", Identity: &pipeline.Identity{Principal: pipeline.Application}}
}

// received is the request at the backend: what the wire carries of it.
func received(out *http.Request) *http.Request {
	return &http.Request{Method: out.Method, RequestURI: out.URL.RequestURI(), Header: out.Header}
}

func (b *bench) send(t testing.TB, out *http.Request) *refusal.Refusal {
	t.Helper()
	return b.prove(t.Context(), call(), out)
}

// arrives proves a request and has the backend believe it.
func (b *bench) arrives(t testing.TB) *http.Request {
	t.Helper()
	out := outbound(t, "/orders/42?expand=lines")
	if refused := b.send(t, out); refused != nil {
		t.Fatalf("got %s (%s), want a proved call", refused.Code, refused.Cause())
	}
	if _, fault := b.verify.Request(received(out)); fault != nil {
		t.Fatalf("the backend says %s", fault)
	}
	return out
}

func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var m map[string]any
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
