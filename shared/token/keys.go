package token

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/contract"
)

// How long keys live, and how rarely they are fetched.
const (
	freshFor     = time.Hour        // entra-oauth.md §1: refresh every hour
	maxStale     = 24 * time.Hour   // last-known-good for a day at most
	forcedEvery  = time.Minute      // an unknown kid or a bad signature may refetch once in this time
	retryAfter   = time.Second      // first wait after a failed fetch; doubles up to maxRetry
	maxRetry     = 30 * time.Second // last wait
	fetchTimeout = 5 * time.Second  // for each of the two requests
	maxDocument  = 1 << 20          // bytes of a discovery document or key set
	maxKeys      = 1000
	minRSABits   = 2048
)

// What a verification can fail of; the caller gets a different answer for each.
var (
	errUnknownKey   = errors.New("the key set doesn't hold the token's key")
	errBadSignature = errors.New("the signature doesn't match")
)

// unavailable: the key set can't be had, which says nothing about the token.
type unavailable struct {
	cause error
	wait  time.Duration
}

func (u *unavailable) Error() string { return u.cause.Error() }
func (u *unavailable) Unwrap() error { return u.cause }

// keySet is one issuer's published keys: go-oidc's KeySet seam.
//
// go-oidc's own RemoteKeySet fetches for every unknown kid and every bad
// signature, so any anonymous caller drives requests to the identity provider;
// it never forgets a removed key and can't tell an outage from a bad token.
type keySet struct {
	issuer     contract.TrustedIssuer
	algorithms []string
	client     *http.Client
	now        func() time.Time

	mu     sync.Mutex
	flight *flight   // the fetch under way, if any
	ring   *ring     // nil until the first fetch succeeded
	jwks   string    // address of the key set, from discovery
	forced time.Time // when an unknown kid or bad signature last caused a fetch
	failed int       // fetches failed in a row
	next   time.Time // no fetch before, after a failure
	why    error     // of the last failure
}

// ring is one fetched key set. It doesn't change.
type ring struct {
	keys    map[string]jose.JSONWebKey
	fetched time.Time
}

var _ oidc.KeySet = (*keySet)(nil)

func newKeySet(issuer contract.TrustedIssuer, algorithms []string, transport http.RoundTripper, now func() time.Time) *keySet {
	return &keySet{issuer: issuer, algorithms: algorithms, now: now, client: &http.Client{
		Transport: bounded{transport},
		Timeout:   fetchTimeout,
		// A redirect could lead to another host's keys, or into the private network.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// VerifySignature is what go-oidc calls.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	algorithms := make([]jose.SignatureAlgorithm, len(k.algorithms))
	for i, a := range k.algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	jws, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, errBadSignature
	}
	payload, err := k.verify(ctx, jws)
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		a.err = err // go-oidc flattens errors to text
	}
	return payload, err
}

// attempt carries the reason of a failure around go-oidc.
type attempt struct{ err error }
type attemptKey struct{}

func (k *keySet) verify(ctx context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	kid, alg := jws.Signatures[0].Protected.KeyID, jws.Signatures[0].Protected.Algorithm
	r, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	payload, err := r.verify(jws, kid, alg)
	if err == nil {
		return payload, nil
	}
	// The issuer may have rotated since; look once, for everybody who waits.
	if k.fetch(ctx, true) == nil {
		payload, err = k.held().verify(jws, kid, alg)
	}
	return payload, err
}

func (r *ring) verify(jws *jose.JSONWebSignature, kid, alg string) ([]byte, error) {
	key, known := r.keys[kid]
	if !known {
		return nil, errUnknownKey
	}
	// RFC 8725 §3.1: a key is used with one algorithm only.
	if key.Algorithm != "" && key.Algorithm != alg {
		return nil, errBadSignature
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, errBadSignature
	}
	return payload, nil
}

func (k *keySet) held() *ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ring
}

// current is a key set that may be used now, fetched by the request that finds it stale.
func (k *keySet) current(ctx context.Context) (*ring, error) {
	r := k.held()
	if r != nil && k.now().Sub(r.fetched) < freshFor {
		return r, nil
	}
	err := k.fetch(ctx, false)
	if r := k.held(); r != nil && k.now().Sub(r.fetched) < maxStale {
		return r, nil // last-known-good
	}
	if err == nil { // fetched, but so long ago that the clock must have jumped
		err = &unavailable{errors.New("the key set is stale"), retryAfter}
	}
	return nil, err
}

// flight is one fetch that is under way.
type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// fetch renews the key set, once for all who ask at the same time. It goes on
// when its caller leaves: the next one needs it too. forced is a fetch that a
// refused token asks for; it starts at most once in forcedEvery.
func (k *keySet) fetch(ctx context.Context, forced bool) error {
	f, err := k.takeOff(forced)
	if err != nil {
		return err
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return &unavailable{context.Cause(ctx), retryAfter}
	}
}

// takeOff joins the fetch that is under way, or starts one if it isn't too early.
func (k *keySet) takeOff(forced bool) (*flight, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	switch {
	case k.flight != nil:
		return k.flight, nil
	case k.next.After(now):
		return nil, &unavailable{k.why, k.next.Sub(now)}
	case forced && now.Sub(k.forced) < forcedEvery:
		return nil, errUnknownKey
	case forced:
		k.forced = now
	}
	k.flight = &flight{done: make(chan struct{})}
	go k.renew(k.flight)
	return k.flight, nil
}

func (k *keySet) renew(f *flight) {
	r, jwks, err := k.load()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		wait := min(retryAfter<<min(k.failed, 10), maxRetry)
		k.failed++
		k.jwks = "" // it may have moved
		k.why, k.next = fmt.Errorf("fetch keys of %s: %w", k.issuer.Issuer, err), k.now().Add(wait)
		f.err = &unavailable{k.why, wait}
	} else {
		k.ring, k.jwks, k.failed, k.next = r, jwks, 0, time.Time{}
	}
	k.flight = nil
	close(f.done)
}
