package gateway

import (
	"strings"
	"testing"
)

// D of cases/adversarial.md: a path that can be read in two ways chooses no rule.
func TestPathsWithTwoReadingsAreRefused(t *testing.T) {
	s := newStand(t, echo())
	cases := map[string][]string{
		"D68 dot segments": {"/public/../manage/x", "/public/./x", "/public/..", "/public/.", "/..", "/../manage/x", "/public/x/..", "/./manage/x",
			"/public/%2e%2e/manage/x", "/public/%2E%2E/manage/x", "/public/.%2e/manage/x", "/public/%2e./manage/x", "/public/%2e", "/public/../../manage/x"},
		"D70 double encoding": {"/public/%252e%252e%252fmanage/x", "/public/%252F", "/public/%25%32%46x", "/public/%25252F", "/public/..%252f..%252fmanage", "/public/%255c"},
		"D70 encoded slash":   {"/public%2Fx", "/public/..%2fmanage%2fx", "/public/%2F", "/%2fmanage/x"},
		"D71 semicolon":       {"/manage;/x", "/public/..;/manage/x", "/manage;jsessionid=1/x", "/public/x;", "/public/%3bx", "/public/x%3B/", "/;/manage/x"},
		"D74 backslash":       {`\manage\x`, `/public\..\manage`, "/public/%5c", "/public/%5C..%5Cmanage", `/public/\manage`, `/\manage/x`},
		"D76 overlong UTF-8":  {"/public/%c0%af", "/public/%e0%80%af", "/public/%c0%ae%c0%ae", "/public/%f0%80%80%af", "/public/%ff", "/public/%ed%a0%80", "/public/%C3", "/public/%C3/%A9"},
		"D76 %u":              {"/public/%u002f", "/public/%U002F", "/public/%", "/public/%2", "/public/%zz", "/public/%2%66", "/public/%\x10\x10", "/public/%0"},
		"D77 dot segment beside the prefix": {"/public%2e./manage/x", "/public%2e%2e/manage/x", "/%70ublic/x",
			"/publi%63/x", "/public/%6danage", "/public/%7E"},
		"control characters":   {"/public/%00", "/public/x%00.html", "/public/%0d%0aSet-Cookie:x", "/public/%7f", "/public/%1f", "/public/\x00", "/public/\x7f", "/public/a\tb"},
		"bytes of no path":     {"/public/é", "/public/\xff", "/public/a b", `/public/"`, "/public/<x>", "/public/[x]", "/public/{x}", "/public/a|b", "/public/^", "/public/`", "/public/x#y"},
		"empty segments":       {"//manage/x", "/public//x", "/public///", "//", "/public/x//"},
		"no path":              {"*", "", "manage/x", "api.example:443", "http://api.example", "http:manage/x", "?/manage/x"},
		"a slash in a query":   {"http://api.example?x=/public/x", "http://api.example?/manage/x"},
		"a slash in user info": {"http://a@b/..//manage/x"},
	}
	for name, targets := range cases {
		t.Run(name, func(t *testing.T) {
			for _, target := range targets {
				s.refused(t, request(t, "GET", target), 400, "path_not_canonical")
			}
		})
	}
}

func TestPathsThatNoOperationHasAreNotFound(t *testing.T) {
	s := newStand(t, echo())
	cases := map[string][]string{
		"D73 case variants":              {"/Manage/x", "/MANAGE/x", "/manage2/x", "/Public/x", "/PUBLIC/x", "/Orders/1"},
		"D77 a prefix is whole segments": {"/public../manage/x", "/publicx", "/publi/x", "/public-x/y", "/.public/x", "/public.../x"},
		"D85 debug endpoints": {"/debug/pprof", "/debug/pprof/", "/metrics", "/admin/host/status", "/runtime/webhooks/blobs", "/health", "/healthz", "/gateway",
			"/.well-known/openid-configuration", "/.env", "/_gateway/status"},
		"the root, and slashes at the end": {"/", "/public/", "/public/x/", "/public", "/manage/x/"},
		"too deep, and not deep enough":    {"/public/x/y", "/manage", "/open"},
		"absolute-form":                    {"http://api.example/", "HTTP://other.example/none?x=/public/x"},
	}
	for name, targets := range cases {
		t.Run(name, func(t *testing.T) {
			for _, target := range targets {
				s.refused(t, request(t, "GET", target), 404, "no_route")
			}
		})
	}
}

func TestAQueryIsVisibleASCIIWithoutAFragment(t *testing.T) {
	s := newStand(t, echo())
	for _, query := range []string{"a#b", "#", "é", "\xff", "a\x7fb", "a\x00b"} {
		r := request(t, "GET", "/public/x")
		r.URL.RawQuery = query
		r.RequestURI = r.URL.Path + "?" + query
		s.refused(t, r, 400, "target_ambiguous")
	}
}

// What is matched is what is forwarded, byte for byte.
func TestAnAcceptedTargetReachesTheBackendByteForByte(t *testing.T) {
	s := newStand(t, echo())
	for name, targets := range map[string][]string{
		"unreserved and sub-delims": {"/public/~x", "/public/...", "/public/a!$&'()*+,=:@b", "/public/*", "/public/-._~", "/public/a..b", "/public/.x", "/public/x."},
		"D76 full-width slash":      {"/public/%ef%bc%8f", "/public/%EF%BC%8F%ef%bc%8e%ef%bc%8e"},
		"encoded bytes":             {"/public/%C3%A9", "/public/%c3%a9", "/public/%20", "/public/%3F%23", "/public/%7b%7D", "/public/%F0%9F%98%80", "/public/%21%2a%2B"},
		"a percent sign":            {"/public/%25", "/public/a%25zz", "/public/100%25", "/public/%25%C3%A9"},
		"queries":                   {"/public/x?a=1&a=2&b&c=&&=d", "/public/x?q=%zz&r=%2F..%2f&s=;t", "/public/x?\"<>|^`{}\\[]", "/public/x??a=?", "/public/x?/../manage/x"},
		"a lone question mark":      {"/public/x?"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range targets {
				if _, seen := s.granted(t, request(t, "GET", target)); seen.Target != target {
					t.Errorf("got %q at the backend, want %q", seen.Target, target)
				}
			}
		})
	}
	t.Run("absolute-form: the path of the target, whatever Host says", func(t *testing.T) {
		_, seen := s.granted(t, request(t, "GET", "http://evil.example/public/x?a=1"))
		if seen.Target != "/public/x?a=1" || seen.Host != s.address {
			t.Errorf("got %s for host %s, want /public/x?a=1 for %s", seen.Target, seen.Host, s.address)
		}
	})
}

func TestAPathIsForwardedBelowTheBackendsOwn(t *testing.T) {
	for base, want := range map[string]string{"/": "/public/a%20b", "/v1": "/v1/public/a%20b", "/v1/": "/v1/public/a%20b", "/a%2Fb/c": "/a%2Fb/c/public/a%20b"} {
		s := newStand(t, echo(), "public.yaml", strings.Replace(contracts["public.yaml"], "${backend.all}", "${backend.all}"+base, 1))
		if _, seen := s.granted(t, request(t, "GET", "/public/a%20b")); seen.Target != want {
			t.Errorf("base %s: got %s, want %s", base, seen.Target, want)
		}
	}
}
