// Package assertion holds two backends against the gateway's assertions: one in
// Go, one in Node with jose. docs/assertion.md shows this file and verify.mjs.
package assertion

import (
	"net/http"

	"tollgate/shared/assertion/verify"
)

// Behind lets only the gateway's calls reach the handler.
func Behind(gateway, audience string, handler http.Handler) (http.Handler, error) {
	v, err := verify.New(verify.Options{Issuer: gateway, Audience: audience})
	if err != nil {
		return nil, err
	}
	return v.Middleware(handler), nil
}

// WhoCalls is a handler that reads the caller.
func WhoCalls(w http.ResponseWriter, r *http.Request) {
	caller, ok := verify.CallerFrom(r.Context())
	if !ok {
		http.Error(w, "not behind the middleware", http.StatusInternalServerError)
		return
	}
	for _, role := range caller.Values("X-Roles") {
		_, _ = w.Write([]byte(caller.Principal + " with " + role + "\n"))
	}
}
