package contract

import (
	"maps"
	"slices"
	"strings"
)

// FoldHeader is what a lenient backend takes a header name for: servers that
// turn names into variables (CGI, WSGI) make one character of all that are
// neither letters nor digits, and case never counts.
func FoldHeader(name string) string { return string(AppendFold(nil, name)) }

// AppendFold appends FoldHeader of name to folded.
func AppendFold(folded []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		default:
			c = '-'
		}
		folded = append(folded, c)
	}
	return folded
}

// unforwardable says why a header can't carry a claim, "" if it can.
func unforwardable(name string) string {
	folded := FoldHeader(name)
	switch {
	case slices.Contains(hopHeaders(), folded), folded == "proxy-connection", folded == "host":
		return "it steers the connection (RFC 9110 §7.6.1)"
	case strings.HasPrefix(folded, "content-"), folded == "accept", strings.HasPrefix(folded, "accept-"), strings.HasPrefix(folded, "if-"), folded == "range", folded == "cookie", folded == "date":
		return "it describes the request itself"
	case folded == "authorization", strings.HasPrefix(folded, "proxy-"):
		return "it carries credentials"
	case folded == "x-correlation-id", strings.HasPrefix(folded, "x-gateway-assertion"), folded == "forwarded", folded == "via", strings.HasPrefix(folded, "x-forwarded-"):
		return "the gateway sets it"
	case folded == "traceparent", folded == "tracestate", folded == "baggage":
		return "it carries the trace"
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
