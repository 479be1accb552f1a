package parity

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Retelling is what a front does to a request before the gateway gets it. Where
// an answer differs, the bare gateway is asked what the front asked: to that the
// answers must be equal.
type Retelling struct {
	Name, Why string
	At        []string // transports
	Retell    func(r told, at string) told
}

// told is a request in parts.
type told struct {
	method, path, query string
	hasQuery            bool
	version             string
	lines               []string
	body                string
}

var (
	ofAWS  = []string{rest, httpAPI, urlBuffered, stream, alb, albMulti}
	joined = []string{httpAPI, urlBuffered, stream}
)

// Retellings are all that are known, in the order in which they happen.
func Retellings() []Retelling {
	return []Retelling{
		{
			Name: "folded line joined", At: append([]string{Host}, ofAWS...), Retell: unfold,
			Why: "a front may join a folded line as RFC 9112 §5.2 lets it, where the gateway refuses one",
		},
		{
			Name: "bytes that are no text", At: ofAWS, Retell: func(r told, _ string) told {
				return r.each(func(s string) string { return strings.ToValidUTF8(s, "\ufffd") })
			},
			Why: "an event is JSON: bytes that aren't UTF-8 arrive as U+FFFD",
		},
		{
			Name: "path decoded", At: []string{httpAPI}, Retell: decodePath,
			Why: "an HTTP API hands over the decoded path: the verdict is that of the path that arrives, which is also the backend's",
		},
		{
			Name: "lines joined", At: joined, Retell: joinLines,
			Why: "payload 2.0 joins header lines of one name with commas: what was two credentials is one that can't be read",
		},
		{
			Name: "last of several", At: []string{alb}, Retell: lastLines,
			Why: "a target group without multi-value headers hands over the last of each header and parameter, and nothing tells that there were others; switch them on",
		},
		{
			Name: "query in parameters", At: []string{rest, alb, albMulti}, Retell: retellQuery,
			Why: "the event has the query as names and values, without their order: the backend gets them sorted, from a REST API encoded anew and split at ; too",
		},
	}
}

// retold is the request as the front of this transport hands it over.
func retold(c Case, at string) (Case, []string) {
	r, ok := parts(c.Request)
	var names []string
	for _, way := range Retellings() {
		if !ok || !slices.Contains(way.At, at) {
			continue
		}
		before := r.String()
		if r = way.Retell(r, at); r.String() != before {
			names = append(names, way.Name)
		}
	}
	return Case{c.Name, r.String()}, names
}

func parts(request string) (r told, ok bool) {
	head, body, _ := strings.Cut(request, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	var target string
	if r.method, target, ok = strings.Cut(lines[0], " "); !ok {
		return r, false
	}
	at := strings.LastIndexByte(target, ' ')
	if at < 0 {
		return r, false
	}
	r.version, target = target[at+1:], target[:at]
	r.path, r.query, r.hasQuery = strings.Cut(target, "?")
	r.lines, r.body = lines[1:], body
	return r, true
}

func (r told) String() string {
	target := r.path
	if r.hasQuery {
		target += "?" + r.query
	}
	return strings.Join(append([]string{r.method + " " + target + " " + r.version}, r.lines...), "\r\n") + "\r\n\r\n" + r.body
}

// each changes the path and the header lines.
func (r told) each(change func(string) string) told {
	r.path, r.lines = change(r.path), slices.Clone(r.lines)
	for i := range r.lines {
		r.lines[i] = change(r.lines[i])
	}
	return r
}

func unfold(r told, _ string) told {
	var out []string
	for _, l := range r.lines {
		if (strings.HasPrefix(l, " ") || strings.HasPrefix(l, "\t")) && len(out) > 0 {
			out[len(out)-1] += " " + strings.TrimLeft(l, " \t")
			continue
		}
		out = append(out, l)
	}
	r.lines = out
	return r
}

func decodePath(r told, _ string) told {
	if plain, err := url.PathUnescape(r.path); err == nil {
		r.path, _, _ = strings.Cut(plain, "?")
	}
	if !utf8.ValidString(r.path) {
		r.path = strings.ToValidUTF8(r.path, "\ufffd")
	}
	return r
}

// byName visits lines of one name together, in the order of their first.
func (r told) byName(one func(name string, values []string) string) told {
	values, order := map[string][]string{}, []string(nil)
	for _, l := range r.lines {
		name, value, found := strings.Cut(l, ":")
		key := strings.ToLower(name)
		if !found || key == "connection" {
			key = l // stays as it is
		}
		if values[key] == nil {
			order = append(order, key)
		}
		values[key] = append(values[key], strings.TrimSpace(value))
	}
	r.lines = nil
	for _, key := range order {
		if v := values[key]; len(v) > 1 {
			r.lines = append(r.lines, one(key, v))
		} else if strings.Contains(key, ":") || len(v) == 0 {
			r.lines = append(r.lines, key)
		} else {
			r.lines = append(r.lines, key+": "+v[0])
		}
	}
	return r
}

func (r told) repeats() bool {
	seen := map[string]bool{}
	for _, l := range r.lines {
		name, _, _ := strings.Cut(strings.ToLower(l), ":")
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

func joinLines(r told, _ string) told {
	if !r.repeats() {
		return r
	}
	return r.byName(func(name string, values []string) string { return name + ": " + strings.Join(values, ",") })
}

func lastLines(r told, _ string) told {
	if r.repeats() {
		r = r.byName(func(name string, values []string) string { return name + ": " + values[len(values)-1] })
	}
	return r
}

// retellQuery: see event.go of the adapter for the other half.
func retellQuery(r told, at string) told {
	if !r.hasQuery {
		return r
	}
	cut := func(c rune) bool { return c == '&' || c == ';' && at == rest }
	all, order := map[string][]string{}, []string(nil)
	for part := range strings.FieldsFuncSeq(r.query, cut) {
		name, value, _ := strings.Cut(part, "=")
		if at == rest {
			name, value = again(name), again(value)
		}
		if all[name] == nil {
			order = append(order, name)
		}
		all[name] = append(all[name], value)
	}
	slices.SortFunc(order, func(a, b string) int { return strings.Compare(decoded(a), decoded(b)) })
	var out []string
	for _, name := range order {
		values := all[name]
		if at == alb {
			values = values[len(values)-1:]
		}
		for _, v := range values {
			out = append(out, name+"="+v)
		}
	}
	r.query = strings.Join(out, "&")
	r.hasQuery = r.query != ""
	return r
}

func again(s string) string {
	return strings.ReplaceAll(url.QueryEscape(decoded(s)), "+", "%20")
}

func decoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}
