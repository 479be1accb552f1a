package forward

import (
	"net/http"
	"strings"

	"tollgate/shared/contract"
)

// hopByHop end at this connection (RFC 9110 §7.6.1), whether Connection names them or not.
var hopByHop = set("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "alt-svc", "expect")

// platform headers speak for the host, a proxy or the gateway; from a caller
// they are lies, and a backend may believe them (functions-host.md §7).
var platform = set("authorization", "dpop", "x-functions-key", "ocp-apim-subscription-key",
	"client-ip", "x-client-ip", "x-client-port", "true-client-ip", "x-real-ip", "x-cluster-client-ip", "fastly-client-ip", "cf-connecting-ip",
	"disguised-host", "proxy", // httpoxy: CGI makes HTTP_PROXY of it
	"was-default-hostname", "x-site-deployment-id", "x-appservice-proto", "max-forwards",
	"forwarded", "via", "x-forwarded", "x-host", "x-original-host",
	"x-original-url", "x-original-uri", "x-original-method", "x-rewrite-url", "x-waws-unencoded-url", "x-accel-redirect",
	"x-http-method", "x-http-method-override", "x-method-override",
	"x-correlation-id", "x-functionscaleout", "x-function-scaleout", "x-ms-coldstart", "x-ms-invocation-id", "x-ms-platform-internal")

var platformPrefixes = []string{"proxy-", "x-forwarded-", "x-ms-client-principal", "x-ms-token-", "x-ms-site-", "x-arr-", "x-azure-", "x-envoy-"}

// answerOnly headers tell callers what runs behind the gateway.
var answerOnly = set("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// cleaner removes what one side must not hear from the other.
type cleaner struct {
	identity map[string]bool // by folded name
	answered spoken          // what the gateway itself says in answers
}

// newCleaner takes the claims contract, and the header in which the front end
// passes the client's certificate, if there is one.
func newCleaner(claims []contract.Header, certificate string) cleaner {
	c := cleaner{identity: map[string]bool{}}
	for _, h := range claims {
		c.identity[contract.FoldHeader(h.Name)] = true
	}
	if certificate != "" {
		c.identity[contract.FoldHeader(certificate)] = true
	}
	return c
}

// request copies what a caller may say to a backend. The names that Connection
// lists are dropped from this copy, before the gateway adds its own headers, so
// a caller can't have those removed (peers.md §3, CVE-2021-33197).
func (c cleaner) request(in http.Header) http.Header {
	named := connectionNames(in)
	out := make(http.Header, len(in)+8)
	for name, values := range in {
		folded := contract.FoldHeader(name)
		if named[folded] || c.trusted(folded) {
			continue
		}
		out[name] = values
	}
	return out
}

// trusted: names that only the gateway, or the connection itself, may speak under.
func (c cleaner) trusted(folded string) bool {
	if hopByHop[folded] || platform[folded] || c.identity[folded] {
		return true
	}
	for _, p := range platformPrefixes {
		if strings.HasPrefix(folded, p) {
			return true
		}
	}
	return false
}

// withheld: names under which no backend may speak to a caller, in headers and trailers.
func (c cleaner) withheld(folded string) bool {
	return c.trusted(folded) || answerOnly[folded] || c.answered.has(folded)
}

// answer copies what a backend may say to a caller.
func (c cleaner) answer(in, out http.Header) {
	named := connectionNames(in)
	for name, values := range in {
		folded := contract.FoldHeader(name)
		if named[folded] || c.withheld(folded) {
			continue
		}
		out[name] = append(out[name], values...)
	}
}

// connectionNames are the headers that Connection declares as its own.
func connectionNames(h http.Header) map[string]bool {
	var named map[string]bool
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if named == nil {
				named = map[string]bool{}
			}
			named[contract.FoldHeader(strings.TrimSpace(name))] = true
		}
	}
	return named
}
