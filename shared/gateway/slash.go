package gateway

import (
	"errors"
	"strings"

	"tollgate/shared/refusal"
)

// The two spellings of an encoded slash. The Functions host turns %2F, and a
// client's %252F too, into %252F (functions-host.md §2c), so behind it the
// second is all that is ever seen of the first.
const (
	slashOnce  = "%2f"
	slashTwice = "%252f"
)

// encodedSlash is the length of the encoded slash that s begins with, 0 if it begins with none.
func encodedSlash(s string) int {
	for _, spelling := range []string{slashOnce, slashTwice} {
		if len(s) >= len(spelling) && strings.EqualFold(s[:len(spelling)], spelling) {
			return len(spelling)
		}
	}
	return 0
}

// slashes tells whether a path that checkPath accepted holds encoded slashes.
func slashes(path string) bool {
	lower := strings.ToLower(path)
	return strings.Contains(lower, slashOnce) || strings.Contains(lower, slashTwice)
}

// opened is the path as a server sees it that takes encoded slashes for slashes.
func opened(path string) string {
	if !slashes(path) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); {
		if slash := encodedSlash(path[i:]); slash > 0 {
			b.WriteByte('/')
			i += slash
			continue
		}
		b.WriteByte(path[i])
		i++
	}
	return b.String()
}

// checkSlashes: what stands between the slashes of a segment, encoded ones
// included, is neither empty nor a dot segment. So no decoding makes a path that
// resolves to another one. Both spellings in one path would be two readings.
func checkSlashes(path string) error {
	if !slashes(path) {
		return nil
	}
	lower := strings.ToLower(path)
	if strings.Contains(lower, slashOnce) && strings.Contains(lower, slashTwice) {
		return errors.New("it encodes slashes in two ways")
	}
	open := opened(path)
	for piece := range strings.SplitSeq(open[1:], "/") {
		if piece == "." || piece == ".." {
			return errors.New("it holds a dot segment beside an encoded slash")
		}
	}
	if strings.Contains(open, "//") || strings.HasSuffix(open, "/") && !strings.HasSuffix(path, "/") {
		return errors.New("it holds an encoded slash with nothing before or after it")
	}
	return nil
}

// operation is the route for a method and a path that checkPath accepted.
//
// An encoded slash is taken only where the operation says so, and only if a
// backend that decodes it before it routes would run that same operation, or
// none. It can stand in a parameter only: a literal holds no percent sign.
func (g *Gateway) operation(method, path string) (*route, *refusal.Refusal) {
	rt, allow := g.root.find(method, path)
	if slashes(path) {
		if rt == nil || !rt.encodedSlash {
			return nil, ambiguous(errors.New("it holds an encoded slash, which no operation there takes"))
		}
		other := g.root.walk(opened(path)[1:], (*node).ignoringCase, func(l leaf) *route { return l.take(method) })
		if other != nil && other != rt {
			return nil, ambiguous(errors.New("with its encoded slash decoded it is the path of " + other.api + "." + other.operation))
		}
	}
	switch {
	case rt != nil:
		return rt, nil
	case len(allow) > 0:
		r := refusal.New(refusal.MethodNotAllowed, "method_not_allowed", "This path doesn't take that method.")
		r.Allow = allow
		return nil, r
	}
	return nil, refusal.New(refusal.NotFound, "no_route", "No operation has this path.")
}

func ambiguous(err error) *refusal.Refusal {
	return refusal.New(refusal.Malformed, "path_not_canonical", "The path can be read in more than one way.").Because(err)
}
