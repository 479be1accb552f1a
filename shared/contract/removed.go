package contract

import (
	"net/http"
	"slices"
	"strings"
)

// RemovedHeaders are the names, folded, under which only the connection, the
// platform or the gateway may speak: forward removes them from requests and
// from answers, and check lets no contract demand or promise one.
func RemovedHeaders() []string {
	return slices.Concat(hopHeaders(), credentialHeaders(), gatewayHeaders(), platformHeaders())
}

// RemovedPrefixes are the same for whole families of names.
func RemovedPrefixes() []string {
	return []string{
		"proxy-", "x-forwarded-", "x-ms-client-principal", "x-ms-token-", "x-ms-site-", "x-arr-", "x-azure-", "x-envoy-",
		"wl-proxy-", "ssl-client-", "x-ssl-client-", "client-cert", "x-client-cert", // RFC 9440, and what proxies called it before
		"remote-", "x-remote-", "x-auth-request-", "x-amzn-oidc-", "x-goog-authenticated-user-", "x-goog-iap-", "cf-access-", // who a proxy let in
	}
}

// hopHeaders end at this connection (RFC 9110 §7.6.1), whether Connection names them or not.
func hopHeaders() []string {
	return []string{"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "alt-svc", "expect"}
}

func credentialHeaders() []string {
	return []string{"authorization", "dpop", "x-functions-key", "ocp-apim-subscription-key"}
}

// gatewayHeaders are those that the gateway writes anew for each call.
func gatewayHeaders() []string {
	return []string{"x-correlation-id", "forwarded", "traceparent", "tracestate", "x-gateway-assertion", "x-gateway-assertion-key"}
}

// platformHeaders speak for the host or a proxy; from a caller they are lies,
// and a backend may believe them (functions-host.md §7).
func platformHeaders() []string {
	return []string{
		"client-ip", "x-client-ip", "x-client-port", "true-client-ip", "x-real-ip", "x-cluster-client-ip", "fastly-client-ip", "cf-connecting-ip",
		"disguised-host", "proxy", // httpoxy: CGI makes HTTP_PROXY of it
		"was-default-hostname", "x-site-deployment-id", "x-appservice-proto", "max-forwards",
		"via", "x-forwarded", "x-host", "x-scheme", "x-url-scheme", "front-end-https",
		"x-original-for", "x-original-forwarded-for", "x-original-host", "x-original-prefix", "x-original-proto", // what a proxy keeps of X-Forwarded-* (ASP.NET Core, nginx ingress)
		"x-original-url", "x-original-uri", "x-original-method", "x-rewrite-url", "x-waws-unencoded-url", "x-accel-redirect",
		"x-script-name", "script-name", "path-info", "x-replaced-path", "x-http-host-override", "x-http-destinationurl",
		"x-http-method", "x-http-method-override", "x-method-override",
		"x-functionscaleout", "x-function-scaleout", "x-ms-coldstart", "x-ms-invocation-id", "x-ms-platform-internal",
	}
}

// Removed says why a header of that folded name never passes the gateway, "" if
// it does. The claims contract's own names are not among them.
func Removed(folded string) string {
	switch {
	case slices.Contains(hopHeaders(), folded), folded == "host", folded == "content-length":
		return "it belongs to the connection (RFC 9110 §7.6.1)"
	case slices.Contains(credentialHeaders(), folded):
		return "it carries credentials for the gateway"
	case slices.Contains(gatewayHeaders(), folded):
		return "the gateway sets it"
	case slices.Contains(platformHeaders(), folded), slices.ContainsFunc(RemovedPrefixes(), func(p string) bool { return strings.HasPrefix(folded, p) }):
		return "only the platform or a proxy may speak under it"
	}
	return ""
}

// ConnectionNames are the headers, folded, that end at this connection because
// Connection says so; nil for none.
func ConnectionNames(h http.Header) map[string]bool {
	var named map[string]bool
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if named == nil {
				named = map[string]bool{}
			}
			named[FoldHeader(strings.TrimSpace(name))] = true
		}
	}
	return named
}
