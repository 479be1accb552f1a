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
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Trust is every issuer of a plan, each with its key set. Nothing is fetched
// before the first token of an issuer arrives.
type Trust struct {
	algorithms map[string]bool
	skew       time.Duration
	now        func() time.Time
	issuers    map[string]*issuer // by exact iss
}

type issuer struct {
	contract.TrustedIssuer
	keys *keySet
}

// NewTrust takes the plan's issuers. transport carries the requests for keys.
func NewTrust(plan *contract.Plan, transport http.RoundTripper, now func() time.Time) *Trust {
	t := &Trust{algorithms: map[string]bool{}, skew: plan.ClockSkew, now: now, issuers: map[string]*issuer{}}
	for _, a := range plan.Algorithms {
		t.algorithms[a] = true
	}
	for _, is := range plan.Issuers {
		t.issuers[is.Issuer] = &issuer{is, newKeySet(is, plan.Algorithms, transport, now)}
	}
	return t
}

// Verify is the stage that demands a token of one of the accepted issuers for
// one of their audiences, and notes who calls.
func (t *Trust) Verify(accepts []contract.Accepted) pipeline.Stage {
	audiences := map[string][]string{}
	for _, a := range accepts {
		audiences[a.Issuer.Issuer] = a.Audiences
	}
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		raw, refused := bearer(c.Request.Header)
		if refused != nil {
			return refused
		}
		tok, refused := read(raw, t.algorithms)
		if refused != nil {
			return refused
		}
		iss, _ := tok.claims["iss"].(string)
		accepted, ok := audiences[iss]
		if !ok {
			return unauthenticated("issuer_not_trusted", "The token's issuer is not accepted here.")
		}
		c.Identity, refused = t.verify(ctx, tok, t.issuers[iss], accepted)
		return refused
	}
}

func unauthenticated(code, detail string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, code, detail)
}

func (t *Trust) verify(ctx context.Context, tok *text, is *issuer, audiences []string) (*pipeline.Identity, *refusal.Refusal) {
	if !is.takes(tok.typ) {
		return nil, wrongType()
	}
	if refused := is.checkSignature(ctx, tok.raw); refused != nil {
		return nil, refused
	}
	for _, check := range []*refusal.Refusal{
		is.checkKind(tok.claims),
		is.checkTenant(tok.claims),
		checkAudience(tok.claims, audiences),
		t.checkTimes(tok.claims),
		checkBinding(tok.claims),
	} {
		if check != nil {
			return nil, check
		}
	}
	return is.identify(tok.claims)
}

// takes: Entra's typ is always JWT; RFC 9068 issuers use at+jwt. Anything else
// (dpop+jwt, logout+jwt) is a token for another purpose (RFC 8725 §3.11).
func (is *issuer) takes(typ string) bool {
	if is.TokenVersion != "" {
		return typ == "JWT"
	}
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "" || typ == "jwt" || typ == "at+jwt"
}

// checkSignature tells a bad token from an outage: the caller of a broken
// identity provider must not be told that its token is bad.
func (is *issuer) checkSignature(ctx context.Context, raw string) *refusal.Refusal {
	_, err := is.keys.VerifySignature(ctx, raw)
	down, outage := errors.AsType[*unavailable](err)
	switch {
	case err == nil:
		return nil
	case outage:
		return refusal.New(refusal.Unavailable, "keys_unavailable", "The keys to verify the token can't be had right now.").
			Because(down).Retry(down.wait)
	case errors.Is(err, errUnknownKey):
		return unauthenticated("unknown_key", "The token is signed with a key that its issuer doesn't publish.")
	default:
		return unauthenticated("bad_signature", "The token's signature doesn't match.")
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
	client := map[string]string{"1.0": "appid", "2.0": "azp"}[is.TokenVersion]
	if id, _ := c[client].(string); client != "" && id == "" {
		return wrongType()
	}
	return nil
}

// checkTenant: an Entra token's tid and ver must agree with its issuer.
func (is *issuer) checkTenant(c pipeline.Claims) *refusal.Refusal {
	if is.TokenVersion == "" {
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

// checkTimes: exp is required (RFC 7519 lets it be absent), times are whole
// seconds, and nothing was issued in the future. The skew counts in the caller's
// favour at both ends.
func (t *Trust) checkTimes(c pipeline.Claims) *refusal.Refusal {
	now := t.now()
	if _, there := c["exp"]; !there {
		return unauthenticated("exp_missing", "The token doesn't say when it expires.")
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		v, there := c[name]
		if !there {
			continue
		}
		at, err := seconds(v)
		if err != nil {
			return malformed("The token's " + name + " is not a time in whole seconds.").Because(err)
		}
		if name == "exp" && !now.Before(at.Add(t.skew)) {
			return unauthenticated("token_expired", "The token has expired.")
		}
		if name != "exp" && now.Add(t.skew).Before(at) {
			return unauthenticated("token_not_yet_valid", "The token is not valid yet.")
		}
	}
	return nil
}

// maxSeconds is the end of the year 9999: beyond it time arithmetic could wrap.
const maxSeconds = 253402300799

func seconds(v any) (time.Time, error) {
	n, ok := v.(pipeline.Number)
	if !ok {
		return time.Time{}, errors.New("not a number")
	}
	s, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil || s < 0 || s > maxSeconds {
		return time.Time{}, errors.New("out of range, or not a whole number") // the value itself is the caller's
	}
	return time.Unix(s, 0), nil
}

// checkBinding: a token bound to a key (RFC 7800 cnf) is worth nothing to
// whoever can't prove the key, so as a plain bearer token it is refused.
func checkBinding(c pipeline.Claims) *refusal.Refusal {
	if _, bound := c["cnf"]; bound {
		return unauthenticated("binding_required", "The token is bound to a key and can't be sent as a bearer token.")
	}
	return nil
}
