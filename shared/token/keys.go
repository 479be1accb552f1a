package token

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/contract"
)

// How long a fetch may take, and how large its answer may be. How long keys live
// is in the contract (identity.keys).
const (
	retryAfter   = time.Second            // first wait after a failed fetch; doubles up to maxRetry
	maxRetry     = 30 * time.Second       // last wait
	fetchTimeout = 5 * time.Second        // for each of the two requests
	staleWait    = 500 * time.Millisecond // a request waits no longer for fresher keys than those it may use
	maxDocument  = 1 << 20                // bytes of a discovery document or key set
	maxKeys      = 1000
	minRSABits   = 2048
)

// What a verification can fail of; the caller gets a different answer for each.
var (
	errUnknownKey   = errors.New("the key set doesn't hold the token's key")
	errBadSignature = errors.New("the signature doesn't match")
	errTooEarly     = errors.New("a refused token has caused a fetch already") // not a verdict
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
	algorithms []jose.SignatureAlgorithm
	times      contract.KeyTimes
	client     *http.Client
	now        func() time.Time
	options    Options

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
	keys    map[string]*jose.JSONWebKey // a key that is published again keeps its pointer
	fetched time.Time
	raw     []byte // the key set as it was published, for a snapshot
	old     bool   // from a snapshot: used only where fetching fails or hasn't ended
}

var _ oidc.KeySet = (*keySet)(nil)

func newKeySet(issuer contract.TrustedIssuer, plan *contract.Plan, transport http.RoundTripper, now func() time.Time, o Options) *keySet {
	k := &keySet{issuer: issuer, times: plan.Keys, now: now, options: o, client: &http.Client{
		Transport: bounded{transport},
		Timeout:   fetchTimeout,
		// A redirect could lead to another host's keys, or into the private network.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, a := range plan.Algorithms {
		k.algorithms = append(k.algorithms, jose.SignatureAlgorithm(a))
	}
	k.ring = k.restored()
	return k
}

// VerifySignature is go-oidc's seam: the payload of a token that one of the keys signed.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, _, err := k.verify(ctx, raw)
	return payload, err
}

// verify also tells which key it was. Its error is errUnknownKey,
// errBadSignature, or an *unavailable.
func (k *keySet) verify(ctx context.Context, raw string) ([]byte, *jose.JSONWebKey, error) {
	jws, err := jose.ParseSignedCompact(raw, k.algorithms)
	if err != nil {
		return nil, nil, errBadSignature
	}
	before, err := k.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	payload, key, err := before.verify(raw, jws)
	if err == nil {
		return payload, key, nil
	}
	// The issuer may have rotated since; look once, for everybody who waits.
	fetchErr := k.fetch(ctx, true)
	if now := k.held(); now != before { // by this fetch, or by another in the meantime
		return now.verify(raw, jws)
	}
	if down, outage := errors.AsType[*unavailable](fetchErr); outage && errors.Is(err, errUnknownKey) {
		return nil, nil, down // a new key or a false one: nobody can tell
	}
	return nil, nil, err
}

// holds tells whether the key is still published, as far as is known now.
func (k *keySet) holds(ctx context.Context, key *jose.JSONWebKey) bool {
	r, err := k.current(ctx)
	return err == nil && r.keys[key.KeyID] == key
}

func (r *ring) verify(raw string, jws *jose.JSONWebSignature) ([]byte, *jose.JSONWebKey, error) {
	header := jws.Signatures[0].Protected
	key, known := r.keys[header.KeyID]
	if !known {
		return nil, nil, errUnknownKey
	}
	// RFC 8725 §3.1: a key is used with one algorithm only.
	if key.Algorithm != "" && key.Algorithm != header.Algorithm {
		return nil, nil, errBadSignature
	}
	payload, err := jws.Verify(key)
	if err != nil || !saltAsDemanded(header.Algorithm, key.Key, raw, jws.Signatures[0].Signature) {
		return nil, nil, errBadSignature
	}
	return payload, key, nil
}

// keep takes over the pointers of keys that are still the same, so that a token
// that was verified with one need not be verified again.
func (r *ring) keep(before *ring) {
	if before == nil {
		return
	}
	for kid, key := range r.keys {
		if old := before.keys[kid]; old != nil && old.Algorithm == key.Algorithm && reflect.DeepEqual(old.Key, key.Key) {
			r.keys[kid] = old
		}
	}
}

func (k *keySet) held() *ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ring
}

// current is a key set that may be used now, fetched by the request that finds it stale.
func (k *keySet) current(ctx context.Context) (*ring, error) {
	r := k.held()
	age := k.ageOf(r)
	switch {
	case age < k.times.Refresh && !r.old:
		return r, nil
	case age < k.times.MaxStale:
		k.freshen(ctx)
		return k.held(), nil // last-known-good, if that is all there is
	}
	if err := k.fetch(ctx, false); err != nil {
		return nil, err
	}
	if r = k.held(); k.ageOf(r) >= k.times.MaxStale { // fetched, but the clock has jumped since
		return nil, &unavailable{errors.New("the key set is stale"), retryAfter}
	}
	return r, nil
}

// ageOf is at maxStale for a key set that was never fetched.
func (k *keySet) ageOf(r *ring) time.Duration {
	if r == nil {
		return k.times.MaxStale
	}
	return k.now().Sub(r.fetched)
}

// freshen renews a key set that may still be used, and waits a moment for it: an
// issuer that hangs must not make every request slow for a day.
func (k *keySet) freshen(ctx context.Context) {
	f, err := k.takeOff(false)
	if err != nil {
		return
	}
	moment := time.NewTimer(staleWait - k.now().Sub(f.began))
	defer moment.Stop()
	select {
	case <-f.done:
	case <-moment.C:
	case <-ctx.Done():
	}
}

// flight is one fetch that is under way.
type flight struct {
	began time.Time
	done  chan struct{}
	err   error // set before done is closed
}

// fetch renews the key set, once for all who ask at the same time. It goes on
// when its caller leaves: the next one needs it too. forced is a fetch that a
// refused token asks for; it starts at most once in the contract's refetch window.
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
	case forced && now.Sub(k.forced) < k.times.Refetch && k.failed > 0:
		// The fetch of this window failed: whether the key exists is still not known.
		return nil, &unavailable{k.why, k.times.Refetch - now.Sub(k.forced)}
	case forced && now.Sub(k.forced) < k.times.Refetch:
		return nil, errTooEarly
	case forced:
		k.forced = now
	}
	k.flight = &flight{began: now, done: make(chan struct{})}
	go k.renew(k.flight)
	return k.flight, nil
}

func (k *keySet) renew(f *flight) {
	r, jwks, err := k.load()
	if err != nil {
		k.options.warn(fmt.Sprintf("fetch keys of %s: %s", k.issuer.Issuer, shortened(err)))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		wait := k.backOff()
		k.failed++
		k.jwks = "" // it may have moved
		k.why, k.next = fmt.Errorf("fetch keys of %s: %s", k.issuer.Issuer, shortened(err)), k.now().Add(wait)
		f.err = &unavailable{k.why, wait}
	} else {
		r.keep(k.ring)
		k.ring, k.jwks, k.failed, k.next = r, jwks, 0, time.Time{}
	}
	k.flight = nil
	close(f.done)
}
