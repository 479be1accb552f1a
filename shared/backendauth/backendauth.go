// Package backendauth is how the gateway proves itself to a backend. A call that
// can't be proved is refused with 503; it never goes out without its credential.
//
// What proves the gateway stands in the outbound request and nowhere else: no
// refusal, event or log of this package holds it.
package backendauth

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/credential"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/renewal"
)

// Tokens are those of the managed identity.
type Tokens interface {
	Token(ctx context.Context, id, scope string) (string, error)
}

// Secrets are read by reference.
type Secrets interface {
	Read(ctx context.Context, ref contract.SecretRef) (string, error)
}

// Sources are where credentials come from. One serves every API.
type Sources struct {
	Tokens  Tokens
	Entra   *credential.Entra
	Secrets Secrets
	Now     func() time.Time
}

// Backend is the gateway's credential for one API's backend.
type Backend struct {
	auth    contract.PlannedAuth
	sources Sources
	parsed  parsed
}

// For is the credential that the contract names; nil: none.
func For(api contract.PlannedAPI, s Sources) *Backend {
	if api.Backend.Auth == nil {
		return nil
	}
	return &Backend{auth: *api.Backend.Auth, sources: s}
}

// Provers put the credential into each request.
func (b *Backend) Provers() []pipeline.Prover {
	if b == nil {
		return nil
	}
	return []pipeline.Prover{b.prove}
}

func (b *Backend) prove(ctx context.Context, c *pipeline.Call, out *http.Request) *refusal.Refusal {
	switch b.auth.Kind {
	case contract.AuthManagedIdentity:
		token, err := b.sources.Tokens.Token(ctx, b.auth.Identity, b.auth.Scope)
		return bearer(out, token, err)
	case contract.AuthFederated:
		token, err := b.sources.Entra.Federated(ctx, credential.Federation{
			Endpoint: b.auth.Endpoint, ClientID: b.auth.ClientID, Identity: b.auth.Identity, Scope: b.auth.Scope,
		})
		return bearer(out, token, err)
	case contract.AuthCertificate:
		// The connection shows it; here it is only made sure that there is one.
		_, err := b.Certificate(ctx)
		return unless(err)
	case contract.AuthHeader:
		value, err := b.text(ctx)
		return set(out, b.auth.Header, value, err)
	case contract.AuthBasic:
		password, err := b.text(ctx)
		return set(out, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(b.auth.Username+":"+password)), err)
	case contract.AuthOnBehalfOf:
		return b.onBehalfOf(ctx, c, out)
	}
	return unavailable(errors.New("the gateway doesn't know this kind of credential"))
}

// text is the secret, if a header can carry it.
func (b *Backend) text(ctx context.Context) (string, error) {
	value, err := b.sources.Secrets.Read(ctx, b.auth.Secret)
	if err == nil && (strings.Trim(value, " ") != value || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })) {
		err = errors.New(b.auth.Secret.String() + " holds a line break, a space at an end or another character that no header carries; store it without")
	}
	return value, err
}

func bearer(out *http.Request, token string, err error) *refusal.Refusal {
	return set(out, "Authorization", "Bearer "+token, err)
}

func set(out *http.Request, header, value string, err error) *refusal.Refusal {
	if err != nil {
		return unavailable(err)
	}
	out.Header.Set(header, value)
	return nil
}

func unless(err error) *refusal.Refusal {
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// unavailable: the gateway's own credential can't be had, which says nothing about the caller.
func unavailable(err error) *refusal.Refusal {
	wait := time.Second
	if down, ok := errors.AsType[*renewal.Unavailable](err); ok && down.Wait > 0 {
		wait = down.Wait
	}
	return refusal.New(refusal.Unavailable, "credential_unavailable", "The gateway can't prove itself to the backend now.").
		By("backend.authenticate").Retry(wait).Because(err)
}

// Certificate is the client certificate for connections to the backend; nil if
// it is proved in another way. The same pointer is given as long as the secret
// is the same, so a new one means a rotation.
func (b *Backend) Certificate(ctx context.Context) (*tls.Certificate, error) {
	if b == nil || b.auth.Kind != contract.AuthCertificate {
		return nil, nil
	}
	return b.certificate(ctx)
}

// proof is how the API's registration proves itself to Entra.
func (b *Backend) proof(endpoint string) func(context.Context) (url.Values, error) {
	return func(ctx context.Context) (url.Values, error) {
		switch b.auth.Proof {
		case contract.BySecret:
			secret, err := b.sources.Secrets.Read(ctx, b.auth.Secret)
			return b.sources.Entra.BySecret(secret), err
		case contract.ByCertificate:
			certificate, err := b.certificate(ctx)
			if err != nil {
				return nil, err
			}
			return b.sources.Entra.ByCertificate(certificate, endpoint, b.auth.ClientID)
		default:
			return b.sources.Entra.ByIdentity(ctx, b.auth.Identity)
		}
	}
}
