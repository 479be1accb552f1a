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
	show, asked := config.GetClientCertificate, false
	if show != nil {
		config.GetClientCertificate = func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return show(i)
		}
	}
	shake := tls.Client(nc, config)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := shake.HandshakeContext(ctx)
	if err == nil && show != nil && !asked && !shake.ConnectionState().DidResume {
		err = errUnasked
	}
	if err != nil {
		_ = nc.Close() // of no use
		return nil, err
	}
	return shake, nil
}
