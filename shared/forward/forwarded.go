package forward

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// forwarding is what every backend hears about the way a call came: whatever a
// caller said of it was removed. Host and scheme are those of the configured
// public URL, never the Host header, which a caller chooses.
type forwarding struct {
	host, proto []string // header values; nil without a public URL
	rest        string   // of Forwarded, after for=
}

func newForwarding(publicURL string) forwarding {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" { // the contract holds a whole address or none
		return forwarding{}
	}
	return forwarding{host: []string{u.Host}, proto: []string{u.Scheme}, rest: ";host=" + tokenOrQuoted(u.Host) + ";proto=" + u.Scheme}
}

// tokenOrQuoted: RFC 7239 §4: a value with a colon, as of a port, must be a quoted string.
func tokenOrQuoted(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !tokenByte(r) }) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}

// tokenByte: RFC 9110 §5.6.2.
func tokenByte(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// add names the client, if it is known, and the way it came.
func (f forwarding) add(h http.Header, client netip.Addr) {
	node := "unknown" // RFC 7239 §6.2
	if client.IsValid() {
		text := client.String()
		h["X-Forwarded-For"] = []string{text}
		if node = text; client.Is6() {
			node = `"[` + text + `]"` // §6: IPv6 in brackets, so quoted
		}
	}
	if f.host != nil {
		h["X-Forwarded-Host"], h["X-Forwarded-Proto"] = f.host, f.proto
	}
	h["Forwarded"] = []string{"for=" + node + f.rest}
}
