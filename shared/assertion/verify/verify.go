// Package verify is the backend's half of the gateway's signed assertions: it
// tells a call that came through the gateway from one that came around it. It
// needs the standard library only.
//
//	v, err := verify.New(verify.Options{Issuer: "https://api.contoso.example", Audience: "https://orders.internal.contoso.example"})
//	...
//	http.ListenAndServe(addr, v.Middleware(handler))
//
// In the handler, verify.CallerFrom(r.Context()) is who called.
//
// Each call carries two JSON Web Tokens. The key statement, signed by the
// gateway's root key, names the public key of one instance (RFC 7800). The
// assertion, signed by that instance, names the caller, the audience, the
// method and the path. docs/assertion.md has the claims.
package verify

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The headers that carry the two tokens, and the types that tell the two apart
// (RFC 8725 §3.11).
const (
	Header    = "X-Gateway-Assertion"
	KeyHeader = "X-Gateway-Assertion-Key"
	Type      = "tollgate-assertion+jwt"
	KeyType   = "tollgate-key+jwt"
)

// The longest of each that is read, in bytes. The gateway refuses a call rather than send more.
const (
	MaxLength    = 8 << 10
	MaxKeyLength = 2 << 10
)

const (
	defaultLeeway   = 5 * time.Second
	defaultMaxAge   = 5 * time.Minute
	defaultRefetch  = time.Minute
	defaultMaxStale = 24 * time.Hour
	maxLeeway       = time.Minute
	maxKeyLife      = 24 * time.Hour // of a key statement
)

// Options say whose assertions are believed, and for whom they must be.
type Options struct {
	Issuer   string // required: the gateway's public URL, exactly as its contracts bind it
	Audience string // required: what the contract says in backend.assertion.audience

	JWKS   string       // where the gateway's root keys are; Issuer + "/_gateway/jwks" if ""
	Client *http.Client // asks there; its redirects are not followed. Five seconds' patience and no proxy if nil
	// Keys replaces JWKS: the root key of that id (its RFC 7638 thumbprint), nil for
	// none; an error is an outage (503).
	Keys func(ctx context.Context, kid string) (*ecdsa.PublicKey, error)

	Now      func() time.Time // time.Now if nil
	Leeway   time.Duration    // how far the gateway's clock may be from ours; 5s if 0, at most a minute
	MaxAge   time.Duration    // longest lifetime of an assertion that is believed; 5m, the contracts' own cap, if 0
	Refetch  time.Duration    // unknown keys cause at most one fetch in this time; 1m if 0
	MaxStale time.Duration    // how long root keys are used while they can't be fetched; 24h if 0

	// Target is the path and query as the gateway sent them; the request target as
	// it was received if nil. For a backend behind a proxy that rewrites paths.
	Target func(*http.Request) string
	// Replays is how many assertions are remembered, so that each is taken once.
	// 0: none, and an assertion can be sent again to the same path until it
	// expires. When the memory is full, calls are refused with 503. The gateway may
	// send a safe request twice if the connection broke; the second is refused then.
	Replays int
	// Report is told why a request was refused; nil drops it.
	Report func(r *http.Request, why *Fault)
}

// Verifier holds requests against the options. It is safe for concurrent use.
type Verifier struct {
	o          Options
	roots      func(ctx context.Context, kid string) (*ecdsa.PublicKey, error)
	statements statements
	replays    *replays
}

// New checks the options; it asks nobody.
func New(o Options) (*Verifier, error) {
	switch {
	case o.Issuer == "" || o.Audience == "":
		return nil, errors.New("verify: Issuer and Audience are required; without them an assertion of any gateway for any backend would do")
	case o.Leeway < 0 || o.Leeway > maxLeeway:
		return nil, fmt.Errorf("verify: Leeway is %s, the most is %s; mend the clock instead", o.Leeway, maxLeeway)
	case o.MaxAge < 0 || o.Refetch < 0 || o.MaxStale < 0 || o.Replays < 0:
		return nil, errors.New("verify: MaxAge, Refetch, MaxStale and Replays can't be below zero")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Leeway, o.MaxAge = orElse(o.Leeway, defaultLeeway), orElse(o.MaxAge, defaultMaxAge)
	o.Refetch, o.MaxStale = orElse(o.Refetch, defaultRefetch), orElse(o.MaxStale, defaultMaxStale)
	if o.Target == nil {
		o.Target = func(r *http.Request) string { return r.RequestURI }
	}
	v := &Verifier{o: o, roots: o.Keys, replays: newReplays(o.Replays)}
	if v.roots == nil {
		if o.JWKS == "" {
			o.JWKS = strings.TrimSuffix(o.Issuer, "/") + "/_gateway/jwks"
		}
		if err := safe(o.JWKS); err != nil {
			return nil, err
		}
		v.roots = newRoots(o).key
	}
	return v, nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// safe: keys that came over plain http are anybody's, except from this machine.
func safe(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return fmt.Errorf("verify: %q is no address to take keys from; it must be https (plain http for loopback only)", address)
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Verify believes the two texts for that method and target (path and query), or
// says why not.
func (v *Verifier) Verify(ctx context.Context, assertion, statement, method, target string) (*Caller, *Fault) {
	key, fault := v.certified(ctx, statement)
	if fault != nil {
		return nil, fault
	}
	t, err := read(assertion, Type, MaxLength)
	if err != nil {
		return nil, malformed("The assertion can't be read.", err)
	}
	if t.kid != key.kid {
		return nil, refused("assertion_other_key", "The assertion is signed with another key than the statement's.", nil)
	}
	if !t.signedBy(key.public) {
		return nil, refused("assertion_bad_signature", "The assertion's signature is not the instance's.", nil)
	}
	said, err := decode(t.payload)
	if err != nil {
		return nil, malformed("The assertion's claims can't be read.", err)
	}
	if fault := v.judge(said, key, method, target); fault != nil {
		return nil, fault
	}
	if fault := v.replays.once(said.id, said.expires.Add(v.o.Leeway), v.o.Now()); fault != nil {
		return nil, fault
	}
	return said.caller(), nil
}

// judge compares what a genuine assertion says with what happens here.
func (v *Verifier) judge(a *claims, key *certified, method, target string) *Fault {
	now := v.o.Now()
	switch {
	case a.issuer != v.o.Issuer:
		return refused("assertion_other_gateway", "The assertion is of another gateway.", nil)
	case a.audience != v.o.Audience:
		return refused("assertion_other_audience", "The assertion is for another backend.", nil)
	case !now.Before(a.expires.Add(v.o.Leeway)):
		return refused("assertion_expired", "The assertion has expired.", nil)
	case now.Before(a.issued.Add(-v.o.Leeway)), now.Before(a.notBefore.Add(-v.o.Leeway)):
		return refused("assertion_not_yet", "The assertion is not valid yet.", nil)
	case a.expires.Sub(a.issued) > v.o.MaxAge, !a.expires.After(a.issued), a.expires.After(key.expires):
		return refused("assertion_too_long", "The assertion lives longer than it may.", nil)
	case a.method != method:
		return refused("assertion_other_method", "The assertion is for another method.", nil)
	case !a.matches(target):
		return refused("assertion_other_target", "The assertion is for another path or query.", nil)
	}
	return nil
}
