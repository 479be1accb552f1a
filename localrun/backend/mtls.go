package backend

import (
	"crypto/tls"
	"crypto/x509"
)

// MutualTLS is how a backend listens that demands a client certificate of one of
// the authorities in clients, and shows own.
func MutualTLS(own tls.Certificate, clients *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}
}
