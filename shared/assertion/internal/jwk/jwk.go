// Package jwk writes and reads public P-256 keys as JSON Web Keys (RFC 7517,
// RFC 7518 §6.2), and signs and verifies with them as ES256 asks (RFC 7518 §3.4).
package jwk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

const half = 32 // bytes of a coordinate, and of each part of a signature

var base64url = base64.RawURLEncoding.Strict()

// Append writes the required members in the order of their names, without white
// space: what RFC 7638 §3 takes the thumbprint of. The error is of a key that
// isn't on P-256.
func Append(dst []byte, key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes()
	if err != nil {
		return dst, err
	}
	if len(point) != 1+2*half {
		return dst, errors.New("the key isn't on P-256")
	}
	dst = append(dst, `{"crv":"P-256","kty":"EC","x":"`...)
	dst = base64url.AppendEncode(dst, point[1:1+half])
	dst = append(dst, `","y":"`...)
	dst = base64url.AppendEncode(dst, point[1+half:])
	return append(dst, `"}`...), nil
}

// Thumbprint is RFC 7638, with SHA-256.
func Thumbprint(key *ecdsa.PublicKey) (string, error) {
	text, err := Append(nil, key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return base64url.EncodeToString(sum[:]), nil
}

// Parse is the key of two coordinates, each canonical base64url of 32 bytes.
func Parse(x, y string) (*ecdsa.PublicKey, error) {
	point := []byte{4} // uncompressed, SEC 1 §2.3.3
	for _, text := range []string{x, y} {
		var err error
		if len(text) != base64url.EncodedLen(half) { // Go's decoder skips line breaks
			return nil, fmt.Errorf("a coordinate has %d characters, want %d", len(text), base64url.EncodedLen(half))
		}
		if point, err = base64url.AppendDecode(point, []byte(text)); err != nil {
			return nil, err
		}
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

// Sign is the signature of what has that digest: r and s, 32 bytes each.
func Sign(key *ecdsa.PrivateKey, digest [sha256.Size]byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	out := make([]byte, 2*half)
	r.FillBytes(out[:half])
	s.FillBytes(out[half:])
	return out, nil
}

// Verify tells whether the signature is the key's.
func Verify(key *ecdsa.PublicKey, digest [sha256.Size]byte, signature []byte) bool {
	if len(signature) != 2*half {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	return ecdsa.Verify(key, digest[:], r, s)
}
