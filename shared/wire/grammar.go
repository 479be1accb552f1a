package wire

import (
	"strings"
	"unicode/utf8"
)

// class tells what a byte may be part of.
type class uint8

const (
	tokenByte  class = 1 << iota // RFC 9110 §5.6.2
	valueByte                    // of a field value: VCHAR, SP, HTAB (§5.5)
	targetByte                   // of a request target: visible ASCII, without the fragment's #
	hostByte                     // of a Host without brackets (RFC 3986 §3.2.2, without percent-encoding)
)

// classes is the one table; it is never written to.
var classes = func() (t [256]class) {
	for c := range 128 {
		visible := c > ' ' && c < 0x7f
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if letter || visible && strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0 {
			t[c] |= tokenByte
		}
		if visible || c == ' ' || c == '\t' {
			t[c] |= valueByte
		}
		if visible && c != '#' {
			t[c] |= targetByte
		}
		if letter || visible && strings.IndexByte("-._~!$&'()*+,;=", byte(c)) >= 0 {
			t[c] |= hostByte
		}
	}
	return t
}()

func all(s string, of class) bool {
	for i := range len(s) {
		if classes[s[i]]&of == 0 {
			return false
		}
	}
	return true
}

func isToken(s string) bool { return s != "" && all(s, tokenByte) }

// isValue: bytes beyond ASCII only as UTF-8. RFC 9110 §5.5 calls them opaque;
// a log or a backend that decodes them must not be given something else.
func isValue(s string) bool {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
		} else if classes[s[i]]&valueByte == 0 {
			return false
		}
	}
	return ascii || utf8.ValidString(s)
}

// isOpaque: any bytes beyond ASCII, as backends write them in whatever character set.
func isOpaque(s string) bool {
	for i := range len(s) {
		if s[i] < utf8.RuneSelf && classes[s[i]]&valueByte == 0 {
			return false
		}
	}
	return true
}

// isHost: a name or an address, with a port or without. No user, no path:
// nothing that a URL parser could split at another place.
func isHost(s string) bool {
	name, port := s, ""
	if inner, bracketed := strings.CutPrefix(s, "["); bracketed {
		inside, rest, closed := strings.Cut(inner, "]")
		if !closed || inside == "" || strings.Trim(inside, "0123456789abcdefABCDEF:.") != "" {
			return false
		}
		name, port = "x", rest
	} else if colon := strings.IndexByte(s, ':'); colon >= 0 {
		name, port = s[:colon], s[colon:]
	}
	if name == "" || !all(name, hostByte) {
		return false
	}
	return port == "" || len(port) <= 6 && port[0] == ':' && len(port) > 1 && digits(port[1:])
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// trim takes away the optional white space around a field value (RFC 9110 §5.6.3).
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// listed tells whether a comma-separated list, in any of the lines, holds the
// token, whatever its case.
func listed(lines []string, token string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(trim(item), token) {
				return true
			}
		}
	}
	return false
}
