package wire_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"tollgate/shared/wire"
)

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (b untouched) Read([]byte) (int, error) {
	b.t.Error("the body was read, want it untouched")
	return 0, io.EOF
}

func TestAFailureBeforeTheFirstByteSaysSo(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		scheme string
		dial   func(context.Context, string, string) (net.Conn, error)
		want   string
	}{
		"no connection": {"http", func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "connection refused"},
		"no handshake": {"https", func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() { _, _ = io.CopyN(io.Discard, far, 1); _ = far.Close() }()
			return near, nil
		}, ""},
		"another's handshake": {"https", func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				go func() { _, _ = io.Copy(io.Discard, far) }()
				_, _ = io.WriteString(far, "HTTP/1.1 400 Bad Request\r\n\r\n")
				_ = far.Close()
			}()
			return near, nil
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t)
			client.Dial = c.dial
			_, err := client.RoundTrip(outgoing(t, "POST", c.scheme+"://backend.internal", untouched{t}))
			if !errors.Is(err, wire.ErrNotSent) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), wire.ErrNotSent.Error()) {
				t.Errorf("got %v, want ErrNotSent with the cause's text", err)
			}
		})
	}
	if err := wire.NotSent(&tls.CertificateVerificationError{Err: errors.New("x")}); !errors.Is(err, wire.ErrNotSent) {
		t.Errorf("got %v, want ErrNotSent", err)
	} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("got %v, want its cause to be found", err)
	}
}

// A request that went out over a kept connection and then finds no other has been sent.
func TestAFailureAfterAFirstTryIsNotOneBeforeTheFirstByte(t *testing.T) {
	b, c := listen(t, func(p *peer, nth int) {
		for n := 0; ; n++ {
			if _, _, err := p.request(); err != nil || n == 1 {
				return // hangs up on the second request
			}
			_, _ = io.WriteString(p, ok)
		}
	}), newClient(t)
	mustAsk(t, c, outgoing(t, "GET", b.url, nil))
	c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
	if _, err := c.RoundTrip(outgoing(t, "GET", b.url, nil)); err == nil || errors.Is(err, wire.ErrNotSent) {
		t.Errorf("got %v, want an error that doesn't say nothing was sent", err)
	}
}

func TestARequestThatCantBeSentSaysSo(t *testing.T) {
	b, c := listen(t, answering(ok)), newClient(t)
	r := outgoing(t, "GET", b.url, nil)
	r.Header["X-A"] = []string{"a\nb"}
	if _, err := c.RoundTrip(r); !errors.Is(err, wire.ErrUnsendable) {
		t.Errorf("got %v, want ErrUnsendable", err)
	}
}
