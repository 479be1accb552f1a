package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"time"

	"tollgate/localrun/credentials"
	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// surround starts what the gateway proves itself by: a vault, the identity
// endpoint, and the echo again for those who show a certificate; and finds the tables.
func (s *stage) surround(ctx context.Context, a *estate.Addresses, echo http.Handler) error {
	around, err := credentials.New(time.Now)
	if err != nil {
		return err
	}
	s.around = around
	for address, h := range map[*string]http.Handler{&a.Vault: around.Vault, &s.identity: around.Identity, &s.sts: around.STS, &a.Secure: echo} {
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
	if err := s.openTables(ctx); err != nil {
		return err
	}
	a.Tables, s.vault, a.CA = s.tables, a.Vault, string(around.Authority.PEM())
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

// platform is what App Service would set for the handler.
func (s *stage) platform() map[string]string {
	settings := credentials.Settings(s.identity, s.around.Header)
	maps.Copy(settings, s.tablesSetting())
	return settings
}
