package gateway

import (
	"errors"
	"net/http"
	"strings"
)

// checkTarget refuses a request target that says more than a path and a query,
// or another authority than Host does. Its path has been checked.
func checkTarget(r *http.Request) error {
	target := r.RequestURI
	if target == "" { // a request that was built, not read
		target = r.URL.RequestURI()
	}
	for i := range len(target) {
		switch c := target[i]; {
		case c == '#': // RFC 9112 §3.2: no form of a target has a fragment
			return errors.New("it holds a fragment")
		case c <= ' ' || c > '~':
			return errors.New("it holds a byte that is not visible ASCII")
		}
	}
	for _, host := range r.Header["Host"] { // a server that leaves Host among the headers, or reads one of two
		if len(r.Header["Host"]) > 1 || !strings.EqualFold(host, r.Host) {
			return errors.New("there are two Hosts")
		}
	}
	if strings.HasPrefix(target, "/") {
		return nil
	}
	return checkAuthority(target, r.Host)
}

// checkAuthority: RFC 9112 §3.2.2 lets the target overrule Host; whoever reads
// Host all the same would see another request, so the two must agree.
func checkAuthority(target, host string) error {
	scheme, rest, _ := strings.Cut(target, "://")
	authority, _, _ := strings.Cut(rest, "/")
	authority, _, _ = strings.Cut(authority, "?")
	own, known := map[string]string{"http": ":80", "https": ":443"}[strings.ToLower(scheme)]
	plain := func(s string) string {
		return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(s), own), ":")
	}
	switch {
	case !known:
		return errors.New("its scheme is not http or https")
	case strings.Contains(authority, "@"): // RFC 9110 §4.2.4
		return errors.New("it holds user information")
	case plain(authority) != plain(host):
		return errors.New("its authority is not the Host")
	}
	return nil
}
