package credential

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate/shared/renewal"
)

const (
	entraWhat = "Entra's token endpoint"
	// exchangeScope is what a managed identity's token is for that proves a
	// registration (entra-oauth.md §4: exactly this audience).
	exchangeScope = "api://AzureADTokenExchange/.default"
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
	onBehalfOf    = "urn:ietf:params:oauth:grant-type:jwt-bearer"            // RFC 7523 §2.1
)

// Exchanged bounds the tokens of users that are kept: at some 2 KiB each, 8 MiB.
const Exchanged = 4096

// Entra is its token endpoints.
type Entra struct {
	identity  *Identity
	client    client
	now       func() time.Time
	newID     func() string
	federated *renewal.Cache[Federation, string]
	exchanged *renewal.Cache[[sha256.Size]byte, string]
}

// NewEntra makes requests over transport. identity proves registrations that trust it.
func NewEntra(identity *Identity, transport http.RoundTripper, now func() time.Time, newID func() string) *Entra {
	users := limits(Exchanged)
	// Each user's token is a key of its own: an outage of Entra must not cost one request for each of them.
	users.Shared = func(err error) bool {
		_, no := errors.AsType[*Refused](err)
		_, own := errors.AsType[unproved](err)
		return !no && !own
	}
	return &Entra{
		identity: identity, client: newClient(transport), now: now, newID: newID,
		federated: renewal.New[Federation, string](now, limits(1000)),
		exchanged: renewal.New[[sha256.Size]byte, string](now, users),
	}
}

// Federation is a registration that trusts the managed identity Identity.
type Federation struct {
	Endpoint, ClientID, Identity, Scope string
}

// Federated is a token of that registration. Its error is a *renewal.Unavailable.
func (e *Entra) Federated(ctx context.Context, f Federation) (string, error) {
	return e.federated.Get(ctx, f, func(ctx context.Context) (string, renewal.Until, error) {
		form, err := e.ByIdentity(ctx, f.Identity)
		if err != nil {
			return "", renewal.Until{}, err
		}
		form.Set("grant_type", "client_credentials")
		form.Set("client_id", f.ClientID)
		form.Set("scope", f.Scope)
		return e.post(ctx, f.Endpoint, form)
	})
}

// Exchange is a user's token, to be exchanged by the registration that it was issued for.
type Exchange struct {
	Endpoint, ClientID, Scope string
	Assertion                 string                                    // the user's token
	Proof                     func(context.Context) (url.Values, error) // BySecret, ByCertificate or ByIdentity
}

// unproved: Entra wasn't asked. What one registration lacks is nothing to the
// others, and where it comes from isn't asked too often either.
type unproved struct{ error }

func (u unproved) Unwrap() error { return u.error }

// OnBehalfOf is a token for the same user at another API. Its error is a
// *renewal.Unavailable, around a *Refused where Entra said no.
func (e *Entra) OnBehalfOf(ctx context.Context, x Exchange) (string, error) {
	return e.exchanged.Get(ctx, x.digest(), func(ctx context.Context) (string, renewal.Until, error) {
		form, err := x.Proof(ctx)
		if err != nil {
			return "", renewal.Until{}, unproved{err}
		}
		form.Set("grant_type", onBehalfOf)
		form.Set("requested_token_use", "on_behalf_of")
		form.Set("client_id", x.ClientID)
		form.Set("scope", x.Scope)
		form.Set("assertion", x.Assertion)
		return e.post(ctx, x.Endpoint, form)
	})
}

// digest keys the cache: no text of a user's token is kept. A zero byte stands in none of the parts.
func (x Exchange) digest() [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{x.Endpoint, x.ClientID, x.Scope, x.Assertion}, "\x00")))
}

// ByIdentity proves a registration by a managed identity that it trusts.
func (e *Entra) ByIdentity(ctx context.Context, id string) (url.Values, error) {
	token, err := e.identity.Token(ctx, id, exchangeScope)
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {token}}, err
}

// BySecret proves a registration by its secret.
func (e *Entra) BySecret(secret string) url.Values { return url.Values{"client_secret": {secret}} }

func (e *Entra) post(ctx context.Context, endpoint string, form url.Values) (string, renewal.Until, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", renewal.Until{}, errors.New("the token endpoint is not an address")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body, err := e.client.ask(r, entraWhat)
	switch {
	case err != nil:
		return "", renewal.Until{}, err
	case status != http.StatusOK:
		return "", renewal.Until{}, refused(status, body, entraWhat)
	}
	return read(body, entraWhat, e.now())
}
