package gateway

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCheckPath: a path that is accepted has one reading.
func FuzzCheckPath(f *testing.F) {
	for _, seed := range []string{
		"/", "/orders/1", "/orders/", "/a%20b/%C3%A9", "/a%25zz", "/%ef%bc%8f", "/...", "/a%25u002f", "/%21!$&'()*+,=:@", "/%3F%23%5B%5D%7C", "/%25%25", "/100%25",
		"/../x", "/a/./b", "/%2e%2e/x", "/%252e", "/a;b", "/%5c", "//x", "/x//", "/%c0%af", "/%00", "/%25%32%46", "/\x00", "/é", "/%c2%85", "/a%2", "x", "",
		"/a%2Fb", "/a%252fb/c", "/a%2F..", "/a%252F%252Fb", "/a%25252F", "/a%2Fb%252Fc", "/%2Fa", "/a%2F/b", "/a%252", "/%25%2Fa",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if checkPath(raw) != nil {
			return
		}
		decoded, err := url.PathUnescape(raw)
		if err != nil {
			t.Fatalf("%q can't be decoded: %v", raw, err)
		}
		assertPlain(t, raw, decoded)
		if slashes(raw) {
			assertSlashes(t, raw)
		} else {
			assertSegments(t, raw, decoded)
			if twice := lenient(decoded); twice != decoded {
				t.Errorf("%q: a second decode makes %q of %q", raw, twice, decoded)
			}
		}
		// Forwarding keeps the bytes: net/url would otherwise choose its own spelling.
		if u := (url.URL{Scheme: "http", Host: "h", Path: decoded, RawPath: raw}); u.RequestURI() != raw {
			t.Errorf("%q is sent as %q", raw, u.RequestURI())
		}
	})
}

func assertPlain(t *testing.T, raw, decoded string) {
	if !utf8.ValidString(decoded) {
		t.Errorf("%q decodes to invalid UTF-8", raw)
	}
	if at := strings.IndexFunc(decoded, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' || r == ';' }); at >= 0 {
		t.Errorf("%q decodes to %q, with a byte of two meanings at %d", raw, decoded, at)
	}
	if at := strings.IndexFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' || r == '?' || r == '#' }); at >= 0 {
		t.Errorf("%q holds a byte that ends or breaks a request line at %d", raw, at)
	}
}

// assertSegments: decoding, encoding again and cleaning leave the segments what they were.
func assertSegments(t *testing.T, raw, decoded string) {
	before, after := strings.Split(raw, "/"), strings.Split(decoded, "/")
	if len(before) != len(after) || after[0] != "" {
		t.Fatalf("%q has %d segments, decoded %d", raw, len(before)-1, len(after)-1)
	}
	for i, segment := range after[1:] {
		if segment == "." || segment == ".." || segment == "" && i < len(after)-2 {
			t.Errorf("%q decodes to the segment %q", raw, segment)
		}
		if one, err := url.PathUnescape(before[i+1]); err != nil || one != segment {
			t.Errorf("%q: segment %d is %q by itself and %q in the whole", raw, i, one, segment)
		}
	}
	if clean := path.Clean(decoded); clean != decoded && clean != strings.TrimSuffix(decoded, "/") {
		t.Errorf("%q: cleaning makes %q of %q", raw, clean, decoded)
	}
	again := strings.Split((&url.URL{Path: decoded}).EscapedPath(), "/")
	for i := range again {
		again[i], _ = url.PathUnescape(again[i])
	}
	if !slices.Equal(again, after) {
		t.Errorf("%q: encoding again makes the segments %q of %q", raw, again, after)
	}
}

// lenient decodes as many servers do: what is no percent-encoding stays.
func lenient(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i] == '%' {
			if one, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(one)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// assertSlashes: with its encoded slashes decoded, the path is one that is
// accepted by itself, and no number of decodings makes any other of it.
func assertSlashes(t *testing.T, raw string) {
	open := regexp.MustCompile("(?i)%(25)?2f").ReplaceAllString(raw, "/")
	if err := checkPath(open); err != nil || slashes(open) || opened(raw) != open {
		t.Fatalf("%q opens to %q (%v), want a path that is accepted", raw, open, err)
	}
	if strings.HasSuffix(open, "/") != strings.HasSuffix(raw, "/") {
		t.Errorf("%q ends in an encoded slash", raw)
	}
	want, once := lenient(open), lenient(raw)
	if twice := lenient(once); once != want && twice != want || lenient(twice) != want {
		t.Errorf("%q decodes to %q and then %q, want %q and no other", raw, once, twice, want)
	}
}
