package host

import (
	"net/http"
	"slices"
	"strings"
)

// unproxied tells whether YARP keeps a header to the connection it came on.
// functions-host.md §2c has the list; names in Connection are not on it.
func unproxied(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade",
		"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info",
		"Proxy-Features", "Proxy-Instruction", "Security-Scheme", "Alpn", "Close",
		"Http2-Settings", "Upgrade-Insecure-Requests", "Te", "Alt-Svc":
		return true
	}
	return strings.HasPrefix(name, ":")
}

// proxyHeaders are the headers that the handler gets: functions-host.md §2c.
func (h *Host) proxyHeaders(c *call) http.Header {
	out := http.Header{}
	for name, values := range c.r.Header {
		if !unproxied(name) {
			out[name] = slices.Clone(values)
		}
	}
	if h.options.Variants.DropHSTS {
		out.Del("Strict-Transport-Security")
	}
	if upgradable(c.r) {
		out.Set("Connection", "Upgrade")
		out["Upgrade"] = slices.Clone(c.r.Header["Upgrade"])
	}
	if _, ok := out["User-Agent"]; !ok {
		out.Set("User-Agent", "") // keeps Go from adding its own
	}
	if !h.options.Variants.PassForwarded {
		setForwarded(out, c)
	}
	h.identify(out, c.id)
	return out
}

// setForwarded replaces the caller's chain with what the host sees itself.
func setForwarded(out http.Header, c *call) {
	for name, value := range map[string]string{
		"Forwarded":          "",
		"X-Forwarded-For":    c.remote,
		"X-Forwarded-Host":   c.host,
		"X-Forwarded-Proto":  c.scheme,
		"X-Forwarded-Prefix": "", // the path base, which is empty
	} {
		out.Del(name)
		if value != "" {
			out.Set(name, value)
		}
	}
}

// identify overwrites the invocation headers, so that no caller can forge them.
func (h *Host) identify(out http.Header, id string) {
	out.Set("X-Azure-Functions-InvocationId", id)
	out.Set("X-Azure-Functions-HostVersion", h.options.HostVersion)
	out.Set("X-Ms-Invocation-Id", id)
	if h.options.Variants.ReplaceTraceparent {
		out.Set("Traceparent", newTraceparent())
	}
}

func newTraceparent() string {
	hex := strings.ReplaceAll(newID()+newID(), "-", "")
	return "00-" + hex[:32] + "-" + hex[32:48] + "-00"
}
