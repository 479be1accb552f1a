package host

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheTargetIsReadAsKestrelDoes(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: decoded once except %2F, dot segments resolved.
	for raw, want := range map[string]target{
		"/a%2fb%2F":             {"/a%2fb%2F", ""},
		"/%252F":                {"/%2F", ""},
		"/%zz%4":                {"/%zz%4", ""},
		"/%e2%82%ac":            {"/€", ""},
		"/%e2%82":               {"/%e2%82", ""},
		"/%c0%af":               {"/%c0%af", ""},
		"/a/%2e%2E/b":           {"/b", ""},
		"/../..":                {"/", ""},
		"/a/b/..":               {"/a/", ""},
		"/a/..b/.c":             {"/a/..b/.c", ""},
		"/a//../b":              {"/a/b", ""},
		"/a?x=/../%2F&y":        {"/a", "?x=/../%2F&y"},
		"/a??":                  {"/a", "??"},
		"*":                     {"", ""},
		"http://other/a%41?b":   {"/aA", "?b"},
		"http://other":          {"/", ""},
		"http://other?a=http:/": {"/", "?a=http:/"},
	} {
		got, err := readTarget(raw)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", raw, got, err, want)
		}
	}
	for _, raw := range []string{"/%00", "/a\x00", "/\xc3\xa9"} {
		if got, err := readTarget(raw); err == nil {
			t.Errorf("%q: got %+v, want it refused", raw, got)
		}
	}
}

func TestThePathIsEncodedAsYARPDoes(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: the characters that stay, and only those.
	const kept = "ABCXYZabcxyz0189!$&'()*+,-./:;=@_~"
	if got := encodePath(kept); got != kept {
		t.Errorf("got %s, want %s", got, kept)
	}
	if got, want := encodePath("/%2F é[]?#"), "/%252F%20%C3%A9%5B%5D%3F%23"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestForwardModeReadsThePathASecondTime(t *testing.T) {
	t.Parallel()
	// functions-host.md §2b [derived].
	for decoded, want := range map[string]string{
		"/a?b":       "/a",
		"/a#b":       "/a",
		"/%41%2f%2F": "/A%2f%2F",
		"/%2e%2e/x":  "/x",
		"/a b[é]":    "/a%20b[%C3%A9]",
		`/a\b`:       "/a/b",
		"/100%":      "/100%25",
	} {
		if got := absolutePath(decoded); got != want {
			t.Errorf("%s: got %s, want %s", decoded, got, want)
		}
	}
}

func TestForwardModeRebuildsTheQuery(t *testing.T) {
	t.Parallel()
	// functions-host.md §2b.
	for raw, want := range map[string]string{
		"?a=1&a=2":      "?a=1%2C2",
		"?a=1&b=2&A=3":  "?a=1%2C3&b=2",
		"?flag":         "?flag=",
		"?a=b+c&d=%2B":  "?a=b%20c&d=%2B",
		"?x=%41&&code=": "?x=A&code=",
		"?bad=%zz":      "?bad=%25zz",
		"?":             "",
		"":              "",
	} {
		if got := rebuiltQuery(raw); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}

func FuzzTheWireCarriesExactlyWhatWasEncoded(f *testing.F) {
	for _, seed := range []string{"/", "/a%2Fb", "//x/../y", "/é%zz?q=%41", "/%2541;p#f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := readTarget(raw)
		if err != nil || strings.ContainsAny(raw, "\r\n ") || got.path != "" && got.path[0] != '/' {
			return
		}
		encoded := encodePath(got.path)
		u := wireURL("127.0.0.1:1", encoded, got.query)
		want := encoded + got.query
		if encoded == "" {
			want = "/" + got.query
		}
		if wire := u.RequestURI(); wire != want {
			t.Errorf("%q: got %s on the wire, want %s", raw, wire, want)
		}
		if back, err := url.PathUnescape(encoded); err != nil || back != got.path {
			t.Errorf("%q: got %q, %v back, want %q", raw, back, err, got.path)
		}
	})
}

func TestArgumentsAreSplitAsDotNETDoes(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1.
	for text, want := range map[string][]string{
		" a  b\tc ":          {"a", "b", "c"},
		` "two words" x`:     {"two words", "x"},
		` a"b c"d ""`:        {"ab cd", ""},
		` \"quoted\" \\x c\`: {`"quoted"`, `\\x`, `c\`},
		` "a\\" b`:           {`a\`, "b"},
		"":                   nil,
	} {
		if diff := cmp.Diff(want, splitArguments(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestVariablesAreExpandedAndLeftoversDeleted(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1.
	env := newEnvironment(nil, map[string]string{"A": "1", "B": "2"})
	for text, want := range map[string]string{"%A%%B%": "12", "%A": "%A", "x%NO%A%": "x%NO1", "%%": "%%", "50%": "50%"} {
		if got := expand(text, env); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if got, want := argumentText(worker{args: []string{"%NO%x", "%A%", "5%", "6%"}}, env), " x 1 5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
