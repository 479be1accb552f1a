package refusal

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// About is what the answer says of the request it refuses.
type About struct {
	Realm       string // the gateway's name
	Correlation string // the id under which the event can be found
	Head        bool   // a HEAD request: headers only
	Metadata    string // address of the API's protected-resource metadata (RFC 9728); "" for none
}

// problem is an RFC 9457 document. Its type is the default, about:blank, whose
// title is the status text (§4.2.1); the stable part is the code.
type problem struct {
	Title       string `json:"title"`
	Status      int    `json:"status"`
	Detail      string `json:"detail"`
	Code        string `json:"code"`
	Correlation string `json:"correlationId"`
}

// Status is the HTTP status of a kind.
func (k Kind) Status() int {
	switch k {
	case Malformed:
		return http.StatusBadRequest
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case RequestTimeout:
		return http.StatusRequestTimeout
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case TargetTooLong:
		return http.StatusRequestURITooLong
	case ExpectationFailed:
		return http.StatusExpectationFailed
	case TooMany:
		return http.StatusTooManyRequests
	case HeaderTooLarge:
		return http.StatusRequestHeaderFieldsTooLarge
	case NotImplemented:
		return http.StatusNotImplemented
	case VersionNotSupported:
		return http.StatusHTTPVersionNotSupported
	case BadGateway:
		return http.StatusBadGateway
	case Unavailable:
		return http.StatusServiceUnavailable
	case GatewayTimeout:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// Write renders the refusal. It must be the first thing written to w.
func Write(w http.ResponseWriter, about About, r *Refusal) {
	status := r.Kind.Status()
	body, err := json.Marshal(problem{http.StatusText(status), status, r.Detail, r.Code, about.Correlation})
	if err != nil { // strings and an int always marshal; an empty body is still a refusal
		body = nil
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// A refusal depends on who asked and when; no cache may replay it to someone else.
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Correlation-Id", about.Correlation)
	if r.Challenge != nil {
		h.Set("WWW-Authenticate", r.challenge(about))
	}
	if r.Kind == MethodNotAllowed {
		h.Set("Allow", strings.Join(r.Allow, ", ")) // RFC 9110 §15.5.6: required with 405
	}
	if r.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((r.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(status)
	if !about.Head {
		_, _ = w.Write(body) // the client may be gone; the event tells what was decided
	}
}

// challenge is RFC 6750 §3: each attribute at most once.
func (r *Refusal) challenge(about About) string {
	c, scheme := r.Challenge, "Bearer"
	if c.Scheme != "" {
		scheme = c.Scheme
	}
	realm := about.Realm
	if c.AuthorizationURI != "" {
		realm = "" // entra-oauth.md §2: empty goes with the common authorization_uri
	}
	attributes := []string{"realm=" + quoted(realm)}
	add := func(name, value string) {
		if value != "" {
			attributes = append(attributes, name+"="+quoted(value))
		}
	}
	add("authorization_uri", c.AuthorizationURI)
	add("name", c.Name)
	// §3.1: no error attribute when the request carried no credentials.
	if c.Error != "" {
		add("error", c.Error)
		add("error_description", r.Detail)
	}
	add("scope", strings.Join(c.Scope, " "))
	add("claims", c.Claims)
	add("algs", strings.Join(c.Algs, " "))
	if c.Name == "" {
		add("resource_metadata", about.Metadata) // RFC 9728 §5.1: it leads to tokens, not to keys
	}
	return scheme + " " + strings.Join(attributes, ", ")
}

// quoted keeps to the characters that RFC 6750 §3 allows in error_description,
// %x20-21 / %x23-5B / %x5D-7E, so nothing needs escaping.
func quoted(s string) string {
	return `"` + strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, s) + `"`
}
