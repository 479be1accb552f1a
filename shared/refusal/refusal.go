// Package refusal is the one way this gateway says no.
//
// A Refusal is an answer, not an error: it has no Error method, so it can't be
// wrapped away or become a typed nil. It holds two texts that never meet: a
// detail for the caller and a cause for the operator. Write is the only place
// that turns one into a status line, headers and a body.
package refusal

import (
	"net/netip"
	"time"
)

// Kind is the closed set of reasons to say no. It decides the status.
type Kind int

// The zero Kind is Internal: a refusal that nobody classified is our fault, not the caller's.
const (
	Internal            Kind = iota // 500: the gateway failed
	Malformed                       // 400: the request can't be understood, or is not safe to understand
	Unauthenticated                 // 401: no token, or one that proves nothing
	Forbidden                       // 403: a valid token that doesn't allow this
	NotFound                        // 404: no operation has this path
	MethodNotAllowed                // 405: the path exists, the method doesn't
	RequestTimeout                  // 408: the request didn't come in time
	TooLarge                        // 413: the body is over the contract's cap
	TargetTooLong                   // 414: the request target is over the gateway's cap
	ExpectationFailed               // 417: Expect asks for what the gateway doesn't do
	TooMany                         // 429: more than may be looked at now
	HeaderTooLarge                  // 431: the header section is over the gateway's cap
	NotImplemented                  // 501: a transfer coding that the gateway doesn't know
	VersionNotSupported             // 505: neither HTTP/1.1 nor HTTP/1.0
	BadGateway                      // 502: the backend couldn't be reached or answered nonsense
	Unavailable                     // 503: something the decision needs is not to be had now
	GatewayTimeout                  // 504: the backend missed its deadline
)

// Refusal says no. Build one with New and the chained methods; it is not
// changed after it left the stage that made it.
type Refusal struct {
	Kind       Kind
	Code       string        // stable, for machines: lower case, digits and underscores
	Detail     string        // one sentence for the caller: no token text, claim value or internal host
	Rule       string        // the contract rule that decided, such as "operations.get.allow"; "" where none did
	Challenge  *Challenge    // what WWW-Authenticate says; nil sends none
	Allow      []string      // methods for 405
	RetryAfter time.Duration // rounded up to whole seconds; 0 sends none
	Violated   string        // the limit that is used up; "" for none
	Facts      Facts         // what API Management's texts name besides
	cause      error
}

// Facts are what API Management's texts name of the request (apim.go). A problem
// document never holds them, nor does an event.
type Facts struct {
	Missing      []string   // claims that a rule asks for and the token lacks
	Claim, Value string     // else: a claim that the token has, and its value, which the rule doesn't allow
	Address      netip.Addr // the caller's; zero: not known to be one caller's
	Blocked      bool       // a list names the address, rather than not naming it
}

// Challenge is the part of a Bearer challenge that depends on the refusal (RFC 6750 §3).
type Challenge struct {
	Error string   // invalid_request, invalid_token, insufficient_scope and the like; "" when no credentials were sent (§3.1)
	Scope []string // the scopes that would do
	// What Entra's clients are to ask for, and where (claims challenge).
	Claims, AuthorizationURI string
	// Another scheme than Bearer, with its algorithms (RFC 9449 §7.1).
	Scheme string
	Algs   []string
	Name   string // the header that a subscription key is sent in, where the scheme is for one
}

// New makes a refusal with the challenge that its kind calls for.
func New(kind Kind, code, detail string) *Refusal {
	r := &Refusal{Kind: kind, Code: code, Detail: detail}
	switch kind {
	case Unauthenticated:
		r.Challenge = &Challenge{Error: "invalid_token"}
	case Forbidden:
		r.Challenge = &Challenge{Error: "insufficient_scope"}
	}
	return r
}

// Because keeps the private cause. It reaches the event, never the caller.
func (r *Refusal) Because(err error) *Refusal {
	r.cause = err
	return r
}

// By names the contract rule that decided.
func (r *Refusal) By(rule string) *Refusal {
	r.Rule = rule
	return r
}

// Challenging replaces the challenge that New chose.
func (r *Refusal) Challenging(c Challenge) *Refusal {
	r.Challenge = &c
	return r
}

// Knowing keeps the facts.
func (r *Refusal) Knowing(f Facts) *Refusal {
	r.Facts = f
	return r
}

// Retry says when trying again may help.
func (r *Refusal) Retry(after time.Duration) *Refusal {
	r.RetryAfter = after
	return r
}

// Cause is the private text, "" where there is none.
func (r *Refusal) Cause() string {
	if r.cause == nil {
		return ""
	}
	return r.cause.Error()
}
