package inspector

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy lets the page load its own style and script, and nothing else in.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded answers only to a page of its own origin, or to an address typed in.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !own(r) {
			http.Error(w, "The inspector answers to its own page on this machine only. Type its address into the browser.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// own tells whether a request comes from this page. A page that the person visits
// can send requests to 127.0.0.1 (the browser then says so in Sec-Fetch-Site and
// Origin), or have its own name resolve there (then Host is that name). Pages of
// other ports of this machine are "same-site", and strangers too.
func own(r *http.Request) bool {
	if !loopback(r.Host) {
		return false
	}
	switch sites := r.Header.Values("Sec-Fetch-Site"); {
	case len(sites) == 0: // a program, or an old browser
	case len(sites) > 1 || sites[0] != "same-origin" && sites[0] != "none":
		return false
	}
	switch origins := r.Header.Values("Origin"); {
	case len(origins) == 0:
		return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header.Get("Sec-Fetch-Site") == "same-origin"
	default:
		return len(origins) == 1 && strings.EqualFold(origins[0], "http://"+r.Host)
	}
}

// loopback tells whether a Host is this machine, by an address or by the one name
// that browsers resolve to it themselves.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
