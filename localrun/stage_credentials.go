package main

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"tollgate/localrun/credentials"
	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// surround starts what the gateway proves itself by: a vault, the identity
// endpoint, and the echo again for those who show a certificate.
func (s *stage) surround(a *estate.Addresses, echo http.Handler) error {
	around, err := credentials.New(time.Now)
	if err != nil {
		return err
	}
	s.around = around
	for address, h := range map[*string]http.Handler{&a.Vault: around.Vault, &s.identity: around.Identity, &a.Secure: echo} {
		l, err := s.listen()
		if err != nil {
			return err
		}
		*address = "http://" + l.Addr().String()
		if address == &a.Secure {
			*address, l = "https://"+l.Addr().String(), tls.NewListener(l, around.TLS)
		}
		s.serve(l, h)
	}
	s.vault = a.Vault
	return nil
}

// openEntra starts the stand-in for Entra, and fills the vault with what it takes as proof.
func (s *stage) openEntra(l net.Listener, address string) error {
	entra, err := issuer.New(s.local.Options)
	if err != nil {
		return fmt.Errorf("the stand-in for Entra: %w", err)
	}
	entra.SetBaseURL(address)
	s.serve(l, entra)
	return s.around.Fill(s.local.Plan, entra)
}

// platform is what App Service would set for the handler. Go's verifier reads
// SSL_CERT_FILE on Linux; elsewhere the backend that demands a certificate isn't
// trusted, and its API answers 502.
func (s *stage) platform(dir string) (map[string]string, error) {
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, s.around.Authority.PEM(), 0o600); err != nil {
		return nil, fmt.Errorf("write the local authority: %w", err)
	}
	settings := map[string]string{"SSL_CERT_FILE": roots}
	maps.Copy(settings, credentials.Settings(s.identity, s.around.Header))
	return settings, nil
}
