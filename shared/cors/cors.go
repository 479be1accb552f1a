// Package cors says which pages' scripts may read an API's answers: the server's
// half of the CORS protocol (Fetch, "HTTP extensions").
//
// It is no access control. A browser sends a simple request to anyone, and a
// program that isn't a browser obeys none of this; who may call is decided by
// the other stages. So only a preflight, which asks in advance, is ever refused,
// and a WebSocket, which no browser keeps a page from reading.
package cors

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// The request headers of the protocol.
const (
	origin    = "Origin"
	askMethod = "Access-Control-Request-Method"
	askHeader = "Access-Control-Request-Headers"
)

// Policy is one API's, compiled.
type Policy struct {
	origins     map[string]bool
	headers     map[string]bool // lower case
	allowed     string          // those, as the contract writes them
	expose      string
	age         string
	credentials bool
}

// New compiles what a contract says.
func New(c contract.PlannedCORS) *Policy {
	p := &Policy{
		origins: map[string]bool{}, headers: map[string]bool{},
		allowed: strings.Join(c.Headers, ", "), expose: strings.Join(c.Expose, ", "), credentials: c.Credentials,
	}
	for _, o := range c.Origins {
		p.origins[o] = true
	}
	for _, h := range c.Headers {
		p.headers[strings.ToLower(h)] = true
	}
	if c.MaxAge > 0 {
		p.age = strconv.Itoa(int(c.MaxAge / time.Second))
	}
	return p
}

// IsPreflight: a browser asks whether it may send another request. Two origins,
// or two methods, are no question that has one answer.
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header[origin]) == 1 && len(r.Header[askMethod]) == 1
}

// Check decides on a preflight. takes says whether the path takes a method.
func (p *Policy) Check(request http.Header, takes func(method string) *refusal.Refusal) *refusal.Refusal {
	if !p.lists(request) {
		return refused("origin_not_allowed", "This API isn't open to scripts of that origin.", "cors.origins")
	}
	if r := takes(request[askMethod][0]); r != nil {
		return r
	}
	for _, line := range request[askHeader] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); name != "" && !p.headers[name] {
				return refused("header_not_allowed", "Scripts may not send a header that was asked for.", "cors.headers")
			}
		}
	}
	return nil
}

// refused has no challenge: no token would help.
func refused(code, detail, rule string) *refusal.Refusal {
	r := refusal.New(refusal.Forbidden, code, detail).By(rule)
	r.Challenge = nil
	return r
}

// lists tells whether the request comes from one origin, and a listed one.
func (p *Policy) lists(request http.Header) bool {
	return len(request[origin]) == 1 && p.origins[request[origin][0]]
}

// Admit refuses a WebSocket of an origin that isn't listed: a browser opens one
// from any page and lets its script read it, whatever the answer says (RFC 6455
// §10.2). A request without an origin is no browser's.
func (p *Policy) Admit(_ context.Context, c *pipeline.Call) *refusal.Refusal {
	h := c.Request.Header
	if len(h["Upgrade"]) == 0 || len(h[origin]) == 0 || p.lists(h) {
		return nil
	}
	return refused("origin_not_allowed", "This API isn't open to scripts of that origin.", "cors.origins")
}

// Vary is what every answer depends on, also one without an origin: a cache
// must not give it to a listed one (Fetch, "CORS protocol and HTTP caches").
func (p *Policy) Vary() string { return origin }

// Decorate lets a listed origin's script read the answer, whatever it says.
func (p *Policy) Decorate(answer, request http.Header) {
	if !p.lists(request) {
		return
	}
	answer["Access-Control-Allow-Origin"] = request[origin]
	if p.credentials {
		answer["Access-Control-Allow-Credentials"] = []string{"true"}
	}
	if p.expose != "" {
		answer["Access-Control-Expose-Headers"] = []string{p.expose}
	}
}

// Preflight completes the answer to a preflight that was allowed. methods are
// those that the path takes.
func (p *Policy) Preflight(answer, request http.Header, methods []string) {
	p.Decorate(answer, request)
	answer.Del("Access-Control-Expose-Headers") // there is nothing to read
	answer.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	if p.allowed != "" {
		answer.Set("Access-Control-Allow-Headers", p.allowed)
	}
	if p.age != "" {
		answer.Set("Access-Control-Max-Age", p.age)
	}
	answer.Set("Vary", strings.Join([]string{origin, askMethod, askHeader}, ", "))
}
