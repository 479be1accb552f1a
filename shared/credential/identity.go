package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate/shared/renewal"
)

// The App Service protocol for managed identities (entra-oauth.md §4).
const (
	identityVersion = "2019-08-01"
	identityWhat    = "the managed identity's endpoint"
)

// Identity is the Function App's managed identities.
type Identity struct {
	at     func() (endpoint, header string)
	client client
	now    func() time.Time
	tokens *renewal.Cache[wanted, string]
}

// wanted is one token: whose, and for what. ID is "" for the system-assigned identity.
type wanted struct{ id, scope string }

// NewIdentity asks the endpoint that at names, with the header's value that goes
// with it: the platform sets both, and may change them while we run.
func NewIdentity(at func() (endpoint, header string), transport http.RoundTripper, now func() time.Time) *Identity {
	// As many tokens as there are contracts; a thousand is far beyond.
	return &Identity{at: at, client: newClient(transport), now: now, tokens: renewal.New[wanted, string](now, limits(1000))}
}

// Token is a bearer token for the scope, RESOURCE/.default. id is the client id
// of a user-assigned identity, "" for the system-assigned one. Its error is a *renewal.Unavailable.
func (i *Identity) Token(ctx context.Context, id, scope string) (string, error) {
	return i.tokens.Get(ctx, wanted{id, scope}, func(ctx context.Context) (string, renewal.Until, error) { return i.ask(ctx, id, scope) })
}

func (i *Identity) ask(ctx context.Context, id, scope string) (string, renewal.Until, error) {
	endpoint, header := i.at()
	if endpoint == "" || header == "" {
		return "", renewal.Until{}, errors.New("there is no managed identity here (IDENTITY_ENDPOINT and IDENTITY_HEADER are not set); assign one to the Function App")
	}
	query := url.Values{"api-version": {identityVersion}, "resource": {strings.TrimSuffix(scope, "/.default")}}
	if id != "" {
		query.Set("client_id", id)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"?"+query.Encode(), nil)
	if err != nil {
		return "", renewal.Until{}, errors.New("IDENTITY_ENDPOINT is not an address")
	}
	r.Header.Set("X-IDENTITY-HEADER", header)
	status, body, err := i.client.ask(r, identityWhat)
	switch {
	case err != nil:
		return "", renewal.Until{}, err
	case status != http.StatusOK:
		return "", renewal.Until{}, fmt.Errorf("ask %s for %s: it answered %d; see that the identity is assigned to the Function App", identityWhat, scope, status)
	}
	return read(body, identityWhat, i.now())
}
