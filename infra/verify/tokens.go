package verify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tollgate/shared/contract"
)

const (
	enoughTokens = 2 // of different APIs: each API can then be sent another's
	mostTries    = 5 // to get one: a sign-in takes seconds
)

// acquire looks for two APIs whose tokens can be had and are understood. Without
// that, a 401 at another API would show nothing: the token may be good for none.
func (p *prober) acquire(ctx context.Context) {
	if p.Token == nil {
		p.noToken = "no token can be had"
		return
	}
	for i, tries := 0, 0; i < len(p.plan.APIs) && tries < mostTries && len(p.tokens) < enoughTokens; i++ {
		api := &p.plan.APIs[i]
		t := guarded(api)
		if t == nil {
			continue
		}
		tries++
		raw, err := p.Token(ctx, api)
		if err != nil {
			p.noToken = "no token could be had: " + short(err.Error())
			continue
		}
		a := p.client.ask(ctx, p.with(*t, raw, "with its own token"))
		if !understood(&a) {
			p.noToken = fmt.Sprintf("%s didn't show that it understands its own token (%d %s)", api.Name, a.Status, a.Code)
			continue
		}
		p.tokens = append(p.tokens, held{api, raw, a.Exchange})
	}
}

func (p *prober) with(t target, raw, about string) request {
	q := request{method: http.MethodGet, address: p.at(t.path), header: t.header.Clone(), about: about}
	if raw != "" {
		q.header.Set("Authorization", "Bearer "+raw)
	}
	return q
}

// api are the probes of one API.
func (p *prober) api(ctx context.Context, api *contract.PlannedAPI) []Result {
	out := p.notOpen(ctx, api)
	t := guarded(api)
	for _, one := range []struct{ id, promise, about string }{
		{"unsigned", "a token with alg none is refused", "with a token that has no signature"},
		{"garbage", "a token with a false signature is refused", "with a token whose signature is garbage"},
		{"other", "a token for another API is refused", ""},
	} {
		id, promise := "token/"+api.Name+"/"+one.id, api.Name+": "+one.promise
		switch {
		case len(api.Accepts) == 0:
			continue // it takes no tokens at all
		case t == nil:
			out = append(out, result(id, Tokens, promise, open("a GET reaches no operation of it that asks for a token")))
		case one.id == "other":
			out = append(out, p.others(ctx, *t, id, promise))
		default:
			a := p.client.ask(ctx, p.with(*t, p.made(api, one.id == "unsigned"), one.about))
			out = append(out, result(id, Tokens, promise, refusedToken(&a), a))
		}
	}
	return append(out, p.preflight(ctx, api)...)
}

// notOpen asks for each GET operation that isn't public, without a token.
func (p *prober) notOpen(ctx context.Context, api *contract.PlannedAPI) (out []Result) {
	asked, left := 0, 0
	first := guarded(api)
	for _, t := range gets(api) {
		if t.op.Allow == nil || !t.plain && (first == nil || first.op.ID != t.op.ID) && asked > 0 {
			continue
		}
		if asked == mostOperations {
			left++
			continue
		}
		asked++
		a := p.client.ask(ctx, p.with(t, "", "without a token"))
		out = append(out, result("public/"+api.Name+"/"+t.op.ID, Public, fmt.Sprintf("%s/%s is not public", api.Name, t.op.ID), notPublic(&a), a))
	}
	if left > 0 {
		out = append(out, result("public/"+api.Name, Public, fmt.Sprintf("%d more operations of %s are not public", left, api.Name), open("%d operations of one API are asked for at the most", mostOperations)))
	}
	return out
}

// others sends another API's token.
func (p *prober) others(ctx context.Context, t target, id, promise string) Result {
	for _, h := range p.tokens {
		if h.api.Name == t.api.Name {
			continue
		}
		a := p.client.ask(ctx, p.with(t, h.raw, "with a token for "+h.api.Name))
		r := result(id, Tokens, promise, refusedToken(&a), a)
		r.Evidence = append([]Exchange{h.ask}, r.Evidence...)
		return r
	}
	why := p.noToken
	if why == "" {
		why = "there is no other API whose token could be had"
	}
	return result(id, Tokens, promise, open("%s", why))
}

// made is a token as the API's issuer would write it, but for the signature.
func (p *prober) made(api *contract.PlannedAPI, unsigned bool) string {
	from, now := api.Accepts[0], p.Now().Unix()
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": sample}
	if from.Issuer.Profile != contract.ProfileEntra {
		header["typ"] = "at+jwt"
	}
	who := guid(p.nonce)
	claims := map[string]any{
		"iss": from.Issuer.Issuer, "aud": from.Audiences[0], "iat": now - 60, "nbf": now - 60, "exp": now + int64((10*time.Minute)/time.Second),
		"sub": who, "oid": who, "azp": who, "appid": who, "client_id": who, "azpacr": "2", "appidacr": "2", "idtyp": "app", "roles": api.Roles, "jti": p.nonce,
	}
	if is := from.Issuer; is.Tenant != "" {
		claims["tid"], claims["ver"] = is.Tenant, is.TokenVersion
	}
	signature := sha256.Sum256([]byte(p.nonce))
	tail := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat(string(signature[:]), 8)))
	if unsigned {
		header["alg"], tail = "none", ""
		delete(header, "kid")
	}
	return part(header) + "." + part(claims) + "." + tail
}

func part(v map[string]any) string {
	text, _ := json.Marshal(v) // texts, numbers and lists of them always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

// guid is nobody's id.
func guid(nonce string) string {
	s := sha256.Sum256([]byte("nobody " + nonce))
	h := hex.EncodeToString(s[:16])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

// preflight asks as a browser does for a page of an origin that no contract lists.
func (p *prober) preflight(ctx context.Context, api *contract.PlannedAPI) []Result {
	all := gets(api)
	if api.CORS == nil || len(all) == 0 {
		return nil // the backend speaks for itself
	}
	a := p.client.ask(ctx, request{method: http.MethodOptions, address: p.at(all[0].path), about: "a preflight of " + stranger, header: http.Header{
		"Origin": {stranger}, "Access-Control-Request-Method": {http.MethodGet}, "Access-Control-Request-Headers": {"authorization"},
	}})
	return []Result{result("cors/"+api.Name, Origins, api.Name+": the page of another origin may not read it", otherOrigin(&a), a)}
}

// stranger is an origin that can't be anybody's (RFC 2606 §2).
const stranger = "https://tollgate-verify.invalid"
