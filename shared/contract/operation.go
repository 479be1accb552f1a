package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Rewrite is the path that a backend gets. A segment that isn't a literal is the
// one of the request's path at From, or all from there on.
type Rewrite struct{ Segments []RewriteSegment }

// RewriteSegment is one segment of it.
type RewriteSegment struct {
	Literal string // "" for one of the request's
	From    int
	Rest    bool
}

// QueryRules are the API's and the operation's rules together.
type QueryRules struct {
	Set    map[string]string // by exact name
	Drop   []string          // in lower case; what Set names too
	Allow  []string          // the only ones that pass, exactly
	Closed bool              // Allow holds, also where it is empty
}

// Reply is Answer, bound.
type Reply struct {
	Status int
	Header http.Header // never changed
	Body   string
}

// WithheldParameters are query parameters that carry a secret for the gateway or
// the host (a Functions key, a subscription key, a token: RFC 6750 §2.3), or that
// some frameworks take for the method. No backend gets one.
func WithheldParameters() []string {
	return []string{"code", "subscription-key", "access_token", "_method"}
}

// rewriteOf compiles what checkRewrite found right.
func rewriteOf(text string, t Template) *Rewrite {
	if text == "" {
		return nil
	}
	segments, _ := parsePath(text)
	out := &Rewrite{}
	for _, s := range segments {
		part := RewriteSegment{Literal: s.Literal, Rest: s.Rest}
		if s.Name != "" {
			part.From = slices.IndexFunc(t.Segments, func(of Segment) bool { return of.Name == s.Name })
		}
		out.Segments = append(out.Segments, part)
	}
	return out
}

// queryRules: what either removes goes, what both let pass stays, and of two values the operation's is sent.
func queryRules(api, op Query) *QueryRules {
	out := &QueryRules{Set: map[string]string{}}
	for _, q := range []Query{api, op} {
		for _, name := range q.Remove {
			out.Drop = append(out.Drop, strings.ToLower(name))
		}
		for name, value := range q.Set {
			maps.DeleteFunc(out.Set, func(n, _ string) bool { return strings.EqualFold(n, name) })
			out.Set[name] = value
			out.Drop = append(out.Drop, strings.ToLower(name))
		}
		switch {
		case q.Allow == nil:
		case out.Closed:
			out.Allow = slices.DeleteFunc(slices.Clone(out.Allow), func(n string) bool { return !slices.Contains(q.Allow, n) })
		default:
			out.Allow, out.Closed = q.Allow, true
		}
	}
	if len(out.Drop) == 0 && !out.Closed {
		return nil
	}
	slices.Sort(out.Drop)
	out.Drop = slices.Compact(out.Drop)
	return out
}

func (a *Answer) planned() *Reply {
	if a == nil {
		return nil
	}
	out := &Reply{Status: a.Status, Header: http.Header{}, Body: a.Body}
	for name, value := range a.Headers {
		out.Header.Set(name, value)
	}
	if a.ContentType != "" {
		out.Header.Set("Content-Type", a.ContentType)
	}
	return out
}

// checkTransport checks an operation's words on how it is handed over.
func (c *apiCheck) checkTransport(at string, op *Operation, t Template) {
	if op.Upgrade != "" && t.Method != "" && t.Method != http.MethodGet {
		c.fault(at+".upgrade", "a WebSocket begins with GET (RFC 6455 §4.1), and %q is %s", op.ID, t.Method)
	}
	if op.Upgrade != "" && c.api.Backend.HTTP == "2" {
		c.fault(at+".upgrade", "needs HTTP/1.1 to the backend; remove backend.http: \"2\"")
	}
	c.checkRewrite(at+".rewrite", op, t)
	c.checkQuery(at+".query", op.Query)
	for i, name := range op.Query.Allow {
		if own := c.api.Query.Allow; own != nil && !slices.Contains(own, name) {
			c.fault(fmt.Sprintf("%s.query.allow.%d", at, i), "the API's own allow doesn't let %q pass, and both hold", name)
		}
	}
	if op.Reply == nil {
		return
	}
	c.checkReply(at+".answer", op.Reply)
	for word, there := range map[string]bool{"upgrade": op.Upgrade != "", "rewrite": op.Rewrite != "", "query": !op.Query.empty()} {
		if there {
			c.fault(at+"."+word, "is about calls to the backend, and %q is answered here; remove one of the two", op.ID)
		}
	}
}

func (c *apiCheck) checkRewrite(at string, op *Operation, t Template) {
	if op.Rewrite == "" || t.Method == "" {
		return
	}
	segments, why := parsePath(op.Rewrite)
	if why != "" {
		c.fault(at, "%q is not canonical: it %s", op.Rewrite, why)
		return
	}
	for _, s := range segments {
		i := slices.IndexFunc(t.Segments, func(of Segment) bool { return s.Name != "" && of.Name == s.Name })
		switch {
		case s.Name == "":
		case i < 0:
			c.fault(at, "match has no parameter {%s}", s.Name)
		case t.Segments[i].Rest != s.Rest:
			c.fault(at, "{%s} is one segment in one of match and rewrite, and all that remains in the other; write it alike", s.Name)
		}
	}
}

func (q Query) empty() bool { return len(q.Set)+len(q.Remove)+len(q.Allow) == 0 }

func (c *apiCheck) checkQuery(at string, q Query) {
	lower := map[string]string{}
	for _, name := range sortedKeys(q.Set) {
		if slices.Contains(WithheldParameters(), strings.ToLower(name)) {
			c.fault(at+".set."+name+"#", "%q carries a secret or a method, and no backend gets it", name)
		}
		if first, twice := lower[strings.ToLower(name)]; twice {
			c.fault(at+".set."+name+"#", "%q and %q are one to many backends", first, name)
		}
		lower[strings.ToLower(name)] = name
	}
	for i, name := range q.Remove {
		where := fmt.Sprintf("%s.remove.%d", at, i)
		switch {
		case lower[strings.ToLower(name)] != "":
			c.fault(where, "%q is set too, which removes the caller's", name)
		case slices.Contains(WithheldParameters(), strings.ToLower(name)):
			c.fault(where, "%q is always removed; take it out", name)
		}
	}
	for i, name := range q.Allow {
		where := fmt.Sprintf("%s.allow.%d", at, i)
		switch {
		case slices.Contains(WithheldParameters(), strings.ToLower(name)):
			c.fault(where, "%q never passes; take it out", name)
		case lower[strings.ToLower(name)] != "", slices.ContainsFunc(q.Remove, func(n string) bool { return strings.EqualFold(n, name) }):
			c.fault(where, "%q is set or removed too; it can't pass as well", name)
		}
	}
}

func (c *apiCheck) checkReply(at string, a *Answer) {
	bodiless := a.Status == http.StatusNoContent || a.Status == http.StatusNotModified // RFC 9112 §6.3
	switch {
	case a.Status > 599:
		c.fault(at+".status", "must be at most 599, got %d", a.Status)
	case a.Body != "" && bodiless:
		c.fault(at+".body", "an answer of status %d has none", a.Status)
	case a.Body != "" && a.ContentType == "":
		c.fault(at, "has a body and no contentType:; a browser would guess")
	case a.Body == "" && a.ContentType != "":
		c.fault(at+".contentType", "there is no body that it could describe")
	}
	for _, name := range sortedKeys(a.Headers) {
		folded := FoldHeader(name)
		if why := ownAnswer(folded); why != "" {
			c.fault(at+".headers."+name+"#", "%s can't be set: %s", name, why)
		}
		if !fieldValue(a.Headers[name]) {
			c.fault(at+".headers."+name, "%q can't be a header's value: use printable ASCII without spaces at the ends", a.Headers[name])
		}
	}
}

// ownAnswer says why one answer can't have that header, "" if it can: unlike
// responseHeaders, it may describe itself.
func ownAnswer(folded string) string {
	switch folded {
	case "content-language", "content-disposition", "content-location", "etag", "last-modified", "location", "retry-after", "cache-control", "expires", "link":
		return ""
	case "content-type":
		return "write contentType:"
	}
	return unanswerable(folded)
}
