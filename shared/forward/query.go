package forward

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// cleanQuery removes the parameters that no backend gets, whose names are given
// in lower case, and leaves every other byte as it was.
func cleanQuery(raw string, withheld []string) string {
	if raw == "" {
		return ""
	}
	kept, dropped := make([]string, 0, 8), false
	for pair := range strings.SplitSeq(raw, "&") {
		if slices.Contains(withheld, strings.ToLower(strings.TrimSpace(nameOf(pair)))) {
			dropped = true
			continue
		}
		kept = append(kept, pair)
	}
	if !dropped {
		return raw
	}
	return strings.Join(kept, "&")
}

// nameOf is a parameter's name as the host and most backends read it. One that
// can't be decoded stays as it stands.
func nameOf(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// ruled is a query under a contract's rules. What goes is compared without regard
// to case, for a backend that reads names so must not hear it either; what may
// stay is compared exactly.
//
// Some servers split at a semicolon too: with debug removed, a=1;debug=1 would be
// a way around. It is sent encoded, which is how everyone else reads it (WHATWG
// URL, application/x-www-form-urlencoded parsing).
func ruled(rules *contract.QueryRules, raw string) string {
	var kept []string
	for pair := range strings.SplitSeq(raw, "&") {
		name := nameOf(pair)
		switch {
		case pair == "", slices.Contains(rules.Drop, strings.ToLower(strings.TrimSpace(name))):
		case rules.Closed && !slices.Contains(rules.Allow, name):
		default:
			kept = append(kept, strings.ReplaceAll(pair, ";", "%3B"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rules.Set)) {
		kept = append(kept, percent(name)+"="+percent(rules.Set[name]))
	}
	return strings.Join(kept, "&")
}

// percent encodes a space as %20, which nobody takes for a plus.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
