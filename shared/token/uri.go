package token

import (
	"encoding/hex"
	"strings"
)

// normalURI is an address under the normalisation of RFC 3986 §6.2.2 and §6.2.3
// that RFC 9449 §4.3 recommends. Dot segments stay: none reaches this gateway's
// operations. ok is false for what isn't an address, or has a query or fragment
// (RFC 9449 §4.2: htu has neither).
func normalURI(uri string) (normal string, ok bool) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || strings.IndexFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || r == '?' || r == '#' }) >= 0 {
		return "", false
	}
	authority, path, _ := strings.Cut(rest, "/") // no path is the path "/"
	scheme, authority = strings.ToLower(scheme), strings.ToLower(authority)
	// RFC 3986 §6.2.3: the default port, or an empty one, is no port.
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	if port == "" || !strings.HasSuffix(authority, port) {
		port = ":"
	}
	path, ok = normalPercent(path)
	return scheme + "://" + strings.TrimSuffix(authority, port) + "/" + path, ok
}

// normalPercent is RFC 3986 §6.2.2.1 and §6.2.2.2: unreserved characters stand
// for themselves, other octets in upper-case hexadecimal.
func normalPercent(path string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			b.WriteByte(path[i])
			continue
		}
		octet, err := hex.DecodeString(path[i+1 : min(i+3, len(path))])
		if err != nil || len(octet) != 1 {
			return "", false
		}
		if c := octet[0]; letter(c) || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.ToUpper(path[i : i+3]))
		}
		i += 2
	}
	return b.String(), true
}
