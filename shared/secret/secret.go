// Package secret reads secrets and certificates from Key Vault by reference.
//
// A value is used for five minutes; then the request that finds it stale renews
// it, so a rotation is picked up within minutes and without a restart. While the
// vault can't be asked, or gives none, the old value is used for an hour at the most.
//
// No error of this package holds a value or what a vault wrote.
package secret

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"tollgate/shared/contract"
	"tollgate/shared/renewal"
	"tollgate/shared/sdk"
)

// How long values are used. A first read that failed is tried again after a
// second, and then after twice as long each time, up to a quarter of a minute.
const (
	Fresh    = 5 * time.Minute // a rotation is picked up after it at the latest, by the next request
	MaxStale = time.Hour       // how long an outage of the vault is bridged
	patience = 5 * time.Second // for one read, the token for the vault included
	most     = 1000            // secrets kept; contracts name far fewer
	maxBytes = 25 << 10        // Key Vault's own limit for a value
)

// Source reads secrets. It is safe for concurrent use.
type Source struct {
	vaults Vaults
	now    func() time.Time
	values *renewal.Cache[contract.SecretRef, string]

	mu      sync.Mutex
	clients map[reader]*azsecrets.Client
}

// reader is one vault, as one identity reads it.
type reader struct{ vault, identity string }

// NewSource reads from vaults.
func NewSource(vaults Vaults, now func() time.Time) *Source {
	return &Source{vaults: vaults, now: now, clients: map[reader]*azsecrets.Client{}, values: renewal.New[contract.SecretRef, string](now, renewal.Options{
		Most: most, Patience: patience, Moment: 500 * time.Millisecond, First: time.Second, Last: 15 * time.Second,
	})}
}

// Read is the newest version of a secret. Its error is a *renewal.Unavailable.
func (s *Source) Read(ctx context.Context, ref contract.SecretRef) (string, error) {
	return s.values.Get(ctx, ref, func(ctx context.Context) (string, renewal.Until, error) {
		value, err := s.fetch(ctx, ref)
		now := s.now()
		return value, renewal.Until{Renew: now.Add(Fresh), End: now.Add(MaxStale)}, err
	})
}

func (s *Source) fetch(ctx context.Context, ref contract.SecretRef) (string, error) {
	client, err := s.client(reader{ref.Vault, ref.Identity})
	if err != nil {
		return "", err
	}
	answer, err := client.GetSecret(ctx, ref.Name, "", nil) // "": the newest version
	switch {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", ref, plainly(err))
	case answer.Value == nil || *answer.Value == "":
		return "", fmt.Errorf("read %s: it is empty", ref)
	case len(*answer.Value) > maxBytes:
		return "", fmt.Errorf("read %s: it is longer than Key Vault's own limit", ref)
	}
	return *answer.Value, nil
}

// client is the vault's, made when it is first needed.
func (s *Source) client(r reader) (*azsecrets.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[r]; c != nil {
		return c, nil
	}
	address, options := s.vaults.options(r.vault)
	c, err := azsecrets.NewClient(address, sdk.Credential(s.vaults.Tokens, r.identity), &azsecrets.ClientOptions{
		ClientOptions: options, DisableChallengeResourceVerification: sdk.Loopback(r.vault),
	})
	if err != nil {
		return nil, fmt.Errorf("make a client for %s", r.vault)
	}
	s.clients[r] = c
	return c, nil
}

var code = regexp.MustCompile(`^[A-Za-z]{1,40}$`)

// plainly says what happened without what was written: the SDK's own errors
// repeat whole answers, and an answer could be the secret.
func plainly(err error) error {
	if down, ok := errors.AsType[*renewal.Unavailable](err); ok { // no token for the vault
		return down
	}
	if answered, ok := errors.AsType[*azcore.ResponseError](err); ok {
		if !code.MatchString(answered.ErrorCode) {
			return fmt.Errorf("the vault answered %d", answered.StatusCode)
		}
		return fmt.Errorf("the vault answered %d %s", answered.StatusCode, answered.ErrorCode)
	}
	if own, ok := errors.AsType[*net.OpError](err); ok {
		return own
	}
	if own, ok := errors.AsType[*net.DNSError](err); ok {
		return own
	}
	if own, ok := errors.AsType[net.Error](err); ok && own.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the vault didn't answer in time")
	}
	return errors.New("what the vault answered can't be used")
}

// Vaults is how vaults are reached. The clients for them, here and in files that
// read keys, are made from it.
type Vaults struct {
	Tokens    sdk.Tokens
	Transport http.RoundTripper
}

// maxAnswer bounds an answer of a vault: a secret of 25 KiB, escaped, and what is said about it.
const maxAnswer = 256 << 10

func (v Vaults) options(vault string) (address string, o policy.ClientOptions) {
	return sdk.Options(vault, v.Transport, sdk.Limits{Patience: patience, MaxAnswer: maxAnswer})
}
