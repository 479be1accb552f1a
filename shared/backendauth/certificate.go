package backendauth

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// parsed keeps the certificate of the secret's current text.
type parsed struct {
	mu          sync.Mutex
	text        string
	certificate *tls.Certificate
}

func (b *Backend) certificate(ctx context.Context) (*tls.Certificate, error) {
	text, err := b.sources.Secrets.Read(ctx, b.auth.Secret)
	if err != nil {
		return nil, err
	}
	c, err := b.parsed.of(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.auth.Secret, err)
	}
	if now := b.sources.Now(); now.After(c.Leaf.NotAfter) || now.Before(c.Leaf.NotBefore) {
		return nil, fmt.Errorf("%s: the certificate is valid from %s to %s only", b.auth.Secret, c.Leaf.NotBefore.UTC().Format(time.RFC3339), c.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return c, nil
}

func (p *parsed) of(text string) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.certificate != nil && p.text == text {
		return p.certificate, nil
	}
	c, err := parse(text)
	if err == nil {
		p.text, p.certificate = text, c
	}
	return c, err
}

// parse reads what Key Vault gives for a certificate: PEM, or PKCS#12 in base64
// without a password. Its errors tell nothing of what stands there.
func parse(text string) (*tls.Certificate, error) {
	if strings.Contains(text, "-----BEGIN") {
		c, err := tls.X509KeyPair([]byte(text), []byte(text))
		if err != nil {
			return nil, errors.New("it isn't a certificate with its private key in PEM")
		}
		return &c, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("it is neither PEM nor PKCS#12 in base64")
	}
	key, leaf, chain, err := pkcs12.DecodeChain(der, "")
	if err != nil {
		return nil, errors.New("it isn't PKCS#12 with one private key and no password")
	}
	private, ok := key.(crypto.Signer)
	if !ok || !matches(private, leaf) {
		return nil, errors.New("the private key isn't the certificate's")
	}
	c := &tls.Certificate{PrivateKey: private, Leaf: leaf, Certificate: [][]byte{leaf.Raw}}
	for _, above := range chain {
		c.Certificate = append(c.Certificate, above.Raw)
	}
	return c, nil
}

func matches(private crypto.Signer, leaf *x509.Certificate) bool {
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(private.Public())
}
