package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

var errUnasked = errors.New("the backend doesn't ask for the client certificate")

// Handshake secures a connection to a backend. Where config has a client
// certificate to show, a backend that doesn't ask for it is not spoken to: what
// was to be proved would go out unproved. A resumed session was begun with it.
// After an error nc is closed.
func Handshake(ctx context.Context, nc net.Conn, config *tls.Config, within time.Duration) (*tls.Conn, error) {
	config = config.Clone()
	show, sessions := config.GetClientCertificate, &proved{ClientSessionCache: config.ClientSessionCache}
	if show != nil {
		config.GetClientCertificate = func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			sessions.shown = true
			return show(i)
		}
		if config.ClientSessionCache != nil {
			config.ClientSessionCache = sessions
		}
	}
	shake := tls.Client(nc, config)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := shake.HandshakeContext(ctx)
	if err == nil && show != nil && !sessions.shown && !shake.ConnectionState().DidResume {
		err = errUnasked
	}
	if err != nil {
		_ = nc.Close() // of no use
		return nil, err
	}
	sessions.shown = true
	return shake, nil
}

// proved keeps the sessions of connections that showed the certificate, and no
// others: TLS 1.2 hands one over within the handshake, also where the
// certificate wasn't asked for.
type proved struct {
	tls.ClientSessionCache
	shown bool
}

func (p *proved) Put(name string, session *tls.ClientSessionState) {
	if p.shown || session == nil { // nil: forget it
		p.ClientSessionCache.Put(name, session)
	}
}
