package issuer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 7517 §4.8 and Entra define x5t as SHA-1: a name, not a proof
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keyBits   = 2048 // what Entra uses
	cloudName = "microsoftonline.com"

	// strangerKey as Token.Key asks for a key that was never published.
	strangerKey = "stranger"
)

// signingKey is one RSA key with the self-signed certificate that Entra wraps
// each of its keys in. The kid is the certificate's thumbprint, as at Entra, so
// that kid, x5t and x5c agree for a consumer that compares them.
type signingKey struct {
	kid         string
	private     *rsa.PrivateKey
	certificate *x509.Certificate
	published   bool // guarded by its ring's mu
}

// keyring holds one tenant's keys: the last one is current.
type keyring struct {
	now  func() time.Time
	mu   sync.Mutex
	keys []*signingKey
}

// current returns the key that signs now. The first caller makes it, while the
// others wait: a key costs tens of milliseconds, and most tests use one tenant.
func (k *keyring) current() (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lockedCurrent()
}

func (k *keyring) lockedCurrent() (*signingKey, error) {
	if len(k.keys) > 0 {
		return k.keys[len(k.keys)-1], nil
	}
	key, err := newSigningKey(k.now())
	if err != nil {
		return nil, err
	}
	key.published = true
	k.keys = append(k.keys, key)
	return key, nil
}

// named returns the key with a kid, published or withdrawn; "" is the current one.
func (k *keyring) named(kid string) (*signingKey, error) {
	switch kid {
	case "":
		return k.current()
	case strangerKey:
		return newSigningKey(k.now())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var known []string
	for _, key := range k.keys {
		if key.kid == kid {
			return key, nil
		}
		known = append(known, key.kid)
	}
	return nil, fmt.Errorf("key %q is unknown; known: %s", kid, strings.Join(append(known, strangerKey), ", "))
}

// rotate makes the next current key. The old one is made first if nobody asked
// for it yet: else keepOld would keep nothing.
func (k *keyring) rotate(keepOld bool) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.lockedCurrent(); err != nil {
		return "", err
	}
	next, err := newSigningKey(k.now())
	if err != nil {
		return "", err
	}
	if !keepOld {
		for _, key := range k.keys {
			key.published = false
		}
	}
	next.published = true
	k.keys = append(k.keys, next)
	return next.kid, nil
}

// published returns the keys of the tenant's key set.
func (k *keyring) published() ([]*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.lockedCurrent(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(k.keys), func(key *signingKey) bool { return !key.published }), nil
}

func newSigningKey(now time.Time) (*signingKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(randomBytes(16)),
		Subject:      pkix.Name{CommonName: "tollgate local issuer"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(5, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("make a signing certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a signing certificate: %w", err)
	}
	thumbprint := sha1.Sum(der) //nolint:gosec // see the import
	return &signingKey{
		kid:         base64.RawURLEncoding.EncodeToString(thumbprint[:]),
		private:     private,
		certificate: certificate,
	}, nil
}

// jwk renders the public half as Entra does. Members that RFC 7517 doesn't have
// are added for v2: the issuer that the key may sign for, and the cloud's name.
func (s *signingKey) jwk(issuer string, v version) (map[string]any, error) {
	thumbprint, err := base64.RawURLEncoding.DecodeString(s.kid)
	if err != nil {
		return nil, fmt.Errorf("render key %s: %w", s.kid, err)
	}
	text, err := jose.JSONWebKey{
		Key:                       &s.private.PublicKey,
		KeyID:                     s.kid,
		Use:                       "sig",
		Certificates:              []*x509.Certificate{s.certificate},
		CertificateThumbprintSHA1: thumbprint,
	}.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("render key %s: %w", s.kid, err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("render key %s: %w", s.kid, err)
	}
	if v == v2 {
		members["issuer"] = issuer
		members["cloud_instance_name"] = cloudName
	}
	return members, nil
}

// randomBytes never fails: crypto/rand.Read is documented to crash rather than return an error.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
