package credential

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"tollgate/shared/renewal"
)

// Statement is what another platform says of us, signed, for Entra alone.
type Statement func(ctx context.Context) (string, renewal.Until, error)

// NewFederated is the identity of a gateway outside Azure: the statement of its
// own platform, which registrations trust in place of a secret, and with which
// each of them gets tokens at endpoint.
func NewFederated(statement Statement, endpoint string, transport http.RoundTripper, now func() time.Time) *Identity {
	e := &Entra{client: newClient(transport), now: now}
	var i *Identity
	i = newIdentity(now, func(ctx context.Context, w wanted) (string, renewal.Until, error) {
		if w.scope == exchangeScope { // what proves a registration here is the statement itself
			return statement(ctx)
		}
		if w.id == "" {
			return "", renewal.Until{}, errors.New("outside Azure there is no system-assigned identity: name the registration that trusts the function's role, under identities: gateway: of the environment")
		}
		proof, err := i.Token(ctx, "", exchangeScope)
		if err != nil {
			return "", renewal.Until{}, err
		}
		return e.post(ctx, endpoint, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {w.id}, "scope": {w.scope},
			"client_assertion_type": {assertionType}, "client_assertion": {proof},
		})
	})
	i.one = true
	return i
}
