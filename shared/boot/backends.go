package boot

import (
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
	Now    func() time.Time    // nil: the real clock
	probe  *probe              // measures what the parts do; nil: nothing does
	role   *role               // on AWS; nil: the managed identity
	pools  *pools              // of what is kept; nil: nobody wants to know
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
	if o.Now == nil {
		o.Now = time.Now
	}
	transport := o.transport()
	// The platform's endpoint is on this machine, in plain http, and its header is a
	// secret: no proxy is to see it.
	near := o.transport()
	near.Proxy = nil
	identity := o.identity(transport, near)
	vaults := secret.Vaults{Tokens: identity, Transport: transport}
	return &backends{
		vaults: vaults, outside: o, plain: o.client(tlsConfig("", nil)), own: map[string]*backendauth.Backend{},
		sources: backendauth.Sources{
			Tokens: identity, Entra: credential.NewEntra(identity, transport, o.Now, newID), Now: o.Now,
			Secrets: secret.NewSource(vaults, o.Now),
		},
	}
}

// identity is who the gateway is to Entra. near carries what must pass no proxy.
func (o Outside) identity(transport, near http.RoundTripper) *credential.Identity {
	if o.role != nil {
		return credential.NewFederated(o.role.sts.Token, o.role.endpoint, transport, o.Now)
	}
	return credential.NewIdentity(func() (string, string) { return o.Getenv(IdentityEndpoint), o.Getenv(IdentityHeader) }, near, o.Now)
}

// join makes them parts of a gateway.
func (b *backends) join(p *gateway.Parts) {
	p.Backends, p.Provers = b.transport, func(api contract.PlannedAPI) []pipeline.Prover { return b.credential(api).Provers() }
	p.Secrets = b.sources.Secrets
	p.AssertionRoot = assertionRoot(b.vaults, b.outside.Now)
	newStore(b.outside, b.vaults.Tokens, b.sources.Secrets).join(p)
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

// transport carries requests to one API's backend. All that ask for nothing
// special share one, and with it its connections; trust, protocol and
// certificate are each API's own, for a connection that one API trusts must not
// carry another's call.
func (b *backends) transport(api contract.PlannedAPI) http.RoundTripper {
	back := api.Backend
	certified := back.Auth != nil && back.Auth.Kind == contract.AuthCertificate
	if back.CA == "" && !back.HTTP2 && !certified {
		return b.plain
	}
	connect := func(certificate *tls.Certificate) retirable {
		own := b.outside.client(tlsConfig(back.CA, certificate))
		if back.HTTP2 {
			return overHTTP2(own)
		}
		return own
	}
	if certified {
		return &shown{certificate: b.credential(api).Certificate, connect: connect}
	}
	return connect(nil)
}

func (o Outside) client(config *tls.Config) *wire.Client {
	c := wire.NewClient(o.Now)
	c.TLS = config
	o.pools.add(c)
	return c
}

// tlsConfig is how connections to backends are secured.
func tlsConfig(ca string, certificate *tls.Certificate) *tls.Config {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}
	if ca != "" {
		config.RootCAs = x509.NewCertPool() // and not the system's: any public authority could vouch for a private name
		config.RootCAs.AppendCertsFromPEM([]byte(ca))
	}
	if certificate != nil {
		// Not Certificates: from those Go picks by what the server says it takes, and
		// shows none if none fits.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return config
}
