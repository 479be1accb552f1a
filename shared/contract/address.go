package contract

import (
	"net/netip"
	"net/url"
	"strings"
)

// plain says where an address may be plain http.
type plain int

const (
	plainLoopback plain = iota // identity: a forged answer would be a forged caller
	plainAnywhere              // a backend in a private network; check warns
)

// checkLiteralURL checks an address that no environment changes, so that it is
// reported even where there is no environment yet.
func checkLiteralURL(d *document, at string, t Text) {
	d.placeholders(at, t)
	if strings.Contains(string(t), "${") {
		return
	}
	where := plainLoopback
	if strings.HasPrefix(at, "backend.") {
		where = plainAnywhere
	}
	checkURL(d, at, string(t), where)
}

// checkURL parses an absolute http(s) address; nil after a fault. "" is for the caller to report.
func checkURL(d *document, at, s string, where plain) *url.URL {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		d.fault(at, "%q is not an absolute https address", s)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		d.fault(at, "%q must not hold credentials, a query or a fragment", s)
	case u.Scheme == "http" && !loopback(u) && where == plainLoopback:
		d.fault(at, "%q is plain http; use https (plain http is for loopback only)", s)
	default:
		if u.Scheme == "http" && !loopback(u) {
			d.warn(at, "%q is plain http: whoever is on the path reads and forges the identity headers", s)
		}
		return u
	}
	return nil
}

func loopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}
