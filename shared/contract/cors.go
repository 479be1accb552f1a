package contract

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxPreflightAge: Firefox keeps a preflight for a day at the most, others for less.
const maxPreflightAge = 24 * time.Hour

// Preflight is the operation that events name for a preflight.
const Preflight = "preflight"

// CORS says which pages' scripts may read an API's answers.
type CORS struct {
	Origins     []string `field:"origins,required" doc:"Origins of those pages, exactly as a browser sends them: scheme://host[:port], lower case. Plain http only for loopback."`
	Headers     []string `field:"headers" doc:"Request headers that a script may set. Authorization too, if it is to send a token." pattern:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
	Expose      []string `field:"expose" doc:"Response headers that a script may read, besides those that any may." pattern:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
	Credentials *bool    `field:"credentials" doc:"true: a browser may send cookies and client certificates along. A token in Authorization doesn't need it."`
	MaxAge      Duration `field:"maxAge" doc:"How long a browser may keep the answer to a preflight; at most 24h. Without it, the browser decides (5 seconds)."`
}

// PlannedCORS is CORS, bound.
type PlannedCORS struct {
	Origins, Headers, Expose []string
	Credentials              bool
	MaxAge                   time.Duration // whole seconds; 0: not said
}

func (c *CORS) planned() *PlannedCORS {
	if c == nil {
		return nil
	}
	return &PlannedCORS{Origins: c.Origins, Headers: c.Headers, Expose: c.Expose, Credentials: c.Credentials != nil && *c.Credentials, MaxAge: time.Duration(c.MaxAge)}
}

func (c *apiCheck) checkCORS() {
	cors := c.api.CORS
	if cors == nil {
		return
	}
	for i, o := range cors.Origins {
		if why := originFault(o); why != "" && o != "" {
			c.fault(fmt.Sprintf("cors.origins.%d", i), "%q %s", o, why)
		}
	}
	c.checkOnce("cors.headers", cors.Headers)
	c.checkOnce("cors.expose", cors.Expose)
	if cors.Credentials != nil && !*cors.Credentials {
		c.fault("cors.credentials", "false says nothing; remove the line")
	}
	if age := time.Duration(cors.MaxAge); age > maxPreflightAge || age%time.Second != 0 {
		c.fault("cors.maxAge", "must be whole seconds and at most %s; browsers keep no preflight for longer", maxPreflightAge)
	}
	for i, op := range c.api.Operations {
		if op.ID == Preflight {
			c.fault(fmt.Sprintf("operations.%d.id", i), "is what events call the preflights of this API; name the operation otherwise")
		}
	}
	if c.api.protected() && !slices.ContainsFunc(cors.Headers, func(h string) bool { return strings.EqualFold(h, "Authorization") }) {
		c.warn("cors", "no script can send a token: add Authorization to headers:, or remove cors: if only public operations are meant for scripts")
	}
}

// checkOnce: field names don't differ by case (RFC 9110 §5.1).
func (c *apiCheck) checkOnce(at string, names []string) {
	seen := map[string]bool{}
	for i, n := range names {
		if seen[strings.ToLower(n)] {
			c.fault(fmt.Sprintf("%s.%d", at, i), "%q is in the list twice; case doesn't count", n)
		}
		seen[strings.ToLower(n)] = true
	}
}

// originFault says why a browser would never send this origin, or why none may
// be listed. A browser serializes an origin in one way only (HTML, "ASCII
// serialization of an origin"), so comparing bytes is enough.
func originFault(s string) string {
	switch s {
	case "*":
		return "is no origin; name each one"
	case "null":
		return "is sent by every sandboxed frame and local file, so it names nobody; host the page and name its origin"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "is not an origin such as https://app.contoso.example"
	case u.Scheme == "http" && !loopback(u):
		return "is plain http: whoever is on the path could be that page; use https (plain http is for loopback only)"
	case !canonicalHost(u.Hostname()):
		return "has a host that no browser writes so; use lower case, xn-- for other letters, and addresses in their shortest form"
	}
	if want := originOf(u); s != want {
		return fmt.Sprintf("is not how a browser writes it; write %q", want)
	}
	return ""
}

// originOf is scheme, host and a port that isn't the scheme's own.
func originOf(u *url.URL) string {
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	own := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && u.Port() != own {
		host += ":" + strconv.FormatUint(port, 10)
	}
	return u.Scheme + "://" + host
}

// canonicalHost: an address in its shortest form, or a name of lower-case letters.
func canonicalHost(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Contains(host, ":") || strings.IndexFunc(last, func(r rune) bool { return r < '0' || r > '9' }) < 0 || strings.HasPrefix(last, "0x") {
		ip, err := netip.ParseAddr(host)
		return err == nil && ip.String() == host && ip.Zone() == ""
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.IndexFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) >= 0 {
			return false
		}
	}
	return true
}
