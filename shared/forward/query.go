package forward

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// cleanQuery removes the parameters that no backend gets, whose names are given
// in lower case, and leaves every other byte as it was. A part behind a semicolon
// is a parameter to some servers, so it goes too.
func cleanQuery(raw string, withheld []string) string {
	if raw == "" {
		return ""
	}
	kept, dropped := make([]string, 0, 8), false
	for pair := range strings.SplitSeq(raw, "&") {
		left := pair
		if strings.Contains(pair, ";") {
			left = strings.Join(slices.DeleteFunc(strings.Split(pair, ";"), among(withheld)), ";")
		} else if among(withheld)(pair) {
			left = ""
		}
		if left == pair {
			kept = append(kept, pair)
			continue
		}
		if dropped = true; left != "" {
			kept = append(kept, left)
		}
	}
	if !dropped {
		return raw
	}
	return strings.Join(kept, "&")
}

// among tells whether a parameter's name is one of those, which are in lower case.
func among(withheld []string) func(pair string) bool {
	return func(pair string) bool {
		return slices.Contains(withheld, strings.ToLower(strings.TrimSpace(nameOf(pair))))
	}
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
