package assertion

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"tollgate/shared/assertion/internal/jwk"
)

// Root is the key that certifies the instances' own keys. Its private half
// needn't be where the gateway runs.
type Root interface {
	// Keys are the public keys to publish. The first one signs; the others signed
	// before, or will, and what they sign must be believed too.
	Keys(ctx context.Context) ([]*ecdsa.PublicKey, error)
	// Sign signs the text of that SHA-256 digest with one of them, as RFC 7518 §3.4
	// has it: r and s, 32 bytes each.
	Sign(ctx context.Context, key *ecdsa.PublicKey, digest [sha256.Size]byte) ([]byte, error)
}

// NewProcessRoot is a root that lives and ends with this process. What it
// certifies means nothing to whoever asks another process for its keys.
func NewProcessRoot() Root {
	return &processRoot{make: sync.OnceValues(func() (*ecdsa.PrivateKey, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	})}
}

type processRoot struct {
	make func() (*ecdsa.PrivateKey, error)
}

var _ Root = (*processRoot)(nil)

func (r *processRoot) Keys(context.Context) ([]*ecdsa.PublicKey, error) {
	key, err := r.make()
	if err != nil {
		return nil, fmt.Errorf("make a root key: %w", err)
	}
	return []*ecdsa.PublicKey{&key.PublicKey}, nil
}

func (r *processRoot) Sign(_ context.Context, public *ecdsa.PublicKey, digest [sha256.Size]byte) ([]byte, error) {
	key, err := r.make()
	if err != nil {
		return nil, fmt.Errorf("make a root key: %w", err)
	}
	if !key.PublicKey.Equal(public) {
		return nil, errors.New("there is no such root key")
	}
	return jwk.Sign(key, digest)
}

// noRoot is where nobody gave one: silence refuses.
type noRoot struct{}

func (noRoot) Keys(context.Context) ([]*ecdsa.PublicKey, error) {
	return nil, errors.New("the gateway was given no root key")
}

func (noRoot) Sign(context.Context, *ecdsa.PublicKey, [sha256.Size]byte) ([]byte, error) {
	return nil, errors.New("the gateway was given no root key")
}
