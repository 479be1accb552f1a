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
	Style       Style
}

// Style is how the refusals of an API are written, or those of the gateway that
// belong to no API.
type Style struct {
	APIM      bool   // in API Management's error envelope; else as a problem document
	EntraOnly bool   // tokens count as judged by validate-azure-ad-token, not by validate-jwt
	Address   string // of the API, https://<host>/<path>: what a challenge for a key names; "": the gateway's name
	KeyHeader string // the header that keys come in; "": API Management's own
}

// Answer is the status of a refusal and what it says to the caller.
func (s Style) Answer(r *Refusal) (status int, text string) {
	if s.APIM {
		return s.envelope(r)
	}
	return r.Kind.Status(), r.Detail
}

// quotaExceeded is the type of a problem that a limit causes
// (draft-ietf-httpapi-ratelimit-headers-10 §5).
const quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"

// problem is an RFC 9457 document. Its type is the default, about:blank, whose
// title is the status text (§4.2.1), but for limits; the stable part is the code.
type problem struct {
	Type        string `json:"type,omitempty"`
	Title       string `json:"title"`
	Status      int    `json:"status"`
	Detail      string `json:"detail"`
	Code        string `json:"code"`
	Correlation string `json:"correlationId"`

	Violated []string `json:"violated-policies,omitempty"`
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

// Write renders the refusal, and tells the status that it has. It must be the first thing written to w.
func Write(w http.ResponseWriter, about About, r *Refusal) (status int) {
	status, text := about.Style.Answer(r)
	kind, body := "application/problem+json", inProblem(status, text, about, r)
	if about.Style.APIM {
		kind, body = "application/json", inEnvelope(status, text, about, r)
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// A refusal depends on who asked and when; no cache may replay it to someone else.
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Correlation-Id", about.Correlation)
	switch {
	case about.Style.APIM && r.aboutKey():
		h.Set("WWW-Authenticate", keyChallenge(about))
	case r.Challenge != nil:
		h.Set("WWW-Authenticate", r.challenge(about))
	}
	if r.Kind == MethodNotAllowed {
		h.Set("Allow", strings.Join(r.Allow, ", ")) // RFC 9110 §15.5.6: required with 405
	}
	if r.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(r.retrySeconds(), 10))
	}
	w.WriteHeader(status)
	if !about.Head {
		_, _ = w.Write(body) // the client may be gone; the event tells what was decided
	}
	return status
}

func inProblem(status int, text string, about About, r *Refusal) []byte {
	p := problem{Title: http.StatusText(status), Status: status, Detail: text, Code: r.Code, Correlation: about.Correlation}
	if r.Violated != "" {
		p.Type, p.Violated = quotaExceeded, []string{r.Violated}
	}
	body, err := json.Marshal(p)
	if err != nil { // strings and an int always marshal; an empty body is still a refusal
		return nil
	}
	return body
}

func (r *Refusal) retrySeconds() int64 {
	return int64((r.RetryAfter + time.Second - 1) / time.Second)
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
