package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// RequiredHeader is one header that a request must carry.
type RequiredHeader struct {
	Name   string // in canonical form
	Values []string
	Rule   string // such as "headers.X-Api-Version"
}

func required(at string, headers map[string][]string) []RequiredHeader {
	var out []RequiredHeader
	for _, name := range sortedKeys(headers) {
		out = append(out, RequiredHeader{Name: http.CanonicalHeaderKey(name), Values: headers[name], Rule: at + "." + name})
	}
	return out
}

// answerHeaders are the gateway's with the API's over them, by canonical name.
func answerHeaders(gateway, api map[string]string) map[string]string {
	out := map[string]string{}
	for _, headers := range []map[string]string{gateway, api} {
		for name, value := range headers {
			out[http.CanonicalHeaderKey(name)] = value
		}
	}
	return out
}

// claimed tells whether the gateway sends claims under that name.
func (g *Gateway) claimed(folded string) bool {
	return slices.ContainsFunc(sortedKeys(g.Forward), func(name string) bool { return FoldHeader(name) == folded })
}

// checkHeaders: a header that never reaches the backend proves nothing to it.
func (c *apiCheck) checkHeaders() {
	c.checkDemanded("headers", c.api.Headers)
	for i, op := range c.api.Operations {
		at := fmt.Sprintf("operations.%d.headers", i)
		c.checkDemanded(at, op.Headers)
		for _, h := range required("", op.Headers) {
			for _, a := range required("", c.api.Headers) {
				if a.Name == h.Name && !slices.ContainsFunc(h.Values, func(v string) bool { return slices.Contains(a.Values, v) }) {
					c.fault(at, "no value of %s satisfies both the API and %q; nobody could call it", h.Name, op.ID)
				}
			}
		}
	}
}

func (c *apiCheck) checkDemanded(at string, headers map[string][]string) {
	c.checkNames(at, headers, func(folded string) string {
		if folded == FoldHeader(c.api.Proof.CertificateHeader) {
			return "the front end sets it"
		}
		return Removed(folded)
	})
	for _, name := range sortedKeys(headers) {
		for i, v := range headers[name] {
			if !fieldValue(v) {
				c.fault(fmt.Sprintf("%s.%s.%d", at, name, i), "%q can't be a header's value: use printable ASCII without spaces at the ends", v)
			}
		}
	}
}

// checkNames reports names that are refused, and names that are one to a backend.
func (c *apiCheck) checkNames(at string, headers map[string][]string, refused func(folded string) string) {
	folded := map[string]string{}
	for _, name := range sortedKeys(headers) {
		f, where := FoldHeader(name), at+"."+name+"#"
		if first, ok := folded[f]; ok {
			c.fault(where, "the header is named twice: %q and %q are one", first, name)
		}
		folded[f] = name
		if c.gateway.claimed(f) {
			c.fault(where, "%s can't be demanded: the gateway sends a claim under it, and removes the caller's", name)
		} else if why := refused(f); why != "" {
			c.fault(where, "%s can't be demanded: %s", name, why)
		}
	}
}

// fieldValue: RFC 9110 §5.5, without what some recipients read another way.
func fieldValue(v string) bool {
	return strings.Trim(v, " ") == v && strings.IndexFunc(v, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
}

// checkAnswer checks responseHeaders.
func (d *document) checkAnswer(headers map[string]string, g *Gateway) {
	folded := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		f, at := FoldHeader(name), "responseHeaders."+name
		if first, ok := folded[f]; ok {
			d.fault(at+"#", "the header is named twice: %q and %q are one", first, name)
		}
		folded[f] = name
		if g.claimed(f) {
			d.fault(at+"#", "%s can't be set: the gateway sends a claim under it to backends, and none to callers", name)
		} else if why := unanswerable(f); why != "" {
			d.fault(at+"#", "%s can't be set: %s", name, why)
		}
		if !fieldValue(headers[name]) {
			d.fault(at, "%q can't be a header's value: use printable ASCII without spaces at the ends", headers[name])
		}
	}
}

// unanswerable says why no contract may set a header on every answer, "" if one may.
func unanswerable(folded string) string {
	switch {
	case folded == "strict-transport-security":
		// functions-host.md §2c: the proxy of some hosts drops the handler's own.
		return "some Functions hosts drop it; set extensions.http.hsts in host.json"
	case folded == "content-security-policy", folded == "content-security-policy-report-only":
		return ""
	case strings.HasPrefix(folded, "content-"), folded == "set-cookie", folded == "date", folded == "age", folded == "etag", folded == "last-modified", folded == "location", folded == "retry-after", folded == "allow":
		return "it describes one answer, not all"
	case folded == "cache-control", folded == "expires", folded == "pragma":
		return "the backend says how long its answer keeps, and a refusal is never kept"
	case folded == "www-authenticate":
		return "the gateway's challenges stand there"
	case folded == "vary", strings.HasPrefix(folded, "access-control-"):
		return "it follows from cors:"
	case folded == "server", folded == "x-powered-by", strings.HasPrefix(folded, "x-aspnet"):
		return "it tells what runs here"
	}
	return Removed(folded)
}

// checkEncodedSlash: the word is about parameters, and about what hosts do to paths.
func (c *apiCheck) checkEncodedSlash(at string, op *Operation, t Template) {
	if op.EncodedSlash == "" || t.Method == "" {
		return
	}
	if !slices.ContainsFunc(t.Segments, func(s Segment) bool { return s.Name != "" }) {
		c.fault(at+".encodedSlash", "%q has no parameter that could hold a slash; remove the line", op.ID)
		return
	}
	if strings.Contains(op.Rewrite, "{") {
		// The gateway knows which of the request's paths is another operation's, not which of the backend's.
		c.fault(at+".encodedSlash", "%q has a rewrite that holds a parameter: with its slashes decoded, the backend's path could be another operation's; remove one of the two", op.ID)
	}
	c.warn(at+".encodedSlash", "a Functions host hands %%2F over as %%252F, so both count as an encoded slash here, and the backend gets the one that was received; it must decode the parameter only after it has chosen its own route")
}
