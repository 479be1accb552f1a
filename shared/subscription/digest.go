package subscription

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"tollgate/shared/contract"
)

// Secrets reads the secret behind a reference; secret.Source is one.
type Secrets interface {
	Read(ctx context.Context, ref contract.SecretRef) (string, error)
}

// minSecret: a shorter secret could be guessed from a stolen table and one key.
const minSecret = 32

// domain keeps a digest of this kind from being one of another kind under the same secret.
const domain = "tollgate subscription key 1\x00"

// digest is what is kept of a key: HMAC-SHA256 under a secret, as base64url.
func digest(ctx context.Context, secrets Secrets, ref contract.SecretRef, key string) (string, error) {
	if secrets == nil || ref == (contract.SecretRef{}) {
		return "", errors.New("there is no secret for the digests of keys")
	}
	secret, err := secrets.Read(ctx, ref)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the secret for the digests of keys: %w", err)
	case len(secret) < minSecret:
		return "", fmt.Errorf("the secret %s for the digests of keys has %d bytes; it needs %d or more", ref, len(secret), minSecret)
	}
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(domain))
	h.Write([]byte(key))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}
