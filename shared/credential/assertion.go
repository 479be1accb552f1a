package credential

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

// assertionLife is how long a signed assertion may be used; it is sent at once.
const assertionLife = 5 * time.Minute

// ByCertificate proves the registration clientID at endpoint by a statement that
// its certificate's key signed (RFC 7523 §3; Entra's certificate credentials:
// PS256, the certificate named by x5t#S256).
func (e *Entra) ByCertificate(certificate *tls.Certificate, endpoint, clientID string) (url.Values, error) {
	key, ok := certificate.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("Entra takes certificates with RSA keys only")
	}
	now, print := e.now(), sha256.Sum256(certificate.Certificate[0])
	head := map[string]any{"typ": "JWT", "alg": "PS256", "x5t#S256": base64.RawURLEncoding.EncodeToString(print[:])}
	claims := map[string]any{
		"aud": endpoint, "iss": clientID, "sub": clientID, "jti": e.newID(),
		"nbf": now.Add(-time.Minute).Unix(), "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	text := segment(head) + "." + segment(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) // RFC 7518 §3.5
	if err != nil {
		return nil, errors.New("the certificate's key can't sign")
	}
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {text + "." + base64.RawURLEncoding.EncodeToString(signature)}}, nil
}

func segment(members map[string]any) string {
	text, _ := json.Marshal(members) // text and numbers always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}
