package assertion

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/verify"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// names are the headers of the claims contract, as they are sent, in order.
func names(forward []contract.Header) []string {
	var out []string
	for _, h := range forward {
		out = append(out, http.CanonicalHeaderKey(h.Name))
	}
	slices.Sort(out)
	return out
}

// Prove is the last of an API's provers: it states what is sent, so nothing may
// be changed after it. api must ask for assertions.
func (s *Signer) Prove(api contract.PlannedAPI) pipeline.Prover {
	p := &prover{Signer: s, lifetime: api.Backend.Assertion.Lifetime}
	fixed, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		API      string `json:"api"`
		Contract int    `json:"claimsContract"`
	}{s.issuer, api.Backend.Assertion.Audience, api.Name, s.contract})
	if err != nil { // texts and a number always marshal
		return func(context.Context, *pipeline.Call, *http.Request) *refusal.Refusal { return unavailable(err) }
	}
	p.fixed = fixed[:len(fixed)-1] // the object goes on
	return p.prove
}

type prover struct {
	*Signer
	lifetime time.Duration
	fixed    []byte // the claims that are the same for every call, without the closing brace
}

func (p *prover) prove(ctx context.Context, c *pipeline.Call, out *http.Request) *refusal.Refusal {
	i, err := p.instance.Get(ctx)
	if err != nil {
		return unavailable(err)
	}
	claims := p.claims(make([]byte, 0, 1024), i, c, out)
	if !utf8.Valid(claims) {
		return unfit(errors.New("it would not be UTF-8 (RFC 7519 §7.1)"))
	}
	size := len(i.header) + base64url.EncodedLen(len(claims)) + 1 + base64url.EncodedLen(64)
	if size > verify.MaxLength {
		return unfit(fmt.Errorf("it would have %d bytes, the most is %d", size, verify.MaxLength))
	}
	text := base64url.AppendEncode(append(make([]byte, 0, size), i.header...), claims)
	signature, err := jwk.Sign(i.key, sha256.Sum256(text))
	if err != nil {
		return unavailable(err)
	}
	text = base64url.AppendEncode(append(text, '.'), signature)
	out.Header[verify.Header] = []string{string(text)}
	out.Header[verify.KeyHeader] = []string{i.statement}
	return nil
}

// claims are what is signed; docs/assertion.md says what each means.
func (p *prover) claims(b []byte, i *instance, c *pipeline.Call, out *http.Request) []byte {
	issued := p.now()
	expires := issued.Add(p.lifetime)
	if expires.After(i.expires) { // the statement must outlive what it vouches for
		expires = i.expires
	}
	b = append(b, p.fixed...)
	b = strconv.AppendInt(append(b, `,"iat":`...), issued.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), expires.Unix(), 10)
	b = appendText(append(b, `,"jti":`...), c.Correlation)
	b = appendText(append(b, `,"operation":`...), c.Operation)
	b = appendText(append(b, `,"htm":`...), out.Method)
	// What the client writes on the wire (net/http and shared/wire ask the same
	// function): the target's own path and all rewrites are in it.
	path := out.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	b = appendText(append(b, `,"path":`...), path)
	if out.URL.RawQuery != "" || out.URL.ForceQuery {
		// A query can be long, and personal; its digest compares as well.
		sum := sha256.Sum256([]byte(out.URL.RawQuery))
		b = base64url.AppendEncode(append(b, `,"qh":"`...), sum[:])
		b = append(b, '"')
	}
	if c.Identity != nil {
		b = appendText(append(b, `,"principal":`...), c.Identity.Principal.String())
	}
	return append(p.headers(append(b, `,"headers":{`...), out.Header), "}}"...)
}

// headers are all of the claims contract, also those that are not sent (""), so
// that a backend can tell one that was added on the way.
func (p *prover) headers(b []byte, sent http.Header) []byte {
	for i, name := range p.names {
		if i > 0 {
			b = append(b, ',')
		}
		value := ""
		if lines := sent[name]; len(lines) > 0 {
			value = lines[0]
		}
		b = appendText(append(appendText(b, name), ':'), value)
	}
	return b
}

// appendText writes a JSON string, characters as they are where they may be (RFC 8259 §7).
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// unfit refuses what can't be stated; it is never cut. No other token would help, so there is no challenge.
func unfit(err error) *refusal.Refusal {
	r := refusal.New(refusal.Forbidden, "assertion_not_possible", "What the token says of the caller is too much to be signed for the backend.").
		By("backend.assertion").Because(err)
	r.Challenge = nil
	return r
}
