package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/shared/wire"
)

// corked holds back what is written until it is pulled, and then sends it in one piece.
type corked struct {
	net.Conn
	mu   sync.Mutex
	in   bool
	held []byte
}

func (c *corked) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *corked) cork(in bool) {
	c.mu.Lock()
	c.in = in
	held := c.held
	c.held = nil
	c.mu.Unlock()
	if len(held) > 0 {
		_, _ = c.Conn.Write(held)
	}
}

// secure listens with TLS for "127.0.0.1" and gives a client that trusts it.
func secure(t testing.TB, serve func(p *peer, nth int)) (*backend, *wire.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	b := listenOn(t, "https", l, func(p *peer, nth int) {
		below := &corked{Conn: p.Conn}
		nc := tls.Server(below, config)
		defer nc.Close()
		serve(newPeer(t, &uncorked{nc, below}, nil), nth)
	})
	c := newClient(t)
	c.TLS.RootCAs = x509.NewCertPool()
	cert, _ := x509.ParseCertificate(der) // made above
	c.TLS.RootCAs.AddCert(cert)
	return b, c
}

type uncorked struct {
	*tls.Conn
	below *corked
}

func TestTLSConnectionsAreUsedAgain(t *testing.T) {
	b, c := secure(t, answering(ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
	for range 5 {
		if got := mustAsk(t, c, outgoing(t, "POST", b.url, odd{strings.NewReader(strings.Repeat("x", 100_000))})); got.Body != "ok" {
			t.Errorf("got %q, want ok", got.Body)
		}
	}
	if got := b.conns.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestABackendThatIsSomebodyElseIsNotSpokenTo(t *testing.T) {
	b, c := secure(t, func(p *peer, _ int) {
		if r, _, err := p.request(); err == nil {
			t.Errorf("got %s, want no request", r.URL)
		}
	})
	for name, change := range map[string]func(*wire.Client) string{
		"an unknown issuer": func(c *wire.Client) string { c.TLS.RootCAs = x509.NewCertPool(); return b.url },
		"another name":      func(*wire.Client) string { return strings.Replace(b.url, "127.0.0.1", "localhost", 1) },
	} {
		other := newClient(t)
		other.TLS.RootCAs = c.TLS.RootCAs
		_, err := ask(other, outgoing(t, "GET", change(other), nil))
		if _, is := errors.AsType[*tls.CertificateVerificationError](err); !is {
			t.Errorf("%s: got %v, want the certificate refused", name, err)
		}
	}
}

// RFC 8446 §6.1: without close_notify somebody may have cut the rest off.
func TestAnAnswerUntilTheEndNeedsTheEndOfTLS(t *testing.T) {
	b, c := secure(t, func(p *peer, nth int) {
		_, _, _ = p.request()
		_, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\n\r\nhello")
		if nth == 1 {
			_ = p.Conn.(*uncorked).below.Close() // no close_notify
		}
	})
	if got, err := ask(c, outgoing(t, "GET", b.url, nil)); err != nil || got.Err == nil {
		t.Errorf("got %q (%v, %v), want a body that breaks off", got.Body, err, got.Err)
	}
	if got := mustAsk(t, c, outgoing(t, "GET", b.url, nil)); got.Body != "hello" {
		t.Errorf("got %q, want hello", got.Body)
	}
}

// What TLS has read ahead is not at the socket any more; it is no answer all the same.
func TestWhatABackendSaysUnaskedBehindTLSIsNobodysAnswer(t *testing.T) {
	whole := "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n" + strings.Repeat("x", 6000)
	const bad = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
	for name, pieces := range map[string][]string{"in one record": {whole + bad}, "in a record of its own": {whole, bad}} {
		t.Run(name, func(t *testing.T) {
			b, c := secure(t, func(p *peer, nth int) {
				for {
					if _, _, err := p.request(); err != nil {
						return
					}
					p.Conn.(*uncorked).below.cork(true)
					for _, text := range pieces {
						_, _ = io.WriteString(p, text)
					}
					p.Conn.(*uncorked).below.cork(false)
				}
			})
			for range 3 {
				if got := mustAsk(t, c, outgoing(t, "GET", b.url, nil)); len(got.Body) != 6000 {
					t.Errorf("got %q, want the answer to what was asked", got.Body)
				}
			}
		})
	}
}

func TestAHandshakeThatHangsIsEndedInTime(t *testing.T) {
	b := listen(t, func(p *peer, _ int) { _, _ = io.Copy(io.Discard, p) })
	c := newClient(t)
	c.Shake = 50 * time.Millisecond
	if _, err := ask(c, outgoing(t, "GET", strings.Replace(b.url, "http", "https", 1), nil)); err == nil {
		t.Error("got an answer, want the handshake ended")
	}
}

// A certificate that nobody asked for proved nothing.
func TestABackendThatDoesntAskForTheCertificateIsNotSpokenTo(t *testing.T) {
	b, c := secure(t, func(p *peer, _ int) {
		if _, err := p.in.ReadByte(); err == nil {
			t.Error("got a request, want none without the certificate")
		}
	})
	c.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	if _, err := ask(c, outgoing(t, "GET", b.url, nil)); err == nil || !strings.Contains(err.Error(), "doesn't ask for the client certificate") {
		t.Errorf("got %v, want the call given up", err)
	}
}

// TLS 1.2 hands its session over within the handshake, so also in one that was
// given up for showing nothing. Resuming it would show as little.
func TestASessionThatShowedNoCertificateIsNotResumed(t *testing.T) {
	b, c := secure(t, func(p *peer, _ int) {
		if _, err := p.in.ReadByte(); err == nil {
			t.Error("got a request, want none without the certificate")
		}
	})
	c.TLS.MaxVersion = tls.VersionTLS12
	c.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	c.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	for range 3 {
		if _, err := ask(c, outgoing(t, "GET", b.url, nil)); err == nil || !strings.Contains(err.Error(), "doesn't ask for the client certificate") {
			t.Errorf("got %v, want the call given up", err)
		}
	}
}
