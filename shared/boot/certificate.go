package boot

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
)

// retirable is a transport that can be put away: what it carries ends, and
// nothing more is carried over its connections.
type retirable interface {
	http.RoundTripper
	Retire()
}

// shown carries requests over connections that show a client certificate. One
// that was replaced is shown no more: its connections, and the TLS sessions that
// could resume them, belong to a client that is then put away.
type shown struct {
	certificate func(context.Context) (*tls.Certificate, error)
	connect     func(*tls.Certificate) retirable

	mu      sync.Mutex
	current *tls.Certificate
	client  retirable
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

func (s *shown) with(certificate *tls.Certificate) http.RoundTripper {
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
