package verify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Caller is whom the gateway let through, in its own words.
type Caller struct {
	Principal      string // "user" or "application"; "" on a public operation
	API, Operation string // by their names in the contracts
	Correlation    string // names the call, as in X-Correlation-Id and in the gateway's event
	ClaimsContract int    // version of the forwarded headers
	Expires        time.Time
	headers        map[string]string
}

// Header is one header of the claims contract as the gateway sent it, "" if it sent none.
func (c *Caller) Header(name string) string { return c.headers[http.CanonicalHeaderKey(name)] }

// Values are the claim behind it: the items of the list, decoded.
func (c *Caller) Values(name string) []string {
	text := c.Header(name)
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i, item := range items {
		if decoded, err := url.PathUnescape(item); err == nil {
			items[i] = decoded
		}
	}
	return items
}

type callerKey struct{}

// CallerFrom is the caller that Middleware put into the request's context. ok is
// false outside of it.
func CallerFrom(ctx context.Context) (c *Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(*Caller)
	return c, ok
}

// Middleware answers requests without a valid assertion itself, with 401 (or 503
// where it can't tell) and a problem document; the others get their caller.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, fault := v.Request(r)
		if fault != nil {
			if v.o.Report != nil {
				v.o.Report(r, fault)
			}
			fault.write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// Request holds one request against the assertion it carries. Its headers of the
// claims contract must be those that the gateway signed, and the others absent,
// so that a handler may go on reading them.
func (v *Verifier) Request(r *http.Request) (*Caller, *Fault) {
	assertion, statement := r.Header[http.CanonicalHeaderKey(Header)], r.Header[http.CanonicalHeaderKey(KeyHeader)]
	switch {
	case len(assertion) == 0 || len(statement) == 0:
		return nil, refused("assertion_missing", "This service is to be called through its gateway.", nil)
	case len(assertion) > 1 || len(statement) > 1:
		return nil, refused("assertion_repeated", "The gateway's headers are there more than once.", nil)
	}
	caller, fault := v.Verify(r.Context(), assertion[0], statement[0], r.Method, v.o.Target(r))
	if fault != nil {
		return nil, fault
	}
	if name := caller.differs(r.Header); name != "" {
		return nil, refused("assertion_other_headers", "A header about the caller isn't the one that the gateway sent.", nil)
	}
	return caller, nil
}

// differs names a header that isn't what the gateway said, "" if none. A name
// that a framework could take for one of them (X_User_Id) is none of the gateway's.
func (c *Caller) differs(h http.Header) string {
	for name, want := range c.headers {
		got := h[http.CanonicalHeaderKey(name)]
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0] != want) {
			return name
		}
	}
	for name := range h {
		for own := range c.headers {
			if len(name) == len(own) && fold(name) == fold(own) && name != http.CanonicalHeaderKey(own) {
				return name
			}
		}
	}
	return ""
}

// fold is what a server that turns names into variables (CGI, WSGI) makes of one.
func fold(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'A' <= c && c <= 'Z':
			return c | 0x20
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		}
		return '-'
	}, name)
}

// write renders the fault as RFC 9457 has it.
func (f *Fault) write(w http.ResponseWriter) {
	body, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}{http.StatusText(f.Status), f.Status, f.Detail, f.Code})
	if err != nil { // texts and a number always marshal; an empty body is still a refusal
		body = nil
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if f.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(pause/time.Second)))
	} else {
		h.Set("WWW-Authenticate", "Gateway-Assertion") // RFC 9110 §15.5.2: a 401 names a scheme
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(body) // the client may be gone; there is nothing left to do
}
