package assertion

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/internal/kept"
	"tollgate/shared/refusal"
)

// keySet is the root's public keys, as they are published.
type keySet struct {
	signs *ecdsa.PublicKey
	kid   string // its thumbprint
	body  []byte // RFC 7517 §5
}

// KeySet is the document at /_gateway/jwks. Keys once read are given for as long
// as no newer ones can be had: a backend is better off with them than with none.
func (s *Signer) KeySet(ctx context.Context) ([]byte, *refusal.Refusal) {
	set, err := s.keys.Get(ctx)
	if err != nil {
		return nil, refusal.New(refusal.Unavailable, "assertion_unavailable", "The gateway's public keys are not to be had now.").Retry(pause).Because(err)
	}
	return set.body, nil
}

func (s *Signer) publish(ctx context.Context) (*keySet, kept.Span, error) {
	now := s.now()
	span := kept.Span{Since: now.Add(-leastLeft), Renew: now.Add(refreshKeys)}
	keys, err := s.root.Keys(ctx)
	if err != nil {
		return nil, span, fmt.Errorf("read the root keys: %w", err)
	}
	if len(keys) == 0 {
		return nil, span, errors.New("read the root keys: there is none")
	}
	set := &keySet{signs: keys[0], body: []byte(`{"keys":[`)}
	for i, key := range keys {
		kid, err := jwk.Thumbprint(key)
		if err != nil {
			return nil, span, fmt.Errorf("root key %d: %w", i, err)
		}
		if i == 0 {
			set.kid = kid
		} else {
			set.body = append(set.body, ',')
		}
		if set.body, err = jwk.Append(set.body, key); err != nil {
			return nil, span, err
		}
		set.body = set.body[:len(set.body)-1] // go on in the object
		set.body = append(set.body, `,"alg":"ES256","kid":"`+kid+`","use":"sig"}`...)
	}
	set.body = append(set.body, "]}"...)
	return set, span, nil
}
