package gateway

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tollgate/shared/contract"
)

// universe is every path below /a of at most four segments over three literals
// and a word that is none.
func universe() [][]string {
	words, all, last := []string{"k", "l", "m", "z"}, [][]string{}, [][]string{{}}
	for range 4 {
		var next [][]string
		for _, p := range last {
			for _, w := range words {
				next = append(next, append(slices.Clone(p), w))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

// pattern is the naive reading of one operation's match.
type pattern struct {
	match, method string
	segments      []string
	reach         map[int]bool // which paths of the universe it matches
}

func newPattern(match string, all [][]string) pattern {
	method, path, _ := strings.Cut(match, " ")
	p := pattern{match: match, method: method, segments: strings.Split(path[1:], "/"), reach: map[int]bool{}}
	for i, candidate := range all {
		if p.matches(candidate, func(a, b string) bool { return a == b }) {
			p.reach[i] = true
		}
	}
	return p
}

func (p pattern) matches(path []string, same func(literal, segment string) bool) bool {
	for i, s := range p.segments {
		switch {
		case strings.HasSuffix(s, "...}"):
			return len(path) > i
		case i >= len(path), s[0] != '{' && !same(s, path[i]):
			return false
		}
	}
	return len(path) == len(p.segments)
}

func (p pattern) takes(method string) bool {
	return p.method == method || method == "HEAD" && p.method == "GET"
}

// within: each path of p is also one of q.
func (p pattern) within(q pattern) bool {
	for i := range p.reach {
		if !q.reach[i] {
			return false
		}
	}
	return true
}

// crosses: some request is of both, and neither is narrower; or both match the very same requests. check refuses such pairs.
func (p pattern) crosses(q pattern) bool {
	switch {
	case p.method != q.method && !(p.takes("HEAD") && q.takes("HEAD")):
		return false
	case p.within(q) && q.within(p):
		return p.method == q.method // HEAD beside GET is HEAD's own rule
	}
	for i := range p.reach {
		if q.reach[i] {
			return !p.within(q) && !q.within(p)
		}
	}
	return false
}

// narrowest of those that match, nil for none.
func narrowest(patterns []pattern, method string, path []string, same func(a, b string) bool) *pattern {
	var all []pattern
	for _, p := range patterns {
		if p.takes(method) && p.matches(path, same) {
			all = append(all, p)
		}
	}
	for _, p := range all {
		if !slices.ContainsFunc(all, func(q pattern) bool {
			return !p.within(q) || q.within(p) && q.match != p.match && q.method == method
		}) {
			return &p
		}
	}
	return nil
}

// estate draws operations of at most three segments that check accepts: no two of them cross.
func estate(t *testing.T, random *rand.Rand, all [][]string) (*node, []pattern) {
	words, methods := []string{"k", "l", "m", "{p}", "{p}"}, []string{"GET", "GET", "HEAD", "POST"}
	var patterns []pattern
	var matches []string
	for range 12 {
		var parts []string
		for i := range 1 + random.IntN(3) {
			parts = append(parts, strings.Replace(words[random.IntN(len(words))], "p", string(rune('p'+i)), 1))
		}
		if random.IntN(4) == 0 {
			parts[len(parts)-1] = "{rest...}"
		}
		p := newPattern(methods[random.IntN(len(methods))]+" /"+strings.Join(parts, "/"), all)
		if !slices.ContainsFunc(patterns, p.crosses) {
			patterns, matches = append(patterns, p), append(matches, p.match)
		}
	}
	var ops []contract.PlannedOperation = templates(t, matches...) // fails where check takes another view of what crosses
	return tree(ops, matches), patterns
}

func exactly(a, b string) bool { return a == b }

// The tree and a naive search agree on every path, and on what a 405 allows.
func TestTheTreeFindsWhatANaiveSearchFinds(t *testing.T) {
	all, random := universe(), rand.New(rand.NewPCG(1, 2))
	for range 40 {
		root, patterns := estate(t, random, all)
		for _, path := range all {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT"} {
				want := narrowest(patterns, method, path, exactly)
				got, allow := found(root, method, "/a/"+strings.Join(path, "/"))
				switch {
				case want != nil && got != want.match, want == nil && got != "":
					t.Fatalf("%s /a/%s of %s: got %q, want %+v", method, strings.Join(path, "/"), names(patterns), got, want)
				case got == "" && !slices.Equal(allow, allowed(patterns, path)):
					t.Fatalf("%s /a/%s of %s: got allow %v, want %v", method, strings.Join(path, "/"), names(patterns), allow, allowed(patterns, path))
				}
			}
		}
	}
}

func allowed(patterns []pattern, path []string) []string {
	var out []string
	for _, p := range patterns {
		if p.matches(path, exactly) {
			out = append(out, p.method)
			if p.method == "GET" {
				out = append(out, "HEAD")
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func names(patterns []pattern) string {
	var out []string
	for _, p := range patterns {
		out = append(out, p.match)
	}
	return strings.Join(out, ", ")
}

// D73 as a property: the rule that judged a request is the rule of the operation
// that a backend which ignores case would run, or the request is refused.
func TestD73ABackendThatIgnoresCaseRunsTheOperationThatWasJudged(t *testing.T) {
	all, random := universe(), rand.New(rand.NewPCG(3, 4))
	for range 40 {
		root, patterns := estate(t, random, all)
		for range 300 {
			path := slices.Clone(all[random.IntN(len(all))])
			path[random.IntN(len(path))] = []string{"K", "L", "M"}[random.IntN(3)]
			for _, method := range []string{"GET", "HEAD", "POST"} {
				got, _ := found(root, method, "/a/"+strings.Join(path, "/"))
				if runs := narrowest(patterns, method, path, strings.EqualFold); got != "" && runs.match != got {
					t.Fatalf("%s /a/%s of %s: judged by %q, but a backend that ignores case runs %q", method, strings.Join(path, "/"), names(patterns), got, runs.match)
				}
			}
		}
	}
}
