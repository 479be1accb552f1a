package forward

import (
	"net/url"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// address is where the call goes: scheme, host and the first of the path are the
// target's, whatever the request says.
func (rt *route) address(t *target, c *pipeline.Call) *url.URL {
	in := c.Request.URL
	path, query := c.Path, cleanQuery(in.RawQuery, rt.api.withheld)
	if rt.op.Rewrite != nil {
		path = rewritten(rt.op.Rewrite, c.Path)
	}
	force := in.ForceQuery
	if rules := rt.op.Query; rules != nil {
		query, force = ruled(rules, query), false
	}
	raw := t.base + path
	u := &url.URL{Scheme: t.url.Scheme, Host: t.url.Host, Path: raw, RawPath: raw, RawQuery: query, ForceQuery: force}
	if decoded, err := url.PathUnescape(raw); err == nil {
		u.Path = decoded
	}
	return u
}

// rewritten is the operation's template with the request's own segments in it,
// byte for byte. Each was matched as a whole segment of a canonical path, so none
// can be a dot segment, hold a slash or reach over to another.
func rewritten(r *contract.Rewrite, path string) string {
	var b strings.Builder
	b.Grow(len(path) + 32)
	for _, s := range r.Segments {
		b.WriteByte('/')
		if s.Literal != "" {
			b.WriteString(s.Literal)
			continue
		}
		b.WriteString(segmentsAt(path, s.From, s.Rest))
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// segmentsAt is the segment of a path at an index from 0, or all from there on.
func segmentsAt(path string, i int, rest bool) string {
	path = path[1:]
	for range i {
		_, path, _ = strings.Cut(path, "/")
	}
	if !rest {
		path, _, _ = strings.Cut(path, "/")
	}
	return path
}
