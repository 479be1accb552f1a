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
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Trust is every issuer of a plan, each with its key set. Nothing is fetched
// before the first token of an issuer arrives.
type Trust struct {
	algorithms  map[string]bool
	skew        time.Duration
	maxLifetime time.Duration
	now         func() time.Time
	issuers     map[contract.TrustedIssuer]*issuer
	verified    *cache
}

type issuer struct {
	contract.TrustedIssuer
	keys *keySet
}

// Options are what may be left out.
type Options struct {
	Snapshot fs.FS             // key sets of an earlier day, for a start during an outage; nil: none
	Warn     func(text string) // told what an operator should know; nil: nobody
	Jitter   func() float64    // from 0 to 1, spreads tries after a failure; nil: none
}

// NewTrust takes the plan's issuers. transport carries the requests for keys.
func NewTrust(plan *contract.Plan, transport http.RoundTripper, now func() time.Time, o Options) *Trust {
	t := &Trust{algorithms: map[string]bool{}, skew: plan.ClockSkew, maxLifetime: plan.MaxLifetime, now: now, issuers: map[contract.TrustedIssuer]*issuer{}, verified: newCache()}
	for _, a := range plan.Algorithms {
		t.algorithms[a] = true
	}
	for _, is := range plan.Issuers {
		t.issuers[is] = &issuer{is, newKeySet(is, plan, transport, now, o)}
	}
	return t
}

// policy is whose tokens one API accepts.
type policy struct {
	accepts map[string]accepted // by exact iss
	issuers []contract.TrustedIssuer
}

// accepted is one issuer, and the audiences that its tokens may name.
type accepted struct {
	*issuer
	audiences []string
}

// Verify is the stage that demands a token of one of the accepted issuers for
// one of their audiences, and notes who calls.
func (t *Trust) Verify(accepts []contract.Accepted) pipeline.Stage {
	p := policy{accepts: map[string]accepted{}}
	for _, a := range accepts {
		p.accepts[a.Issuer.Issuer] = accepted{t.issuers[a.Issuer], a.Audiences}
		p.issuers = append(p.issuers, a.Issuer)
	}
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		raw, refused := bearer(c.Request.Header)
		if refused != nil {
			return refused
		}
		e := t.recall(ctx, raw, p)
		fresh := e == nil
		if fresh {
			if e, refused = t.verify(ctx, raw, p); refused != nil {
				return refused
			}
		}
		if refused := t.admit(e, p); refused != nil {
			return refused
		}
		if fresh {
			t.verified.put(raw, e)
		}
		c.Identity = e.identity
		return nil
	}
}

// recall is the token as it was verified before, if this API accepts its issuer
// and the key that verified it is still published.
func (t *Trust) recall(ctx context.Context, raw string, p policy) *entry {
	if len(raw) > MaxLength {
		return nil // even its digest would be work
	}
	e := t.verified.get(raw)
	if e == nil || p.accepts[e.issuer.Issuer].issuer != e.issuer || !e.issuer.keys.holds(ctx, e.key) {
		return nil
	}
	return e
}

// admit asks what may differ from request to request, and from API to API.
func (t *Trust) admit(e *entry, p policy) *refusal.Refusal {
	if refused := checkAudience(e.identity.Claims, p.accepts[e.issuer.Issuer].audiences); refused != nil {
		return refused
	}
	if refused := t.checkTimes(e.times); refused != nil {
		return refused
	}
	if e.binding != nil {
		return unauthenticated("binding_required", "The token is bound to a key and can't be sent as a bearer token.")
	}
	return nil
}

// stranger refuses an issuer that isn't accepted. Where a contract lists several
// tenants, one that isn't listed gets an answer of its own. Its keys are never
// asked for: an unlisted issuer must not make us call anyone.
func (p policy) stranger(iss string) *refusal.Refusal {
	several := slices.ContainsFunc(p.issuers, func(is contract.TrustedIssuer) bool { return is.Tenant != p.issuers[0].Tenant })
	for _, is := range p.issuers {
		before, after, ok := strings.Cut(is.Issuer, is.Tenant)
		inner, fits := strings.CutPrefix(iss, before)
		inner, ends := strings.CutSuffix(inner, after)
		if several && is.Tenant != "" && ok && fits && ends && guid(inner) {
			return refusal.New(refusal.Forbidden, "tenant_not_allowed", "The token's tenant is not allowed here.")
		}
	}
	return unauthenticated("issuer_not_trusted", "The token's issuer is not accepted here.")
}

// guid: 8-4-4-4-12 hexadecimal digits.
func guid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (s[i] == '-') || !hyphen && strings.IndexByte("0123456789abcdefABCDEF", s[i]) < 0 {
			return false
		}
	}
	return true
}

func unauthenticated(code, detail string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, code, detail)
}

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
