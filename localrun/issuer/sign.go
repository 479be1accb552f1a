package issuer

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // registers SHA-256 for crypto.Hash
	_ "crypto/sha512" // registers SHA-384 and SHA-512
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// header is the JOSE header that Entra writes: typ is JWT, never at+jwt, and only v1 repeats the kid as x5t.
func (s *signingKey) header(v version) map[string]any {
	header := map[string]any{"typ": "JWT", "alg": "RS256", "kid": s.kid}
	if v == v1 {
		header["x5t"] = s.kid
	}
	return header
}

// sign writes the compact form (RFC 7515 §7.1). It is done by hand because a
// library rightly refuses the headers that a stand-in must be able to write: no
// alg, a false one, an unknown crit.
func sign(key *signingKey, header, claims map[string]any) (string, error) {
	head, err := segment(header)
	if err != nil {
		return "", fmt.Errorf("write the token's header: %w", err)
	}
	body, err := segment(claims)
	if err != nil {
		return "", fmt.Errorf("write the token's claims: %w", err)
	}
	text := head + "." + body
	signature, err := key.signature(header["alg"], []byte(text))
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func segment(members map[string]any) (string, error) {
	text, err := json.Marshal(members)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// signature makes what alg promises. An alg that is missing or that an RSA key
// can't honour gets the RS256 signature: then the header is the only lie.
func (s *signingKey) signature(alg any, text []byte) ([]byte, error) {
	switch alg {
	case "none":
		return nil, nil
	case "HS256":
		return s.confused(crypto.SHA256, text)
	case "HS384":
		return s.confused(crypto.SHA384, text)
	case "HS512":
		return s.confused(crypto.SHA512, text)
	case "RS384":
		return s.pkcs1(crypto.SHA384, text)
	case "RS512":
		return s.pkcs1(crypto.SHA512, text)
	case "PS256":
		return s.pss(crypto.SHA256, text)
	case "PS384":
		return s.pss(crypto.SHA384, text)
	case "PS512":
		return s.pss(crypto.SHA512, text)
	}
	return s.pkcs1(crypto.SHA256, text)
}

func (s *signingKey) pkcs1(hash crypto.Hash, text []byte) ([]byte, error) {
	return rsa.SignPKCS1v15(rand.Reader, s.private, hash, sum(hash, text))
}

func (s *signingKey) pss(hash crypto.Hash, text []byte) ([]byte, error) {
	// RFC 7518 §3.5: the salt is as long as the hash.
	return rsa.SignPSS(rand.Reader, s.private, hash, sum(hash, text), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
}

// confused is the algorithm-confusion attack (RFC 8725 §2.1): the public key's PEM, which everybody has, as an HMAC secret.
func (s *signingKey) confused(hash crypto.Hash, text []byte) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		return nil, err
	}
	mac := hmac.New(hash.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write(text)
	return mac.Sum(nil), nil
}

func sum(hash crypto.Hash, text []byte) []byte {
	h := hash.New()
	h.Write(text)
	return h.Sum(nil)
}
