package gateway

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

// rawPath is the path of the request target as it was received. r.URL has been
// decoded and encoded again; only the target itself tells what was sent.
func rawPath(r *http.Request) string {
	target := r.RequestURI
	if target == "" { // a request that was built, not read
		return r.URL.EscapedPath()
	}
	path, _, _ := strings.Cut(target, "?")
	if strings.HasPrefix(path, "/") {
		return path
	}
	_, rest, ok := strings.Cut(path, "://") // absolute-form, RFC 9112 §3.2.2
	slash := strings.IndexByte(rest, '/')
	if !ok || slash < 0 {
		return path // no path at all; checkPath refuses it
	}
	return rest[slash:]
}

// checkPath accepts a path only if it has one reading, for us and for whatever
// parses it next. Everything that some server decodes, folds or resolves
// another way is refused before a rule is chosen. Whether an encoded slash is
// taken is the rule's to say (slash.go).
func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("it doesn't start with /")
	}
	decoded := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' {
			if !pathByte(c) {
				return errors.New("it holds a byte that a path can't hold")
			}
			decoded = append(decoded, c)
			continue
		}
		if slash := encodedSlash(path[i:]); slash > 0 {
			decoded = append(decoded, path[i:i+slash]...)
			i += slash - 1
			continue
		}
		c, ok := unhex(path, i)
		if !ok {
			return errors.New("it holds a broken percent-encoding")
		}
		i += 2
		if err := encodable(c, path[i+1:]); err != nil {
			return err
		}
		decoded = append(decoded, c)
	}
	if !utf8.Valid(decoded) { // refuses overlong forms such as %c0%af too
		return errors.New("it isn't UTF-8")
	}
	if err := checkSegments(path); err != nil {
		return err
	}
	return checkSlashes(path)
}

func checkSegments(path string) error {
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "." || segment == ".." {
			return errors.New("it holds a dot segment")
		}
	}
	if strings.Contains(path, "//") {
		return errors.New("it holds an empty segment")
	}
	return nil
}

// pathByte: pchar of RFC 3986 §3.3, and the slash. Not the semicolon: servers
// differ in whether what follows belongs to the path.
func pathByte(c byte) bool {
	return unreserved(c) || strings.IndexByte("/!$&'()*+,=:@", c) >= 0
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

func unhex(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	high, low := strings.IndexByte(hexDigits, s[i+1]|0x20), strings.IndexByte(hexDigits, s[i+2]|0x20)
	if !isHex(s[i+1]) || !isHex(s[i+2]) {
		return 0, false
	}
	return byte(high<<4 | low), true
}

const hexDigits = "0123456789abcdef"

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// encodable says why c must not be percent-encoded; rest is what follows it.
func encodable(c byte, rest string) error {
	switch {
	case c == '/' || c == '\\':
		return errors.New("it holds an encoded slash or backslash")
	case c < 0x20 || c == 0x7f:
		return errors.New("it holds an encoded control character")
	case c == ';':
		return errors.New("it holds an encoded semicolon")
	case unreserved(c):
		// %61 is a, but only to some: the rule for /a must not be dodged by /%61 (RFC 3986 §6.2.2.2).
		return errors.New("it encodes a character that needs no encoding")
	case c == '%' && len(rest) >= 2 && isHex(rest[0]) && isHex(rest[1]):
		// Whoever decodes twice would see another path.
		return errors.New("it is encoded twice")
	}
	return nil
}
