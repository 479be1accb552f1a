package boot

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"tollgate/shared/wire"
)

// http2 is a transport for HTTP/2 that tells what was never sent.
type http2 struct{ *http.Transport }

// overHTTP2 has the limits and the TLS of like. There is no way back to HTTP/1.1:
// a contract that names one protocol means it.
func overHTTP2(like *wire.Client) http2 {
	only := new(http.Protocols)
	only.SetHTTP2(true)
	only.SetUnencryptedHTTP2(true) // for http:// addresses, with prior knowledge (RFC 9113 §3.3)
	config := like.TLS.Clone()
	config.NextProtos = []string{"h2"}
	return http2{&http.Transport{
		Protocols: only, DialContext: like.Dial, DialTLSContext: shakeHTTP2(like.Dial, config, like.Shake),
		DisableCompression:     true, // what the caller accepts is passed on as it is
		MaxResponseHeaderBytes: int64(like.Head), IdleConnTimeout: like.Idle,
		// A frozen function wakes up with connections that ended meanwhile.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}}
}

// shakeHTTP2 insists on HTTP/2: with a backend that ignores ALPN (RFC 7301),
// net/http would speak HTTP/1.1, and read it laxly.
func shakeHTTP2(dial dialer, config *tls.Config, within time.Duration) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		config := config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(address) // the transport always gives both
		shake, err := wire.Handshake(ctx, nc, config, within)
		if err != nil {
			return nil, err
		}
		if shake.ConnectionState().NegotiatedProtocol != "h2" {
			_ = shake.Close() // of no use
			return nil, errors.New("the backend doesn't speak HTTP/2")
		}
		return shake, nil
	}
}

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// RoundTrip tells a connection that never was from one that broke, and from a
// request that the connection takes no part of: its head is larger than the
// backend says it takes (RFC 9113 §6.5.2), which is no failure of the backend's.
func (t http2) RoundTrip(r *http.Request) (*http.Response, error) {
	var connected, begun atomic.Bool
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { connected.Store(true) },
		WroteHeaders: func() { begun.Store(true) },
	})
	r = r.WithContext(ctx)
	if _, said := r.Header["User-Agent"]; !said {
		r.Header["User-Agent"] = nil // or the transport would name itself
	}
	if safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions; r.Body == nil && !safe {
		r.Body = once{} // net/http repeats what has no body after a stream was reset, whatever the method
	}
	resp, err := t.Transport.RoundTrip(r)
	switch {
	case err == nil:
	case !connected.Load():
		err = wire.NotSent(err)
	case !begun.Load() && ctx.Err() == nil:
		err = fmt.Errorf("%w: %w", wire.ErrUnsendable, err)
	}
	return resp, err
}

// Retire lets what is under way end; what is idle ends now, and the rest once it is.
func (t http2) Retire() { t.CloseIdleConnections() }

// once is an empty body that can't be sent again.
type once struct{}

func (once) Read([]byte) (int, error) { return 0, io.EOF }
func (once) Close() error             { return nil }
