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

// Identity is who the gateway itself is: the Function App's managed identities, or
// on AWS the registrations that trust the function's role.
type Identity struct {
	ask    func(context.Context, wanted) (string, renewal.Until, error)
	tokens *renewal.Cache[wanted, string]
	one    bool // the same statement proves every registration
}

// wanted is one token: whose, and for what. ID is "" for the system-assigned identity.
type wanted struct{ id, scope string }

func newIdentity(now func() time.Time, ask func(context.Context, wanted) (string, renewal.Until, error)) *Identity {
	// As many tokens as there are contracts; a thousand is far beyond.
	return &Identity{ask: ask, tokens: renewal.New[wanted, string](now, limits(1000))}
}

// NewIdentity asks the endpoint that at names, with the header's value that goes
// with it: the platform sets both, and may change them while we run.
func NewIdentity(at func() (endpoint, header string), transport http.RoundTripper, now func() time.Time) *Identity {
	m := &managed{at: at, client: newClient(transport), now: now}
	return newIdentity(now, m.token)
}

// Token is a bearer token for the scope, RESOURCE/.default. id is the client id
// of a user-assigned identity or a registration, "" for the system-assigned one. Its error is a *renewal.Unavailable.
func (i *Identity) Token(ctx context.Context, id, scope string) (string, error) {
	w := wanted{id, scope}
	if i.one && scope == exchangeScope {
		w.id = ""
	}
	return i.tokens.Get(ctx, w, func(ctx context.Context) (string, renewal.Until, error) { return i.ask(ctx, w) })
}

// managed is the App Service's endpoint for managed identities.
type managed struct {
	at     func() (endpoint, header string)
	client client
	now    func() time.Time
}

func (i *managed) token(ctx context.Context, w wanted) (string, renewal.Until, error) {
	endpoint, header := i.at()
	if endpoint == "" || header == "" {
		return "", renewal.Until{}, errors.New("there is no managed identity here (IDENTITY_ENDPOINT and IDENTITY_HEADER are not set); assign one to the Function App")
	}
	query := url.Values{"api-version": {identityVersion}, "resource": {strings.TrimSuffix(w.scope, "/.default")}}
	if w.id != "" {
		query.Set("client_id", w.id)
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
		return "", renewal.Until{}, fmt.Errorf("ask %s for %s: it answered %d; see that the identity is assigned to the Function App", identityWhat, w.scope, status)
	}
	return read(body, identityWhat, i.now())
}
