package adversarial

import (
	"strings"
	"testing"

	"tollgate/localrun/issuer"
)

// methods: case 80.
func methods(b *bench) []row {
	admin := "Authorization: Bearer " + b.mint(issuer.Token{API: "manage", Roles: []string{"Admin"}})
	rows := []row{
		{id: "D80", name: "HEAD has GET's rule", request: ask("HEAD /manage/x"), want: "401 token_missing"},
		{id: "D80", name: "HEAD has GET's rule, with a token of no role", request: ask("HEAD /manage/x", "Authorization: Bearer "+b.mint(issuer.Token{API: "manage"})), want: "403 insufficient_role"},
		{id: "D80", name: "HEAD with GET's role", request: ask("HEAD /manage/x", admin), want: "200", check: sameMethod("HEAD")},
		{id: "D80", name: "OPTIONS where no operation takes it", request: ask("OPTIONS /manage/x"), want: "405 method_not_allowed"},
		{id: "D80", name: "a method of another path's", request: ask("POST /manage/x", admin), want: "405 method_not_allowed", check: allows("GET, HEAD")},
		{id: "D80", name: "DELETE beside a public GET", request: ask("DELETE /public/x"), want: "401 token_missing"},
		{id: "D80", name: "get, in lower case", request: ask("get /manage/x", admin), want: "405 method_not_allowed"},
		{id: "D80", name: "Get, in mixed case", request: ask("Get /public/x"), want: "405 method_not_allowed"},
		{id: "D80", name: "delete, in lower case", request: ask("delete /public/x"), want: "405 method_not_allowed"},
	}
	for _, m := range []string{"TRACE", "TRACK", "FOO", "PROPFIND", "LINK", "GETT", "GE", "PURGE", "DEBUG", "SEARCH", "QUERY", "BREW", "!", strings.Repeat("G", 1000)} {
		for _, path := range []string{"/public/x", "/manage/x"} {
			rows = append(rows, row{id: "D80", name: visible(m) + " " + path, request: ask(m+" "+path, admin), want: "405 method_not_allowed"}.behind(b, "404", "the host"))
		}
	}
	for _, path := range []string{"/public/x", "/manage/x"} { // RFC 9110 §9.3.6: it has no path
		rows = append(rows, row{id: "D80", name: "CONNECT " + path, request: ask("CONNECT "+path, admin), want: "400 malformed_request"}.behind(b, "404", "the host"))
	}
	if b.Host != nil {
		return rows
	}
	return append(rows,
		row{id: "D80", name: "CONNECT for a tunnel", request: "CONNECT internal.example:443 HTTP/1.1\r\nHost: internal.example:443\r\nConnection: close\r\n\r\n", want: "400 malformed_request"},
		row{id: "D80", name: "CONNECT for a tunnel to ourselves", request: "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nConnection: close\r\n\r\n", want: "400 malformed_request"},
		row{id: "D80", name: "OPTIONS *", request: "OPTIONS * HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", want: "400 path_not_canonical"},
		row{id: "D80", name: "GET *", request: "GET * HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", want: "400 malformed_request"},
		row{id: "D80", name: "HTTP/0.9 with a version", request: "GET /manage/x HTTP/0.9\r\nHost: api.example\r\nConnection: close\r\n\r\n", want: "505 version_not_supported"})
}

// sameMethod: the backend hears the method that was matched.
func sameMethod(want string) func(*testing.T, *bench, answer) {
	return func(t *testing.T, b *bench, _ answer) {
		if got := b.Backend.Requests()[0].Method; got != want {
			t.Errorf("got the method %s at the backend, want %s", got, want)
		}
	}
}

// allows: RFC 9110 §15.5.6.
func allows(want string) func(*testing.T, *bench, answer) {
	return func(t *testing.T, _ *bench, a answer) {
		if got := a.Header.Get("Allow"); got != want {
			t.Errorf("got Allow %q, want %q", got, want)
		}
	}
}

// methodOverrides: case 79. What stands in a header or a query is no method, for
// us or for a backend that believes it.
func methodOverrides(b *bench) (rows []row) {
	for _, name := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "x_http_method_override", "X.HTTP.Method.Override", "X-Http-Method_Override"} {
		rows = append(rows,
			row{id: "D79", name: name + " on a public GET", request: ask("GET /public/x", name+": DELETE"), want: "200", check: all(sameMethod("GET"), unheard(name))},
			row{id: "D79", name: name + " on a public POST", request: ask("POST /public/x", name+": DELETE"), want: "200", check: all(sameMethod("POST"), unheard(name))},
			row{id: "D79", name: name + " that would make it public", request: ask("DELETE /public/x", name+": GET"), want: "401 token_missing"})
	}
	for _, query := range []string{"_method=DELETE", "_METHOD=DELETE", "%5fmethod=DELETE", "a=1&_method=DELETE&b=2", "_method=GET&_method=DELETE", "_method=", "_method"} {
		rows = append(rows,
			row{id: "D79", name: "?" + query, request: ask("GET /public/x?" + query), want: "200", check: all(sameMethod("GET"), func(t *testing.T, b *bench, _ answer) {
				if got := b.Backend.Requests()[0].Target; strings.Contains(strings.ToLower(got), "method") {
					t.Errorf("got the target %s at the backend, want no _method in it", got)
				}
			})},
			row{id: "D79", name: "?" + query + " that would make it public", request: ask("DELETE /public/x?" + query), want: "401 token_missing"})
	}
	return rows
}

// targetOverrides: case 82.
func targetOverrides(b *bench) (rows []row) {
	for _, name := range []string{
		"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Envoy-Original-Path", "X-WAWS-Unencoded-URL",
		"x_original_url", "X.Rewrite.URL", "x-waws_unencoded-url",
		"X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Forwarded-Method", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Envoy-Original-Host", "X-Accel-Redirect", "X-Host",
		// Flask behind a prefix, gunicorn's forwarder headers, Traefik's, and two of IIS and Rack filters.
		"X-Script-Name", "Script-Name", "Path-Info", "X-Replaced-Path", "X-HTTP-Host-Override", "X-HTTP-DestinationURL", "X-Forwarded",
	} {
		rows = append(rows,
			row{id: "D82", name: name + " on a protected path", request: ask("GET /manage/x", name+": /public/x"), want: "401 token_missing"},
			row{id: "D82", name: name + " on a public one", request: ask("GET /public/x", name+": /manage/x"), want: "200", check: unheard(name)})
	}
	return rows
}

// all checks one after the other.
func all(checks ...func(*testing.T, *bench, answer)) func(*testing.T, *bench, answer) {
	return func(t *testing.T, b *bench, a answer) {
		for _, c := range checks {
			c(t, b, a)
		}
	}
}

// variable is what a lenient backend, which makes variables of header names,
// takes a name for: CGI servers differ in which characters they turn into _.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name)
}

// heard is what the backend heard under a name, however it was spelt.
func heard(b *bench, name string) (values []string) {
	for _, seen := range b.Backend.Requests() {
		for n, v := range seen.Header {
			if variable(n) == variable(name) {
				values = append(values, v...)
			}
		}
		for n, v := range seen.Trailer {
			if variable(n) == variable(name) {
				values = append(values, v...)
			}
		}
	}
	return values
}

// unheard: the backend heard nothing under these names.
func unheard(names ...string) func(*testing.T, *bench, answer) {
	return func(t *testing.T, b *bench, _ answer) {
		for _, n := range names {
			if got := heard(b, n); len(got) > 0 {
				t.Errorf("got %s %q at the backend, want none", n, got)
			}
		}
	}
}
