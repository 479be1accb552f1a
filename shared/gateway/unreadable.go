package gateway

import (
	"net/http"

	"tollgate/shared/refusal"
	"tollgate/shared/wire"
)

// Unreadable refuses what came over a connection but is no request that has one
// reading. It leaves an event as any refusal does.
func (g *Gateway) Unreadable(w http.ResponseWriter, r *http.Request, f *wire.Fault) {
	g.Refuse(w, r, unreadable(f.Status).Because(f))
}

// Refuse answers a request that the front end's own limits forbid, and leaves its event.
func (g *Gateway) Refuse(w http.ResponseWriter, r *http.Request, refused *refusal.Refusal) {
	call := g.NewCall(r)
	v := g.visit(r.Context(), call)
	g.refuse(w, call, nil, refused)
	v.record(refused)
}

func unreadable(status int) *refusal.Refusal {
	switch status {
	case http.StatusRequestTimeout:
		return refusal.New(refusal.RequestTimeout, "request_timeout", "The header section did not arrive in time.")
	case http.StatusRequestURITooLong:
		return refusal.New(refusal.TargetTooLong, "target_too_long", "The request target is longer than this gateway takes.")
	case http.StatusExpectationFailed:
		return refusal.New(refusal.ExpectationFailed, "expectation_unknown", "This gateway knows no expectation but 100-continue.")
	case http.StatusRequestHeaderFieldsTooLarge:
		return refusal.New(refusal.HeaderTooLarge, "header_too_large", "The header section is larger than this gateway takes.")
	case http.StatusNotImplemented:
		return refusal.New(refusal.NotImplemented, "transfer_coding_unknown", "This gateway knows no transfer coding but chunked.")
	case http.StatusHTTPVersionNotSupported:
		return refusal.New(refusal.VersionNotSupported, "version_not_supported", "This gateway speaks HTTP/1.1.")
	default:
		return refusal.New(refusal.Malformed, "malformed_request", "The request is not well-formed HTTP/1.1, or can be read in more than one way.")
	}
}
