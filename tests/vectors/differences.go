package vectors

import "fmt"

// Difference is why the gateway's answer to a vector isn't the vector's, on
// purpose; "" where the two must agree. DIVERGENCES.md has the same list.
func Difference(v Vector) string { return differences()[v.Name()] }

func differences() map[string]string {
	out := map[string]string{}
	because := func(reason, file string, ids ...int) {
		for _, id := range ids {
			out[fmt.Sprintf("%s %d", file, id)] = reason
		}
	}
	const (
		signature, crypto, key = "json_web_signature_test", "json_web_crypto_test", "json_web_key_test"

		symmetric = "HMAC: no contract can allow it; an issuer and a gateway share no secret (RFC 8725 §2.1)"
		encrypted = "encrypted: a JWE is refused unread (RFC 8725 §2.4)"
		empty     = "an empty payload holds no claims"
		keysAlg   = "the key says PS256 and the token PS384: a key's own alg binds (RFC 8725 §3.1)"
		noSuchAlg = "the key says alg ES521, which doesn't exist; a key's own alg binds"
	)
	because(symmetric, signature, 1, 348, 352, 357, 358, 359, 372, 373, 376, 377)
	because(symmetric, crypto, 1, 48)
	because(symmetric, key, 2, 13, 14, 15)
	because(encrypted, crypto, 50, 67)
	because(empty, signature, 259, 264, 268, 272, 320, 325)
	because(keysAlg, signature, 346, 350)
	because(noSuchAlg, signature, 347, 351)
	return out
}
