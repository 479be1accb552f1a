package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Client sends requests over connections that it keeps, HTTP/1.1 only. It
// follows no redirect, knows no proxy, and decodes nothing. An answer that has
// more than one reading is an error, and its connection is closed: on a
// connection that many callers share, one caller's answer must not become
// another's.
//
// A request that finds its kept connection closed is sent once more if it is
// safe to repeat and has no body (RFC 9110 §9.2.2); nothing else is repeated.
type Client struct {
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	TLS    *tls.Config   // for https; ServerName is set to the host
	Shake  time.Duration // for a TLS handshake
	Head   int           // bytes of an answer's head
	Fields int           // header lines of an answer
	Keep   int           // connections kept for each backend
	Idle   time.Duration // how long one is kept
	Now    func() time.Time

	mu      sync.Mutex
	retired bool               // keeps nothing; see Retire
	kept    map[string][]*link // by scheme and address; the last one used stands last
}

var _ http.RoundTripper = (*Client)(nil)

// NewClient is a client with the gateway's limits.
func NewClient(now func() time.Time) *Client {
	return &Client{
		Dial: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLS: &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(64),
		},
		Shake: 5 * time.Second, Head: 256 << 10, Fields: 1 << 10,
		Keep: 256, Idle: 90 * time.Second, Now: now, kept: map[string][]*link{},
	}
}

var errGone = errors.New("the backend closed the connection")

// RoundTrip sends r and gives the answer once its head is there. The answer's
// body must be closed.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.send(r)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	return answer, nil
}

func (c *Client) send(r *http.Request) (*http.Response, error) {
	key := r.URL.Scheme + "://" + r.URL.Host
	if l := c.idle(key); l != nil {
		answer, err := l.exchange(r)
		if !errors.Is(err, errGone) || !repeatable(r) {
			return answer, err
		}
	}
	// A repeated request gets a new connection: one that brings its backend down
	// must not go through all that are kept.
	l, err := c.dial(r, key)
	if err != nil {
		return nil, err
	}
	return l.exchange(r)
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // its owner's concern
	}
}

func repeatable(r *http.Request) bool {
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	return safe && bodyless(r)
}

func bodyless(r *http.Request) bool { return r.Body == nil || r.Body == http.NoBody }

// idle is a kept connection that is still good; nil: there is none.
func (c *Client) idle(key string) *link {
	for l := c.take(key); l != nil; l = c.take(key) {
		if c.Now().Sub(l.since) < c.Idle && l.quiet() {
			return l
		}
		_ = l.nc.Close() // the backend ended it, or spoke without being asked
	}
	return nil
}

func (c *Client) take(key string) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	links := c.kept[key]
	if len(links) == 0 {
		return nil
	}
	l := links[len(links)-1]
	links[len(links)-1] = nil
	c.kept[key] = links[:len(links)-1]
	return l
}

// keep puts a connection back. The oldest goes where there are too many, or
// where it is too old: nobody else looks.
func (c *Client) keep(l *link) {
	l.since, l.out = c.Now(), kept(l.out)
	if len(l.in.buf) > keptBuffer { // nothing is in it
		l.in.buf = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		_ = l.nc.Close() // given up
		return
	}
	links := c.kept[l.key]
	if len(links) > 0 && (len(links) >= c.Keep || l.since.Sub(links[0].since) >= c.Idle) {
		_ = links[0].nc.Close() // given up
		links[0] = nil
		links = links[1:]
	}
	c.kept[l.key] = append(links, l)
}

// CloseIdleConnections ends what is kept.
func (c *Client) CloseIdleConnections() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, links := range c.kept {
		for _, l := range links {
			_ = l.nc.Close() // given up
		}
		delete(c.kept, key)
	}
}

func (c *Client) dial(r *http.Request, key string) (*link, error) {
	port, secure := "80", r.URL.Scheme == "https"
	if secure {
		port = "443"
	} else if r.URL.Scheme != "http" {
		return nil, errors.New("the backend's address is neither http nor https")
	}
	if own := r.URL.Port(); own != "" {
		port = own
	}
	nc, err := c.Dial(r.Context(), "tcp", net.JoinHostPort(r.URL.Hostname(), port))
	if err != nil {
		return nil, err
	}
	l := &link{client: c, key: key, nc: nc, tcp: nc, in: input{conn: nc}}
	if !secure {
		return l, nil
	}
	config := c.TLS.Clone()
	config.ServerName = r.URL.Hostname()
	shake := tls.Client(nc, config)
	ctx, cancel := context.WithTimeout(r.Context(), c.Shake)
	defer cancel()
	if err := shake.HandshakeContext(ctx); err != nil {
		_ = nc.Close() // of no use
		return nil, err
	}
	l.nc, l.in.conn = shake, shake
	return l, nil
}

// pieces is how much of a body is sent at a time.
const pieces = 32 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, pieces); return &b }}
