// Package token answers one question: who is calling? It is the only home of
// go-oidc and go-jose.
//
// A token is read strictly first (text.go), then its signature is checked
// against its issuer's published keys (keys.go), and only then is any claim
// believed. Discovery and the seam of the key set are go-oidc's; its Verify is
// the oracle of a fuzz test, and not on the request path: it would decode the
// payload once more, by laxer rules (DECISIONS.md).
package token

import (
	"context"
	"errors"
	"slices"
	"strings"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// verify reads a token, checks its signature, and settles what doesn't change
// from then on.
func (t *Trust) verify(ctx context.Context, raw string, p policy) (*entry, *refusal.Refusal) {
	tok, refused := read(raw, t.algorithms)
	if refused != nil {
		return nil, refused
	}
	iss, _ := tok.claims["iss"].(string)
	is := p.accepts[iss].issuer
	if is == nil {
		return nil, p.stranger(iss)
	}
	if !is.takes(tok.typ) {
		return nil, wrongType()
	}
	key, refused := is.checkSignature(ctx, tok.raw)
	if refused != nil {
		return nil, refused
	}
	e := &entry{issuer: is, key: key}
	for _, settle := range []func() *refusal.Refusal{
		func() *refusal.Refusal { return is.checkKind(tok.claims) },
		func() *refusal.Refusal { return is.checkTenant(tok.claims) },
		func() *refusal.Refusal { return e.readTimes(tok.claims) },
		func() *refusal.Refusal { return e.readBinding(tok.claims) },
		func() *refusal.Refusal { return e.identify(tok.claims) },
	} {
		if refused := settle(); refused != nil {
			return nil, refused
		}
	}
	return e, nil
}

// takes: Entra's typ is always JWT; RFC 9068 issuers use at+jwt. Anything else
// (dpop+jwt, logout+jwt) is a token for another purpose (RFC 8725 §3.11).
func (is *issuer) takes(typ string) bool {
	if is.Profile == contract.ProfileEntra {
		return typ == "JWT"
	}
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "at+jwt" || is.Profile == contract.ProfileOAuth && (typ == "" || typ == "jwt")
}

// checkSignature tells a bad token from an outage: the caller of a broken
// identity provider must not be told that its token is bad.
func (is *issuer) checkSignature(ctx context.Context, raw string) (*jose.JSONWebKey, *refusal.Refusal) {
	_, key, err := is.keys.verify(ctx, raw)
	down, outage := errors.AsType[*unavailable](err)
	switch {
	case err == nil:
		return key, nil
	case outage:
		return nil, refusal.New(refusal.Unavailable, "keys_unavailable", "The keys to verify the token can't be had right now.").
			Because(down).Retry(down.wait)
	case errors.Is(err, errUnknownKey):
		return nil, unauthenticated("unknown_key", "The token is signed with a key that its issuer doesn't publish.")
	default:
		return nil, unauthenticated("bad_signature", "The token's signature doesn't match.")
	}
}

func wrongType() *refusal.Refusal {
	return unauthenticated("wrong_token_type", "The token is not an access token.")
}

// checkKind refuses an ID token, which names the right audience where an API's
// registration also signs its users in. It alone has nonce, at_hash and c_hash
// (OpenID Connect §2, §3.3.2.11); only an Entra access token says which client it
// was issued to (entra-oauth.md §1).
func (is *issuer) checkKind(c pipeline.Claims) *refusal.Refusal {
	for _, name := range []string{"nonce", "at_hash", "c_hash"} {
		if _, there := c[name]; there {
			return wrongType()
		}
	}
	for _, name := range []string{"sub", "oid", "azp", "appid", "client_id"} { // they name somebody: text (RFC 7519 §4.1.2)
		if v, there := c[name]; there {
			if _, isText := v.(string); !isText {
				return malformed("The token's " + name + " is not text.")
			}
		}
	}
	switch is.Profile {
	case contract.ProfileEntra:
		if c["azp"] == nil && c["appid"] == nil {
			return wrongType()
		}
	case contract.ProfileRFC9068: // §2.2: all of these are required
		for _, name := range []string{"sub", "client_id", "iat", "jti"} {
			if c[name] == nil {
				return malformed("The token lacks " + name + ", which RFC 9068 requires.")
			}
		}
	}
	return nil
}

// checkTenant: a tenant's token must name it in tid, and its version in ver.
func (is *issuer) checkTenant(c pipeline.Claims) *refusal.Refusal {
	if is.Tenant == "" {
		return nil
	}
	tid, _ := c["tid"].(string)
	ver, _ := c["ver"].(string)
	if !strings.EqualFold(tid, is.Tenant) || ver != is.TokenVersion {
		return unauthenticated("tenant_mismatch", "The token's tenant or version doesn't agree with its issuer.")
	}
	return nil
}

// checkAudience: RFC 7519 §4.1.3, any one of aud, compared exactly.
func checkAudience(c pipeline.Claims, accepted []string) *refusal.Refusal {
	for _, aud := range strictTexts(c["aud"]) {
		if slices.Contains(accepted, aud) {
			return nil
		}
	}
	return unauthenticated("wrong_audience", "The token was issued for another API.")
}

// strictTexts are a text, or a list of nothing but texts; else none.
func strictTexts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		out := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	return nil
}

func unauthenticated(code, detail string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, code, detail)
}
