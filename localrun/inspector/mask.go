package inspector

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// field is one line of a header, as it may be shown.
type field struct {
	Name, Value string
	Masked      bool
	Mark        string // what became of it on the way: "added", "changed", "removed"; "" where it passed
}

// secretive are parts of names whose values are not for a screen.
func secretive() []string {
	return []string{"authorization", "cookie", "token", "secret", "password", "passwd", "apikey", "api-key", "key", "signature", "assertion", "dpop", "credential", "session", "clientcert", "client-cert"}
}

// hides tells whether a header's or parameter's value is a secret, by its name.
func (in *Inspector) hides(name string) bool {
	name = strings.ToLower(name)
	for _, api := range in.options.Plan.APIs {
		if slices.Contains(api.KeyNames.Parameters, name) || slices.Contains(api.KeyNames.Headers, contract.FoldHeader(name)) {
			return true
		}
	}
	return slices.ContainsFunc(secretive(), func(s string) bool { return strings.Contains(name, s) }) ||
		slices.Contains([]string{"sig", "code", "pwd", "auth", "sas", "jwt"}, name)
}

// masked is a secret by its kind and length alone.
func masked(name, value string) string {
	kind := "secret"
	switch scheme, rest, two := strings.Cut(value, " "); {
	case strings.EqualFold(name, "Authorization") && two && plainWord(scheme):
		kind, value = scheme+" token", rest
		if strings.Count(rest, ".") == 2 {
			kind = scheme + " token, a JWT"
		}
	case strings.Contains(strings.ToLower(name), "cookie"):
		kind = "cookie"
	case strings.Contains(strings.ToLower(name), "key"):
		kind = "key"
	case strings.Count(value, ".") == 2:
		kind = "token, a JWT"
	}
	return fmt.Sprintf("(%s, %d characters)", kind, len(value))
}

// telling are secrets that show themselves, whatever their name and place: a JWT,
// and a subscription key of this gateway.
var telling = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|tgk_[A-Za-z0-9_-]+`)

// scrubbed is a text with those masked.
func scrubbed(s string) string {
	return telling.ReplaceAllStringFunc(s, func(found string) string {
		kind := "a JWT"
		if strings.HasPrefix(found, "tgk_") {
			kind = "key"
		}
		return fmt.Sprintf("(%s, %d characters)", kind, len(found))
	})
}

// plainWord tells a scheme's name from the first word of a secret with spaces.
func plainWord(s string) bool {
	return slices.Contains([]string{"bearer", "dpop", "basic", "digest", "negotiate"}, strings.ToLower(s))
}

// fields are the lines of a header in order.
func (in *Inspector) fields(h http.Header) []field {
	var out []field
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			f := field{Name: name, Value: in.safeTarget(v)} // it may be an address, such as Referer
			if in.hides(name) {
				f.Value = masked(name, v)
			}
			f.Masked = f.Value != v
			out = append(out, f)
		}
	}
	return out
}

// userinfo is what an address may hold before its host: a password, for one.
var userinfo = regexp.MustCompile(`://[^/?#@\s]*@`)

// safeTarget is an address, or a request's target, with its user and the values of
// secret parameters masked, in the query or the fragment.
func (in *Inspector) safeTarget(target string) string {
	target = userinfo.ReplaceAllString(scrubbed(target), "://(user)@")
	var b strings.Builder
	for inside := false; ; inside = true {
		end := strings.IndexAny(target, "?#&")
		part := target
		if end >= 0 {
			part = target[:end]
		}
		if inside {
			part = in.safeParameter(part)
		}
		b.WriteString(part)
		if end < 0 {
			return b.String()
		}
		b.WriteByte(target[end])
		target = target[end+1:]
	}
}

func (in *Inspector) safeParameter(p string) string {
	name, value, has := strings.Cut(p, "=")
	if plain, err := url.QueryUnescape(name); has && (err != nil || in.hides(plain)) {
		return name + "=" + masked("", value)
	}
	return p
}

// safeBody is the beginning of a body; a form's fields are parameters.
func (in *Inspector) safeBody(a *arrival) (text string, more bool) {
	body, more := a.begun()
	if strings.HasPrefix(strings.ToLower(a.header.Get("Content-Type")), "application/x-www-form-urlencoded") {
		return strings.TrimPrefix(in.safeTarget("?"+string(body)), "?"), more
	}
	return scrubbed(string(body)), more
}

// compared marks, in both lists, what became of each name on the way. A masked
// value is compared as it is, not as it is shown.
func (in *Inspector) compared(sent, seen http.Header) (before, after []field) {
	before, after = in.fields(sent), in.fields(seen)
	for i, f := range before {
		switch there, ok := seen[f.Name]; {
		case !ok:
			before[i].Mark = "removed"
		case !slices.Equal(there, sent[f.Name]):
			before[i].Mark = "changed"
		}
	}
	for i, f := range after {
		switch there, ok := sent[f.Name]; {
		case !ok:
			after[i].Mark = "added"
		case !slices.Equal(there, seen[f.Name]):
			after[i].Mark = "changed"
		}
	}
	return before, after
}
