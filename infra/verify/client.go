package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"tollgate/shared/contract"
)

// answer is an Exchange with what is needed to judge it and isn't kept.
type answer struct {
	Exchange
	header http.Header
	body   []byte
	reason string // of the status line
	port   string // that was asked
	met    bool   // somebody took the connection
	err    error  // there was no answer
}

// client asks. It follows no redirect and uses no proxy: what a proxy makes of a
// request is not what the estate says to it.
type client struct {
	Outside
	strict, any http.RoundTripper
	made        atomic.Int64
}

func newClient(out Outside) *client {
	c := &client{Outside: out}
	transport := func(t *tls.Config) *http.Transport {
		return &http.Transport{
			DialContext: c.dial, TLSClientConfig: t, TLSHandshakeTimeout: requestTime,
			DisableCompression: true, MaxResponseHeaderBytes: maxBody, MaxIdleConnsPerHost: atOnce,
		}
	}
	c.strict = transport(&tls.Config{RootCAs: out.Roots, MinVersion: tls.VersionTLS12})
	// Whether a backend answers doesn't depend on its certificate. Nothing secret is sent there.
	c.any = transport(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // see above
	return c
}

func (c *client) close() {
	for _, t := range []http.RoundTripper{c.strict, c.any} {
		t.(*http.Transport).CloseIdleConnections()
	}
}

func (c *client) count() int { return int(c.made.Load()) }

// errNoAddress: the name has none.
var errNoAddress = errors.New("the name has no address")

// lookup is the addresses of a host, which may be one itself.
func (c *client) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	addrs, err := c.Resolve(ctx, host)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil, errNoAddress
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	if len(addrs) == 0 {
		return nil, errNoAddress
	}
	return addrs, nil
}

// metKey is of what dial tells ask.
type metKey struct{}

// dial tries the first addresses of a name, as everybody does.
func (c *client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := c.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, a := range addrs[:min(len(addrs), 3)] {
		conn, err := c.Dial(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			if met, ok := ctx.Value(metKey{}).(*atomic.Bool); ok {
				met.Store(true)
			}
			return conn, nil
		}
		faults = append(faults, err)
	}
	return nil, errors.Join(faults...)
}

// request is one to be made. About says of it what its line doesn't.
type request struct {
	method, address string
	header          http.Header
	about           string
	anyCertificate  bool
}

func (c *client) ask(ctx context.Context, q request) answer {
	a := answer{Exchange: Exchange{At: c.Now().UTC(), Request: q.method + " " + q.address}}
	if q.about != "" {
		a.Request += ", " + q.about
	}
	if ctx.Err() != nil {
		return a.failed(errors.New("the time for all probes ran out"))
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var met atomic.Bool
	ctx = context.WithValue(ctx, metKey{}, &met)
	r, err := http.NewRequestWithContext(ctx, q.method, q.address, nil)
	if err != nil {
		return a.failed(err)
	}
	if a.port = r.URL.Port(); a.port == "" {
		a.port = map[string]string{"http": "80", "https": "443"}[r.URL.Scheme]
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "tollgate-verify")
	}
	via := c.strict
	if q.anyCertificate {
		via = c.any
	}
	c.made.Add(1)
	resp, err := via.RoundTrip(r)
	a.met = met.Load()
	if err != nil {
		return a.timed(c).failed(err)
	}
	defer resp.Body.Close()
	a.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxBody)) // what came is what is judged
	a.header, a.Status, a.Correlation = resp.Header, resp.StatusCode, short(resp.Header.Get("X-Correlation-Id"))
	_, a.reason, _ = strings.Cut(resp.Status, " ")
	a.Code = codeOf(&a)
	return a.timed(c)
}

func (a answer) timed(c *client) answer {
	a.Millis = c.Now().Sub(a.At).Milliseconds()
	return a
}

func (a answer) failed(err error) answer {
	a.err, a.Said = err, short(err.Error())
	return a
}

// short bounds what somebody else wrote: its first line, and of that not all.
func short(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

// inside tells addresses that nobody reaches from outside.
func inside(addrs []netip.Addr) bool {
	for _, a := range addrs {
		if !contract.Private(a) {
			return false
		}
	}
	return true
}

func list(addrs []netip.Addr) string {
	var out []string
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}
