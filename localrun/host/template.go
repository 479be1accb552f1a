package host

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// template is a route template in ASP.NET Core's legacy syntax
// (functions-host.md §3): {id}, {id?}, {id=default}, {id:constraint}, {*rest}.
type template struct {
	segments []segment
}

// segment is what stands between two slashes: a literal, one parameter, or a
// mix of both ("v{major}.json"), which a pattern matches.
type segment struct {
	literal string
	params  []param
	pattern *regexp.Regexp // set for a mix only
}

type param struct {
	name               string
	optional, catchAll bool
	fallback           *string
	constraints        []constraint
}

func parseTemplate(text string, doubleStar bool) (*template, error) {
	t := &template{}
	if text == "" {
		return t, nil
	}
	seen := map[string]bool{}
	texts, err := splitSegments(text)
	if err != nil {
		return nil, err
	}
	for i, part := range texts {
		s, err := parseSegment(part, doubleStar)
		if err != nil {
			return nil, err
		}
		for _, p := range s.params {
			if p.catchAll && (i < len(texts)-1 || s.pattern != nil) {
				return nil, fmt.Errorf("{*%s} must be the whole last segment", p.name)
			}
			if seen[strings.ToLower(p.name)] {
				return nil, fmt.Errorf("parameter %q stands twice in it", p.name)
			}
			seen[strings.ToLower(p.name)] = true
		}
		t.segments = append(t.segments, s)
	}
	return t, nil
}

// splitSegments cuts at slashes that stand outside braces.
func splitSegments(text string) ([]string, error) {
	var parts []string
	depth, start := 0, 0
	for i, c := range text {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		case '/':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		return nil, errors.New("its braces are unbalanced")
	}
	parts = append(parts, text[start:])
	for _, part := range parts {
		if part == "" {
			return nil, errors.New("it has an empty segment (//)")
		}
	}
	return parts, nil
}

func parseSegment(text string, doubleStar bool) (segment, error) {
	var s segment
	var pattern, literal strings.Builder
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			pattern.WriteString(regexp.QuoteMeta(rest[:1]))
			rest = rest[2:]
		case rest[0] == '{':
			end := closingBrace(rest)
			if end < 0 {
				return s, errors.New("its braces are unbalanced")
			}
			p, err := parseParam(rest[1:end], doubleStar)
			if err != nil {
				return s, err
			}
			s.params = append(s.params, p)
			// Greedy from the left gives what the host gets from the right.
			pattern.WriteString("(.+)")
			rest = rest[end+1:]
		case rest[0] == '}':
			return s, errors.New("its braces are unbalanced")
		default:
			literal.WriteByte(rest[0])
			pattern.WriteString(regexp.QuoteMeta(rest[:1]))
			rest = rest[1:]
		}
	}
	s.literal = literal.String()
	if len(s.params) == 0 || len(s.params) == 1 && s.literal == "" {
		return s, nil
	}
	return mixed(s, pattern.String())
}

func mixed(s segment, pattern string) (segment, error) {
	if strings.Contains(pattern, ")(") {
		return s, errors.New("two parameters stand side by side: put a literal between them")
	}
	for _, p := range s.params {
		if p.optional || p.fallback != nil {
			return s, fmt.Errorf("{%s} is optional inside a segment with other text, which is not emulated here: give it a segment of its own", p.name)
		}
	}
	var err error
	s.pattern, err = regexp.Compile("(?is)^" + pattern + "$")
	return s, err
}

// closingBrace finds the end of the parameter that starts text; doubled braces
// inside it (in a regex constraint) stand for single ones.
func closingBrace(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "{{"):
			i++
		case strings.HasPrefix(text[i:], "}}") && strings.Contains(text[1:i], "{{"):
			i++
		case text[i] == '}':
			return i
		}
	}
	return -1
}

func parseParam(text string, doubleStar bool) (param, error) {
	var p param
	rest, star := strings.CutPrefix(text, "*")
	if after, double := strings.CutPrefix(rest, "*"); star && double {
		if !doubleStar {
			return p, fmt.Errorf("{%s}: whether the host knows ** isn't confirmed: write {*%s}, or set Variants.DoubleStar", text, after)
		}
		rest = after
	}
	p.catchAll = star
	rest, p.optional = strings.CutSuffix(rest, "?")
	end := strings.IndexAny(rest, ":=")
	if end < 0 {
		end = len(rest)
	}
	p.name, rest = rest[:end], rest[end:]
	if p.name == "" || strings.ContainsAny(p.name, "{}*?/") {
		return p, fmt.Errorf("{%s} has no valid parameter name", text)
	}
	for strings.HasPrefix(rest, ":") {
		var name, args string
		name, args, rest = cutConstraint(rest[1:])
		c, err := newConstraint(name, args)
		if err != nil {
			return p, fmt.Errorf("{%s}: %w", text, err)
		}
		p.constraints = append(p.constraints, c)
	}
	if value, ok := strings.CutPrefix(rest, "="); ok {
		p.fallback = &value
	}
	if p.optional && (p.catchAll || p.fallback != nil) {
		return p, fmt.Errorf("{%s} can't be optional: a catch-all and a default are so already", text)
	}
	return p, nil
}

// cutConstraint splits "length(1,2):alpha=x" into name, arguments and the rest.
func cutConstraint(text string) (name, args, rest string) {
	end := strings.IndexAny(text, "(:=")
	if end < 0 {
		return text, "", ""
	}
	if text[end] != '(' {
		return text[:end], "", text[end:]
	}
	name, text = text[:end], text[end+1:]
	for i := range len(text) {
		if text[i] == ')' && (i == len(text)-1 || text[i+1] == ':' || text[i+1] == '=') {
			return name, text[:i], text[i+1:]
		}
	}
	return name, text, ""
}
