package secret

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

// maxAnswer bounds an answer of a vault: a secret of 25 KiB, escaped, and what is said about it.
const maxAnswer = 256 << 10

// options are for any client of the SDK that talks to a vault, and the address
// to give it. The SDK sends no token over plain http, which is right; for a
// stand-in on this machine it is told https, and the transport goes there
// plainly. No other address can be reached that way.
func (v Vaults) options(vault string) (address string, o policy.ClientOptions) {
	transport := v.Transport
	if rest, plain := strings.CutPrefix(vault, "http://"); plain {
		vault, transport = "https://"+rest, plainLoopback{transport}
	}
	return vault, policy.ClientOptions{
		Transport: &http.Client{
			Transport: bounded{transport}, Timeout: patience,
			// A redirect could carry the token to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Retry:     policy.RetryOptions{MaxRetries: -1}, // shared/renewal says when to try again
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
}

// credential is the SDK's seam for tokens. identity is the client id of a
// managed identity, "" for the system-assigned one.
func (v Vaults) credential(identity string) azcore.TokenCredential { return asked{v, identity} }

type asked struct {
	Vaults
	identity string
}

var _ azcore.TokenCredential = asked{}

// GetToken asks for the scope that the vault's challenge named, which the SDK
// has held against the vault's own domain.
func (a asked) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 {
		return azcore.AccessToken{}, errors.New("a vault's token is for one scope")
	}
	text, err := a.Tokens.Token(ctx, a.identity, o.Scopes[0])
	// It is good for now, and kept and renewed by its own source; the SDK is told
	// that it has expired, so that it asks each time. That costs a look-up.
	return azcore.AccessToken{Token: text, ExpiresOn: time.Unix(0, 0)}, err
}

// plainLoopback sends over plain http, to this machine only.
type plainLoopback struct{ http.RoundTripper }

func (p plainLoopback) RoundTrip(r *http.Request) (*http.Response, error) {
	if !loopback("http://" + r.URL.Host) {
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

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// bounded cuts answers that are too large to be a secret.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &cut{resp.Body, maxAnswer}
	return resp, nil
}

type cut struct {
	io.ReadCloser
	left int
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
