package host

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// target is a request line's target as the web server under the host (Kestrel)
// reads it.
type target struct {
	path  string // decoded once, except %2F; dot segments resolved
	query string // raw, with its "?"; "" without one
}

// readTarget applies functions-host.md §2c.
func readTarget(raw string) (target, error) {
	path, query := raw, ""
	if i := strings.IndexByte(raw, '?'); i >= 0 {
		path, query = raw[:i], raw[i:]
	}
	if path == "*" {
		path = ""
	}
	if scheme := strings.Index(path, "://"); scheme > 0 && !strings.HasPrefix(path, "/") {
		path = path[scheme+3:]
		slash := strings.IndexByte(path, '/')
		if slash < 0 {
			path += "/"
			slash = len(path) - 1
		}
		path = path[slash:]
	}
	if strings.IndexFunc(raw, func(r rune) bool { return r == 0 || r >= utf8.RuneSelf }) >= 0 {
		return target{}, errors.New("the request target holds a byte that isn't ASCII")
	}
	path, err := decodePath(path)
	if err != nil {
		return target{}, err
	}
	return target{path: resolveDots(path), query: query}, nil
}

// decodePath undoes percent encoding once. What isn't valid encoding, what isn't
// valid UTF-8 and %2F stay as they stand.
func decodePath(raw string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(raw); {
		b, ok := percentByte(raw, i)
		switch {
		case !ok:
			out.WriteByte(raw[i])
			i++
		case b == 0:
			return "", errors.New("the request path holds %00")
		case b == '/':
			out.WriteString(raw[i : i+3])
			i += 3
		default:
			char, width := percentRune(raw, i)
			out.WriteString(char)
			i += width
		}
	}
	return out.String(), nil
}

// percentByte reads one %XX at i.
func percentByte(s string, i int) (byte, bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	hi, lo := unhex(s[i+1]), unhex(s[i+2])
	if hi < 0 || lo < 0 {
		return 0, false
	}
	return byte(hi<<4 | lo), true
}

func unhex(c byte) int {
	return strings.IndexByte("0123456789abcdef", byte(unicode.ToLower(rune(c))))
}

// percentRune decodes the character whose encoding starts at i, or returns the
// first %XX untouched when the bytes aren't UTF-8.
func percentRune(s string, i int) (text string, width int) {
	var bytes []byte
	for j := i; len(bytes) < utf8.UTFMax; j += 3 {
		b, ok := percentByte(s, j)
		if !ok {
			break
		}
		bytes = append(bytes, b)
		if utf8.FullRune(bytes) {
			break
		}
	}
	if r, size := utf8.DecodeRune(bytes); r != utf8.RuneError || size > 1 {
		return string(bytes[:size]), 3 * size
	}
	return s[i : i+3], 3
}

// resolveDots removes "." and ".." segments (RFC 3986 §5.2.4), after decoding:
// an encoded dot segment is resolved too.
func resolveDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	kept := make([]string, 0, len(segments))
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		case ".":
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// encodePath is how YARP writes a decoded path: functions-host.md §2c lists the
// characters that stay. A percent sign never does, so %2F leaves as %252F.
func encodePath(path string) string {
	return escape(path, "!$&'()*+,-./:;=@_~")
}

// escape percent-encodes all but ASCII letters, digits and the bytes of keep.
func escape(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(keep, c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.WriteByte('%')
		out.WriteByte(hex[c>>4])
		out.WriteByte(hex[c&15])
	}
	return out.String()
}

// wireURL addresses the handler with exactly this encoded path and raw query.
func wireURL(address, encoded, query string) *url.URL {
	if encoded == "" {
		encoded = "/"
	}
	decoded, err := url.PathUnescape(encoded)
	if err != nil { // only our own encoders' output comes here
		decoded = encoded
	}
	u := &url.URL{Scheme: "http", Host: address, Path: decoded, RawPath: encoded}
	u.RawQuery, u.ForceQuery = strings.TrimPrefix(query, "?"), query == "?"
	return u
}
