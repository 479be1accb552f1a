// Package sdk is how this gateway uses clients of the Azure SDK: with the
// gateway's own tokens, transport and patience, without the SDK's retries, and
// with answers of bounded size.
package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Tokens are the gateway's own, for the scope that a service asks for.
type Tokens interface {
	Token(ctx context.Context, id, scope string) (string, error)
}

// Limits of a client's requests.
type Limits struct {
	Patience  time.Duration // for one request, its answer included
	MaxAnswer int           // bytes of an answer's body
}

// Options are for a client of the service at address, and the address to give
// it. The SDK sends no token over plain http, which is right; for a stand-in on
// this machine it is told https, and the transport goes there plainly. No other
// address can be reached that way.
func Options(address string, transport http.RoundTripper, l Limits) (told string, o policy.ClientOptions) {
	if rest, plain := strings.CutPrefix(address, "http://"); plain {
		address, transport = "https://"+rest, plainLoopback{transport}
	}
	return address, policy.ClientOptions{
		Transport: &http.Client{
			Transport: bounded{transport, l.MaxAnswer}, Timeout: l.Patience,
			// A redirect could carry the credentials to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Retry:     policy.RetryOptions{MaxRetries: -1}, // the caller says when to try again
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
}

// Credential is the SDK's seam for tokens. identity is the client id of a
// managed identity, "" for the system-assigned one.
func Credential(tokens Tokens, identity string) azcore.TokenCredential {
	return credential{tokens, identity}
}

type credential struct {
	tokens   Tokens
	identity string
}

var _ azcore.TokenCredential = credential{}

// GetToken asks for the one scope that the client needs.
func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 {
		return azcore.AccessToken{}, errors.New("a token is for one scope")
	}
	text, err := c.tokens.Token(ctx, c.identity, o.Scopes[0])
	// It is good for now, and kept and renewed by its own source; the SDK is told
	// that it has expired, so that it asks each time. That costs a look-up.
	return azcore.AccessToken{Token: text, ExpiresOn: time.Unix(0, 0)}, err
}

// plainLoopback sends over plain http, to this machine only.
type plainLoopback struct{ http.RoundTripper }

func (p plainLoopback) RoundTrip(r *http.Request) (*http.Response, error) {
	if !Loopback("http://" + r.URL.Host) {
		return nil, errors.New("plain http is for loopback only")
	}
	out := r.Clone(r.Context())
	out.URL.Scheme = "http"
	resp, err := p.RoundTripper.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = r
	return resp, nil
}

// Loopback tells that the address is plain http on this machine.
func Loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// bounded cuts answers that are too large to be what was asked for.
type bounded struct {
	http.RoundTripper
	most int
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &cut{resp.Body, b.most, b.most}
	return resp, nil
}

type cut struct {
	io.ReadCloser
	left, most int
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d bytes", c.most)
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
