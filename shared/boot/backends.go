package boot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"tollgate/shared/backendauth"
	"tollgate/shared/contract"
	"tollgate/shared/credential"
	"tollgate/shared/gateway"
	"tollgate/shared/pipeline"
	"tollgate/shared/secret"
	"tollgate/shared/wire"
)

// Outside is what Parts takes from the process around it.
type Outside struct {
	Getenv func(string) string // asked at each use for what the platform may change: the identity's endpoint
	Roots  *x509.CertPool      // whom backends' certificates are trusted by; nil: the system's
}

// backends are the ways to backends, and the gateway's credentials for them.
type backends struct {
	outside Outside
	sources backendauth.Sources
	vaults  secret.Vaults // the same, for what signs in a vault
	plain   *wire.Client  // for every API without a connection of its own kind

	mu  sync.Mutex
	own map[string]*backendauth.Backend // by API: its prover and its transport ask the same one
}

// newBackends does no network. The gateway's own requests for tokens and secrets
// have connections of their own, apart from those for issuers' keys.
func newBackends(o Outside) *backends {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	identity := credential.NewIdentity(func() (string, string) { return o.Getenv(IdentityEndpoint), o.Getenv(IdentityHeader) }, transport, time.Now)
	vaults := secret.Vaults{Tokens: identity, Transport: transport}
	return &backends{
		vaults: vaults, outside: o, plain: client(tlsConfig(o, nil)), own: map[string]*backendauth.Backend{},
		sources: backendauth.Sources{
			Tokens: identity, Entra: credential.NewEntra(identity, transport, time.Now, newID), Now: time.Now,
			Secrets: secret.NewSource(vaults, time.Now),
		},
	}
}

// join makes them parts of a gateway.
func (b *backends) join(p *gateway.Parts) {
	p.Backends, p.Provers = b.transport, func(api contract.PlannedAPI) []pipeline.Prover { return b.credential(api).Provers() }
	p.AssertionRoot = assertionRoot(b.vaults)
}

func (b *backends) credential(api contract.PlannedAPI) *backendauth.Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	own, made := b.own[api.Name]
	if !made {
		own = backendauth.For(api, b.sources)
		b.own[api.Name] = own
	}
	return own
}

// transport carries requests to one API's backend.
func (b *backends) transport(api contract.PlannedAPI) http.RoundTripper {
	if api.Backend.Auth == nil || api.Backend.Auth.Kind != contract.AuthCertificate {
		return b.plain
	}
	return &shown{certificate: b.credential(api).Certificate, connect: func(c *tls.Certificate) *wire.Client { return client(tlsConfig(b.outside, c)) }}
}

func client(config *tls.Config) *wire.Client {
	c := wire.NewClient(time.Now)
	c.TLS = config
	return c
}

// tlsConfig is how connections to backends are secured.
func tlsConfig(o Outside, certificate *tls.Certificate) *tls.Config {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, RootCAs: o.Roots,
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}
	if certificate != nil {
		// Not Certificates: from those Go picks by what the server says it takes, and
		// shows none if none fits.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return config
}

// shown carries requests over connections that show a client certificate. One
// that was replaced is shown no more: its connections, and the TLS sessions that
// could resume them, belong to a client that is then put away.
type shown struct {
	certificate func(context.Context) (*tls.Certificate, error)
	connect     func(*tls.Certificate) *wire.Client

	mu      sync.Mutex
	current *tls.Certificate
	client  *wire.Client
}

func (s *shown) RoundTrip(r *http.Request) (*http.Response, error) {
	certificate, err := s.certificate(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // its owner's concern
		}
		return nil, err
	}
	return s.with(certificate).RoundTrip(r)
}

func (s *shown) with(certificate *tls.Certificate) *wire.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != certificate {
		if s.client != nil {
			s.client.Retire()
		}
		s.current, s.client = certificate, s.connect(certificate)
	}
	return s.client
}
