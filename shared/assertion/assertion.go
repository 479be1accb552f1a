// Package assertion signs, for each call, who calls and what: a short-lived JSON
// Web Token to one backend, which can then tell a call that came through the
// gateway from one that came around it (shared/assertion/verify).
//
// Each process makes a key of its own, which the root key certifies once an
// hour in a key statement (RFC 7800). So a call costs a signature in memory,
// not a call to the vault, and only the root's public keys need publishing,
// which are the same at every instance. Both tokens go with each request.
package assertion

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/internal/kept"
	"tollgate/shared/assertion/verify"
	"tollgate/shared/contract"
	"tollgate/shared/refusal"
)

const (
	statementLife = time.Hour
	// renewAfter leaves a quarter of an hour of a root that can't be reached, to
	// an instance that has work all the time.
	renewAfter = 45 * time.Minute
	// leastLeft of a statement is what an assertion still needs to arrive.
	leastLeft = 10 * time.Second

	patience = 5 * time.Second // of a call, while nothing certifies its instance
	spare    = time.Second     // of one that finds the statement old, but good
	pause    = 5 * time.Second // after a failure of the root

	refreshKeys = 5 * time.Minute // of the published keys
)

var base64url = base64.RawURLEncoding

// Signer signs for all APIs of a gateway. It is safe for concurrent use.
type Signer struct {
	issuer   string
	contract int
	names    []string // of the claims contract
	now      func() time.Time
	root     Root
	keys     *kept.Value[*keySet]
	instance *kept.Value[*instance]
}

// instance is this process's own key, certified.
type instance struct {
	key       *ecdsa.PrivateKey
	header    []byte // of each assertion, encoded, with the dot
	statement string
	expires   time.Time
}

// New is for the gateway of that plan. A nil root certifies nothing, so that
// every call that needs an assertion is refused. It asks nobody: the first
// request does.
func New(plan *contract.Plan, root Root, now func() time.Time) *Signer {
	if root == nil {
		root = noRoot{}
	}
	s := &Signer{issuer: plan.PublicURL, contract: plan.ClaimsContract, now: now, root: root, names: names(plan.Forward)}
	times := kept.Times{Patience: patience, Spare: spare, Pause: pause}
	s.keys = kept.New(now, times, s.publish)
	s.instance = kept.New(now, times, s.certify)
	return s
}

// certify makes a key and has the root vouch for it.
func (s *Signer) certify(ctx context.Context) (*instance, kept.Span, error) {
	now := s.now()
	span := kept.Span{Since: now.Add(-leastLeft), Renew: now.Add(renewAfter), Until: now.Add(statementLife - leastLeft)}
	roots, err := s.keys.Get(ctx)
	if err != nil {
		return nil, span, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, span, fmt.Errorf("make the instance's key: %w", err)
	}
	kid, err := jwk.Thumbprint(&key.PublicKey)
	if err != nil {
		return nil, span, err
	}
	i := &instance{key: key, header: append(header(verify.Type, kid), '.'), expires: time.Unix(now.Add(statementLife).Unix(), 0)}
	i.statement, err = s.state(ctx, roots, i, now)
	return i, span, err
}

// state is the key statement: RFC 7800 §3.2, cnf.jwk.
func (s *Signer) state(ctx context.Context, roots *keySet, i *instance, now time.Time) (string, error) {
	own, err := jwk.Append(nil, &i.key.PublicKey)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Issuer  string `json:"iss"`
		Issued  int64  `json:"iat"`
		Expires int64  `json:"exp"`
		Confirm struct {
			JWK json.RawMessage `json:"jwk"`
		} `json:"cnf"`
	}{s.issuer, now.Unix(), i.expires.Unix(), struct {
		JWK json.RawMessage `json:"jwk"`
	}{own}})
	if err != nil {
		return "", err
	}
	text := base64url.AppendEncode(append(header(verify.KeyType, roots.kid), '.'), claims)
	digest := sha256.Sum256(text)
	signature, err := s.root.Sign(ctx, roots.signs, digest)
	if err != nil {
		return "", fmt.Errorf("sign the key statement: %w", err)
	}
	// A root that signs with another key than it says would have every backend refuse for an hour.
	if !jwk.Verify(roots.signs, digest, signature) {
		return "", errors.New("sign the key statement: the signature isn't that of the root's published key")
	}
	if text = base64url.AppendEncode(append(text, '.'), signature); len(text) > verify.MaxKeyLength {
		return "", fmt.Errorf("the key statement has %d bytes, the most is %d; shorten publicURL", len(text), verify.MaxKeyLength)
	}
	return string(text), nil
}

// header is a JOSE header (RFC 7515 §4), encoded. Thumbprints and types need no escaping.
func header(typ, kid string) []byte {
	return base64url.AppendEncode(nil, []byte(`{"alg":"ES256","kid":"`+kid+`","typ":"`+typ+`"}`))
}

func unavailable(err error) *refusal.Refusal {
	return refusal.New(refusal.Unavailable, "assertion_unavailable", "The gateway can't prove itself to the backend now.").
		By("backend.assertion").Retry(pause).Because(err)
}
