package token

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
)

// saltAsDemanded: RFC 7518 §3.5: the salt of a PSS signature is as long as the
// hash. go-jose takes any length; one signature must have one reading.
func saltAsDemanded(alg string, key any, raw string, signature []byte) bool {
	hash := map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512}[alg]
	if hash == 0 {
		return true // not PSS
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return false
	}
	digest := hash.New()
	digest.Write([]byte(raw[:strings.LastIndexByte(raw, '.')]))
	return rsa.VerifyPSS(public, hash, digest.Sum(nil), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// weak tells a public key that nobody should trust: RSA under 2048 bits, or with
// a modulus that shows the flaw of Infineon's generator (ROCA, CVE-2017-15361).
func weak(key jose.JSONWebKey) bool {
	public, isRSA := key.Key.(*rsa.PublicKey)
	return isRSA && (public.N.BitLen() < minRSABits || roca(public.N))
}

// roca: primes of that generator are powers of 65537 modulo each small prime, and
// so is their product. A sound modulus passes for one with a chance below 2^-27.
func roca(n *big.Int) bool {
	for p := int64(3); p <= 167; p += 2 {
		prime := big.NewInt(p)
		if !prime.ProbablyPrime(0) {
			continue
		}
		want, power, found := new(big.Int).Mod(n, prime).Int64(), int64(1), false
		for range p {
			found = found || power == want
			power = power * 65537 % p
		}
		if !found {
			return false
		}
	}
	return true
}
