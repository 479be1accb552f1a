package telemetry

import (
	"net/http"
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// What stands in place of a name that isn't known. The specification's for
// methods and errors is _OTHER.
const (
	otherMethod = "_OTHER"
	otherName   = "other"
)

// names are all that a series may be called by. Whatever a caller sends, it
// can't make another one.
type names struct {
	routes map[operation]string // the template of each
	codes  map[string]string
}

type operation struct{ api, id string }

func namesOf(plan *contract.Plan) names {
	n := names{routes: map[operation]string{
		{"", "jwks"}: "/_gateway/jwks", {"", "health"}: "/_gateway/health",
	}, codes: map[string]string{}}
	for _, c := range reasons {
		n.codes[c] = c
	}
	for _, api := range plan.APIs {
		below := template(api.Segments)
		n.routes[operation{api.Name, contract.Preflight}] = below
		n.routes[operation{api.Name, "resource-metadata"}] = "/.well-known/oauth-protected-resource" + below
		for _, op := range api.Operations {
			n.routes[operation{api.Name, op.ID}] = template(op.Template.Segments)
		}
	}
	return n
}

// template is a path as the contract writes it.
func template(segments []contract.Segment) string {
	var b strings.Builder
	for _, s := range segments {
		switch {
		case s.Literal != "":
			b.WriteString("/" + s.Literal)
		case s.Rest:
			b.WriteString("/{" + s.Name + "...}")
		default:
			b.WriteString("/{" + s.Name + "}")
		}
	}
	return b.String()
}

// route is the template of an operation; "" where there is none.
func (n names) route(api, id string) string { return n.routes[operation{api, id}] }

func (n names) code(c string) string {
	if known, ok := n.codes[c]; ok {
		return known
	}
	return otherName
}

// methodOf is one of those that the specification knows, or _OTHER.
func methodOf(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY":
		return m
	}
	return otherMethod
}

// statusOf is a status that is registered, or the first of its class, as which a
// client must take any other one (RFC 9110 §15).
func statusOf(s int) int {
	if s == 0 || http.StatusText(s) != "" {
		return s
	}
	if class := s / 100; class >= 1 && class <= 5 {
		return class * 100
	}
	return 500
}

func omits(plan *contract.Plan, what string) bool { return slices.Contains(plan.Audit.Omit, what) }

// schemeOf is how callers reach the gateway: the host ends TLS, so the
// connection doesn't tell.
func schemeOf(plan *contract.Plan) string {
	if strings.HasPrefix(plan.PublicURL, "http:") {
		return "http"
	}
	return "https"
}
