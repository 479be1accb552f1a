package token

import (
	"context"
	"io/fs"
	"net/http"
	"strings"
	"time"

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
	proofs      *proofs
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
	t := &Trust{algorithms: map[string]bool{}, skew: plan.ClockSkew, maxLifetime: plan.MaxLifetime, now: now, issuers: map[contract.TrustedIssuer]*issuer{}, verified: newCache(),
		proofs: newProofs(plan.PublicURL, proofWindow, now)}
	for _, a := range plan.Algorithms {
		t.algorithms[a] = true
	}
	for _, is := range plan.Issuers {
		t.issuers[is] = &issuer{is, newKeySet(is, plan, transport, now, o)}
	}
	return t
}

// proofWindow is how far from now a DPoP proof may have been made, either way.
const proofWindow = time.Minute

// policy is whose tokens one API accepts, and how they are proved.
type policy struct {
	accepts map[string]accepted // by exact iss
	issuers []contract.TrustedIssuer
	proof   contract.Proof
}

// accepted is one issuer, and the audiences that its tokens may name.
type accepted struct {
	*issuer
	audiences []string
}

// Verify is the stage that demands a token of one of the accepted issuers for
// one of their audiences, proved as the contract says if it is bound to a key,
// and notes who calls.
func (t *Trust) Verify(accepts []contract.Accepted, proof contract.Proof) pipeline.Stage {
	p := t.policy(accepts, proof)
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		raw, underDPoP, refused := credential(c.Request.Header, proof.DPoP != "")
		if refused != nil {
			return inScheme(refused, proof)
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
		if refused := t.prove(e, p.proof, c, raw, underDPoP); refused != nil {
			return refused
		}
		if fresh {
			t.verified.put(raw, e)
		}
		c.Identity = e.identity
		return nil
	}
}

func (t *Trust) policy(accepts []contract.Accepted, proof contract.Proof) policy {
	p := policy{accepts: map[string]accepted{}, proof: proof}
	for _, a := range accepts {
		p.accepts[a.Issuer.Issuer] = accepted{t.issuers[a.Issuer], a.Audiences}
		p.issuers = append(p.issuers, a.Issuer)
	}
	return p
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
	return t.checkTimes(e.times)
}

// stranger refuses an issuer that isn't accepted. Where a contract lists several
// tenants, one that isn't listed gets an answer of its own. Its keys are never
// asked for: an unlisted issuer must not make us call anyone.
func (p policy) stranger(iss string) *refusal.Refusal {
	tenants := map[string]bool{}
	for _, is := range p.issuers {
		if is.Tenant != "" {
			tenants[is.Tenant] = true
		}
	}
	for _, is := range p.issuers {
		before, after, ok := strings.Cut(is.Issuer, is.Tenant)
		inner, fits := strings.CutPrefix(iss, before)
		inner, ends := strings.CutSuffix(inner, after)
		if len(tenants) > 1 && is.Tenant != "" && ok && fits && ends && guid(inner) {
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
