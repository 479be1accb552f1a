package host

import (
	"slices"
	"strings"
)

// route finds the function for a decoded path: the first in name order whose
// template and methods fit. functions-host.md §3: a wrong method is no match.
func (a *App) route(method, path string, v Variants) (*Function, map[string]string) {
	for _, f := range a.Functions {
		if f.template == nil || len(f.Methods) > 0 && !slices.Contains(f.Methods, strings.ToUpper(method)) {
			continue
		}
		if values, ok := f.template.match(path, v); ok {
			return f, values
		}
	}
	return nil, nil
}

// match fits a decoded path to the template. functions-host.md §3: literals
// without case; %2F is still encoded here and splits nothing.
func (t *template) match(path string, v Variants) (map[string]string, bool) {
	segments := pathSegments(path, v)
	values := map[string]string{}
	for i, text := range segments {
		if text == "" && v.EmptySegments != EmptySegmentsMatch {
			return nil, false
		}
		if i >= len(t.segments) {
			return nil, false
		}
		s := t.segments[i]
		if s.catchAll() {
			rest := strings.Join(segments[i:], "/")
			if v.EmptySegments == EmptySegmentsFail && slices.Contains(segments[i:], "") {
				return nil, false
			}
			// The catch-all takes the text to its end, the ignored slash included.
			if !v.TrailingSlashCount && len(path) > 1 && strings.HasSuffix(path, "/") {
				rest += "/"
			}
			values[s.params[0].name] = rest
			return values, t.allowed(values)
		}
		if !s.match(text, values) {
			return nil, false
		}
	}
	return values, t.missing(len(segments), values) && t.allowed(values)
}

// pathSegments splits a path; the last slash begins no segment (§3, and the
// route matcher's source) unless the variant says so.
func pathSegments(path string, v Variants) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	if !v.TrailingSlashCount {
		path = strings.TrimSuffix(path, "/")
	}
	return strings.Split(path, "/")
}

func (s segment) catchAll() bool { return len(s.params) == 1 && s.params[0].catchAll }

func (s segment) match(text string, values map[string]string) bool {
	switch {
	case s.pattern != nil:
		groups := s.pattern.FindStringSubmatch(text)
		if groups == nil {
			return false
		}
		for i, p := range s.params {
			values[p.name] = groups[i+1]
		}
		return true
	case len(s.params) == 1:
		if text == "" {
			return false
		}
		values[s.params[0].name] = text
		return true
	}
	return strings.EqualFold(s.literal, text)
}

// missing fills the parameters for which the path had no segment left.
func (t *template) missing(from int, values map[string]string) bool {
	for _, s := range t.segments[min(from, len(t.segments)):] {
		if s.pattern != nil || len(s.params) == 0 {
			return false
		}
		switch p := s.params[0]; {
		case p.fallback != nil:
			values[p.name] = *p.fallback
		case !p.optional && !p.catchAll:
			return false
		}
	}
	return true
}

// allowed runs the constraints; a parameter without a value passes them.
func (t *template) allowed(values map[string]string) bool {
	for _, s := range t.segments {
		for _, p := range s.params {
			value, ok := values[p.name]
			if !ok {
				continue
			}
			for _, holds := range p.constraints {
				if !holds(value) {
					return false
				}
			}
		}
	}
	return true
}
