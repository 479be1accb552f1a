package contract

import (
	"fmt"
	"slices"
	"strings"
)

// Template is an operation's method and whole path, as segments.
type Template struct {
	Method   string
	Segments []Segment
}

// Segment is a literal, a parameter, or the parameter for all that remains.
type Segment struct {
	Literal string // "" for a parameter
	Name    string
	Rest    bool // one or more segments, to the end
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// unreserved are the bytes of RFC 3986 §2.3. A literal made of these has one
// spelling only, so it can't be written another way in a request.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// parsePath splits a canonical path; the reason is "" if it is one.
func parsePath(p string) (segments []Segment, reason string) {
	if !strings.HasPrefix(p, "/") {
		return nil, "must start with /"
	}
	if p == "/" {
		return nil, ""
	}
	seen := map[string]bool{}
	parts := strings.Split(p[1:], "/")
	for i, part := range parts {
		s, why := parseSegment(part)
		switch {
		case why != "":
			return nil, why
		case s.Rest && i < len(parts)-1:
			return nil, fmt.Sprintf("{%s...} must be the last segment", s.Name)
		case s.Name != "" && seen[s.Name]:
			return nil, fmt.Sprintf("the parameter {%s} is there twice", s.Name)
		}
		seen[s.Name] = true
		segments = append(segments, s)
	}
	return segments, ""
}

func parseSegment(part string) (Segment, string) {
	switch {
	case part == "":
		return Segment{}, "must not end with / or hold //"
	case part == "." || part == "..":
		return Segment{}, "must not hold dot segments"
	}
	inner, open := strings.CutPrefix(part, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if open && closed {
		name, rest := strings.CutSuffix(inner, "...")
		if name == "" || strings.IndexFunc(name, func(r rune) bool { return r > 0x7e || !unreserved(byte(r)) || strings.ContainsRune("-.~", r) }) >= 0 {
			return Segment{}, fmt.Sprintf("%q is not a parameter; write {name} with letters, digits and _", part)
		}
		return Segment{Name: name, Rest: rest}, ""
	}
	for i := range len(part) {
		if !unreserved(part[i]) {
			return Segment{}, fmt.Sprintf("%q must be made of letters, digits and - . _ ~, or be one {parameter}", part)
		}
	}
	return Segment{Literal: part}, ""
}

// parseMatch reads "GET /{id}" below the API's path.
func parseMatch(match string, below []Segment) (Template, string) {
	method, p, ok := strings.Cut(match, " ")
	if !ok || !slices.Contains(methods, method) {
		return Template{}, fmt.Sprintf("must be a method and a path, such as \"GET /{id}\"; methods are %s", strings.Join(methods, ", "))
	}
	segments, reason := parsePath(p)
	if reason != "" {
		return Template{}, "the path " + reason
	}
	return Template{Method: method, Segments: append(slices.Clone(below), segments...)}, ""
}

func (t Template) String() string {
	var b strings.Builder
	b.WriteString(t.Method + " ")
	for _, s := range t.Segments {
		switch {
		case s.Rest:
			b.WriteString("/{" + s.Name + "...}")
		case s.Name != "":
			b.WriteString("/{" + s.Name + "}")
		default:
			b.WriteString("/" + s.Literal)
		}
	}
	return b.String()
}

// relation of two templates: which requests both match.
type relation int

const (
	disjoint relation = iota // no request matches both
	nested                   // each request of one is also the other's: the narrower wins
	same                     // both match exactly the same requests
	crossing                 // some requests match both, and neither is narrower
)

func relate(a, b Template) relation {
	r := overlap(a.Segments, b.Segments)
	switch {
	case a.Method == b.Method:
		return r
	case a.answers("HEAD") && b.answers("HEAD") && r == crossing:
		return crossing // a GET operation answers HEAD too; beside it on the same path, HEAD's own wins
	default:
		return disjoint
	}
}

// answers: a GET operation takes HEAD under the same rule.
func (t Template) answers(method string) bool {
	return t.Method == method || method == "HEAD" && t.Method == "GET"
}

func overlap(a, b []Segment) relation {
	aNarrower, bNarrower := false, false
	for i := 0; ; i++ {
		aEnds, bEnds := i >= len(a), i >= len(b)
		if aEnds || bEnds {
			if aEnds != bEnds {
				return disjoint // a rest parameter takes at least one segment
			}
			return verdict(aNarrower, bNarrower)
		}
		x, y := a[i], b[i]
		switch {
		case x.Rest && y.Rest:
			return verdict(aNarrower, bNarrower)
		case x.Rest:
			return verdict(aNarrower, true)
		case y.Rest:
			return verdict(true, bNarrower)
		case x.Literal != "" && y.Literal != "":
			if x.Literal != y.Literal {
				return disjoint
			}
		case x.Literal != "":
			aNarrower = true
		case y.Literal != "":
			bNarrower = true
		}
	}
}

func verdict(aNarrower, bNarrower bool) relation {
	switch {
	case aNarrower && bNarrower:
		return crossing
	case aNarrower || bNarrower:
		return nested
	default:
		return same
	}
}
