package host

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type params = map[string]string

func TestRouteTemplates(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: legacy template syntax; a nil want is no match.
	for _, test := range []struct {
		template, path string
		want           params
	}{
		{"orders", "/ORDERS", params{}},
		{"orders", "/orders/", params{}},
		{"orders", "/order", nil},
		{"orders/{id}", "/orders/7", params{"id": "7"}},
		{"orders/{id}", "/orders", nil},
		{"orders/{id}", "/orders/7/8", nil},
		{"orders/{id}", "/orders/a%2Fb", params{"id": "a%2Fb"}},
		{"orders/{id?}", "/orders", params{}},
		{"orders/{id?}", "/orders/7", params{"id": "7"}},
		{"orders/{id=new}", "/orders", params{"id": "new"}},
		{"orders/{id:int=3}", "/orders", params{"id": "3"}},
		{"orders/{id:int?}", "/orders", params{}},
		{"orders/{id:int?}", "/orders/x", nil},
		{"{*rest}", "/", params{}},
		{"{*rest}", "", params{}},
		{"{*rest}", "/a/b/", params{"rest": "a/b/"}},
		{"a/{*rest}", "/a", params{}},
		{"a/{*rest}", "/b", nil},
		{"a/{*rest=index}", "/a", params{"rest": "index"}},
		{"v{major}.{minor}/x", "/V1.2.3/x", params{"major": "1.2", "minor": "3"}},
		{"{name}.json", "/.json", nil},
		{"a{{b}}", "/a{b}", params{}},
		{"", "/", params{}},
		{"", "/a", nil},
	} {
		parsed, err := parseTemplate(test.template, false)
		if err != nil {
			t.Errorf("%s: %v", test.template, err)
			continue
		}
		got, ok := parsed.match(test.path, Variants{})
		if ok != (test.want != nil) || ok && !cmp.Equal(got, test.want) {
			t.Errorf("%s on %s: got %v, %v, want %v", test.template, test.path, got, ok, test.want)
		}
	}
}

func TestInlineConstraints(t *testing.T) {
	t.Parallel()
	// functions-host.md §3.
	for constraint, values := range map[string]struct{ good, bad string }{
		"int":                   {"7 -7 2147483647", "x 1.5 2147483648"},
		"long":                  {"9223372036854775807", "9223372036854775808 x"},
		"bool":                  {"true FALSE", "1 yes"},
		"guid":                  {"0f9c1c2e-0000-0000-0000-000000000000 0f9c1c2e000000000000000000000000", "0f9c1c2e x"},
		"alpha":                 {"abcXYZ", "a1 é"},
		"length(3)":             {"abc", "ab abcd"},
		"length(2,3)":           {"ab abc", "a abcd"},
		"minlength(2)":          {"ab", "a"},
		"maxlength(2)":          {"ab", "abc"},
		"min(5)":                {"5 6", "4 x"},
		"max(5)":                {"5 -1", "6"},
		"range(5,7)":            {"5 7", "4 8"},
		"datetime":              {"2026-01-02 2026-01-02T03:04:05Z", "x 2026-13-01"},
		"decimal":               {"1.5 -2", "1e5 x"},
		"double":                {"1.5 1e5", "x 0x1p2"},
		"float":                 {"1.5", "x"},
		"required":              {"x", ""},
		`regex(^\d{{2}}-[ab]$)`: {"12-a 12-B", "1-a 123-a"},
		"int:min(1)":            {"1", "0 x"},
	} {
		parsed, err := parseTemplate("{v:"+constraint+"}", false)
		if err != nil {
			t.Errorf("%s: %v", constraint, err)
			continue
		}
		for value := range strings.FieldsSeq(values.good) {
			if _, ok := parsed.match("/"+value, Variants{}); !ok {
				t.Errorf("%s: got no match for %q, want one", constraint, value)
			}
		}
		for value := range strings.FieldsSeq(values.bad) {
			if _, ok := parsed.match("/"+value, Variants{}); ok {
				t.Errorf("%s: got a match for %q, want none", constraint, value)
			}
		}
	}
}

func TestTemplatesThatTheHostCannotRead(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"{a":            "unbalanced",
		"a}":            "unbalanced",
		"{}":            "no valid parameter name",
		"a//b":          "empty segment",
		"{a}/{A}":       "stands twice",
		"{*a}/b":        "whole last segment",
		"x{*a}":         "whole last segment",
		"{a}{b}":        "side by side",
		"{a?}.txt":      "a segment of its own",
		"{a=1?}":        "can't be optional",
		"{a:weird}":     "is none of int",
		"{a:length(x)}": "is none of int",
		"{a:regex(()}":  "Go's syntax",
		"{**a}":         "isn't confirmed",
	} {
		if _, err := parseTemplate(template, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that tells %q", template, err, want)
		}
	}
}

func TestVariantDoubleStar(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: UNCONFIRMED.
	parsed, err := parseTemplate("{**rest}", true)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := parsed.match("/a/b", Variants{}); !ok || got["rest"] != "a/b" {
		t.Errorf("got %v, %v, want a catch-all", got, ok)
	}
}

func TestVariantEmptySegments(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: UNCONFIRMED; the default is the matcher's source.
	for _, test := range []struct {
		template, path     string
		first, fail, match bool
	}{
		{"{*p}", "/a//b", true, false, true},
		{"{*p}", "//b", false, false, true},
		{"{*p}", "//", false, false, true},
		{"a/{id}", "/a//b", false, false, false},
		{"a/{*p}", "//a/b", false, false, false},
	} {
		parsed, err := parseTemplate(test.template, false)
		if err != nil {
			t.Fatal(err)
		}
		for variant, want := range map[EmptySegments]bool{EmptySegmentsFailFirst: test.first, EmptySegmentsFail: test.fail, EmptySegmentsMatch: test.match} {
			if _, got := parsed.match(test.path, Variants{EmptySegments: variant}); got != want {
				t.Errorf("%s on %s, variant %d: got %v, want %v", test.template, test.path, variant, got, want)
			}
		}
	}
}

func TestVariantTrailingSlashCount(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: UNCONFIRMED.
	parsed, err := parseTemplate("a", false)
	if err != nil {
		t.Fatal(err)
	}
	for counts, want := range map[bool]bool{false: true, true: false} {
		if _, got := parsed.match("/a/", Variants{TrailingSlashCount: counts}); got != want {
			t.Errorf("counting %v: got match %v, want %v", counts, got, want)
		}
	}
}
