package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// wellKnown is put between host and path of the resource (RFC 9728 §3.1).
const wellKnown = "/.well-known/oauth-protected-resource"

func wellKnownSegments() []contract.Segment {
	return []contract.Segment{{Literal: ".well-known"}, {Literal: "oauth-protected-resource"}}
}

// metadata is what a client needs to get a token for an API (RFC 9728 §2).
type metadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	ResourceName         string   `json:"resource_name"`
}

// metadataURL is built from the configured public URL, never from the request's
// Host: a caller must not choose where others are sent. "" for an API without
// protected operations, or without a public URL.
func metadataURL(plan *contract.Plan, api contract.PlannedAPI) string {
	if plan.PublicURL == "" || len(api.Accepts) == 0 {
		return ""
	}
	return plan.PublicURL + wellKnown + pathOf(api)
}

func pathOf(api contract.PlannedAPI) string {
	var b strings.Builder
	for _, s := range api.Segments {
		b.WriteString("/" + s.Literal)
	}
	return b.String()
}

// scopePrefix: Entra's clients ask for a scope by the Application ID URI and its name.
func scopePrefix(api contract.PlannedAPI) string {
	for _, a := range api.Accepts {
		if a.Issuer.Name == contract.Entra {
			return api.Audience + "/"
		}
	}
	return ""
}

// metadataRoute is the public operation that answers the metadata.
func metadataRoute(plan *contract.Plan, api contract.PlannedAPI) (contract.Template, *route) {
	doc := metadata{Resource: plan.PublicURL + pathOf(api), BearerMethods: []string{"header"}, ResourceName: api.Name}
	for _, a := range api.Accepts {
		server := a.Issuer.Issuer
		if a.Issuer.TokenVersion == "1.0" {
			server = a.Issuer.Discovery + "/v2.0" // a v1 issuer has no v2 endpoints; clients sign in at the same tenant
		}
		if !slices.Contains(doc.AuthorizationServers, server) {
			doc.AuthorizationServers = append(doc.AuthorizationServers, server)
		}
	}
	for _, s := range api.Scopes {
		doc.ScopesSupported = append(doc.ScopesSupported, scopePrefix(api)+s)
	}
	body, err := json.Marshal(doc)
	if err != nil { // texts always marshal
		body = nil
	}
	steps, kept := origin(plan, api), "public"
	if len(steps) > 0 { // a shared cache asks nobody where he calls from
		kept = "private"
	}
	return contract.Template{Method: http.MethodGet, Segments: append(wellKnownSegments(), api.Segments...)}, &route{
		api: api.Name, operation: "resource-metadata", stages: steps, decide: chained(steps), deliver: document(body, "application/json", kept+", max-age=3600"),
	}
}

// document is the delivery of an answer that the gateway gives itself, its kind,
// and what caches may do with it.
func document(body []byte, kind, keep string) pipeline.Delivery {
	return func(_ context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
		h := w.Header()
		c.Announce(h)
		h.Set("Content-Type", kind)
		h.Set("Content-Length", strconv.Itoa(len(body)))
		h.Set("Cache-Control", keep)
		h.Set(forward.CorrelationHeader, c.Correlation)
		w.WriteHeader(http.StatusOK)
		c.Outcome.Status = http.StatusOK
		if c.Request.Method != http.MethodHead {
			n, _ := w.Write(body) // the client may be gone; there is nothing left to do
			c.Outcome.Bytes = int64(n)
		}
		return nil
	}
}
