package adversarial

import (
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
)

// paths is every attack of group D that is one request.
func paths(b *bench) []row {
	return slices.Concat(
		dotSegments(b), encodings(b), separators(b), otherSpellings(b), prefixes(b),
		methods(b), methodOverrides(b), targetOverrides(b), exemptions(b), ownEndpoints(b),
	)
}

// resolved is a path that the host resolves into one below /manage, which takes
// a token; unresolved, it has two readings.
func resolved(b *bench, id, path string) row {
	r := row{id: id, name: path, request: ask("GET " + path), want: "400 path_not_canonical"}
	return r.behind(b, "401 token_missing", "")
}

// refusedPaths have two readings, behind the host too.
func refusedPaths(id string, paths ...string) (rows []row) {
	for _, p := range paths {
		rows = append(rows, row{id: id, name: visible(p), request: ask("GET " + p), want: "400 path_not_canonical"})
	}
	return rows
}

// unparsed paths are no URL: whoever reads the request line first says so.
func unparsed(b *bench, id string, paths ...string) (rows []row) {
	for _, p := range paths {
		rows = append(rows, row{id: id, name: visible(p), request: ask("GET " + p), want: "400 malformed_request"}.behind(b, "400", "the host"))
	}
	return rows
}

// missing paths lead nowhere.
func missing(id string, paths ...string) (rows []row) {
	for _, p := range paths {
		rows = append(rows, row{id: id, name: p, request: ask("GET " + p), want: "404 no_route"})
	}
	return rows
}

// literal is a path of the public API that reaches the backend as target, and
// behind the host as it writes it.
func literal(b *bench, id, target, hosted string) row {
	want := target
	if b.Host != nil {
		want = hosted
	}
	return row{id: id, name: visible(target), request: ask("GET " + target), want: "200", check: func(t *testing.T, b *bench, _ answer) {
		if got := b.Backend.Requests()[0].Target; got != want {
			t.Errorf("got %q at the backend, want %q", got, want)
		}
	}}
}

// visible is text for a row's name.
func visible(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c <= '~' {
			out.WriteByte(c)
			continue
		}
		out.WriteString(`\x` + string("0123456789abcdef"[s[i]>>4]) + string("0123456789abcdef"[s[i]&15]))
	}
	return out.String()
}

// dotSegments: case 68.
func dotSegments(b *bench) []row {
	var rows []row
	for _, p := range []string{
		"/public/../manage/x", "/public/./../manage/x", "/public/x/../../manage/x", "/../manage/x", "/./manage/x", "/public/../../manage/x", "/manage/./x", "/manage/y/../x",
		"/public/%2e%2e/manage/x", "/public/%2E%2E/manage/x", "/public/.%2e/manage/x", "/public/%2e./manage/x", "/public/%2e/%2e%2e/manage/x", "/manage/%2e/x",
	} {
		rows = append(rows, resolved(b, "D68", p))
	}
	rows = append(rows,
		row{id: "D68", name: "absolute-form with dot segments", request: ask("GET http://api.example/public/../manage/x"), want: "400 path_not_canonical"}.behind(b, "401 token_missing", ""),
		row{id: "D68", name: "a method that would be protected, by dot segments", request: ask("DELETE /manage/../public/x"), want: "400 path_not_canonical"}.behind(b, "401 token_missing", ""),
		literal(b, "D68", "/public/...", "/public/..."), literal(b, "D68", "/public/x..", "/public/x.."), literal(b, "D68", "/public/..x", "/public/..x"),
		literal(b, "D68", "/public/x?/../manage/x", "/public/x?/../manage/x"))
	if b.Host == nil {
		rows = append(rows, refusedPaths("D68", "/public/..", "/public/.", "/public/x/..", "/public/%2e", "/public/%2e%2e")...)
	}
	return rows
}

// encodings: cases 70 and 76.
func encodings(b *bench) []row {
	rows := refusedPaths("D70",
		"/public/%252e%252e%252fmanage/x", "/public/%252E%252E/manage/x", "/public/..%252f..%252fmanage/x", "/public/%25252e%25252e/x", "/public/%2F", "/public/%2f..%2fmanage", "/public%2Fx",
		"/%2fmanage/x", "/public/x%2f..%2f..%2fmanage%2fx", "/public/%252F", "/public/%255c", "/public/%2500", "/public/%25%32%46x")
	rows = append(rows, refusedPaths("D76", "/public/%c0%af", "/public/%e0%80%af", "/public/%f0%80%80%af", "/public/%c0%ae%c0%ae/manage", "/public/%ff", "/public/%ed%a0%80", "/public/%C3")...)
	rows = append(rows, unparsed(b, "D76", "/public/%u002f", "/public/%U002e%U002e/manage/x", "/public/%", "/public/%2", "/public/%zz")...)
	rows = append(rows,
		literal(b, "D76", "/public/%ef%bc%8f", "/public/%EF%BC%8F"), literal(b, "D76", "/public/%EF%BC%8E%EF%BC%8E", "/public/%EF%BC%8E%EF%BC%8E"),
		literal(b, "D76", "/public/%e2%88%95..%e2%81%84", "/public/%E2%88%95..%E2%81%84"), literal(b, "D76", "/public/%C3%A9", "/public/%C3%A9"),
		literal(b, "D70", "/public/%25", "/public/%25"), literal(b, "D70", "/public/100%25", "/public/100%25"),
		literal(b, "D70", "/public/x?q=%252e%252e%252f&r=%2F..%2f", "/public/x?q=%252e%252e%252f&r=%2F..%2f"),
		// A character that needs no encoding: the host decodes it, and alone it has two readings.
		row{id: "D70", name: "/%6danage/x", request: ask("GET /%6danage/x"), want: "400 path_not_canonical"}.behind(b, "401 token_missing", ""),
		row{id: "D70", name: "/public/%00", request: ask("GET /public/%00"), want: "400 path_not_canonical"}.behind(b, "400", "the host"),
		row{id: "D70", name: "/public/x%00.json", request: ask("GET /public/x%00.json"), want: "400 path_not_canonical"}.behind(b, "400", "the host"))
	rows = append(rows, refusedPaths("D76", "/public/%0d%0aSet-Cookie:x", "/public/%1b", "/public/%7f", "/public/%0a")...)
	return append(rows, unparsed(b, "D76", "/public/\x00", "/public/\x7f", "/public/\x1b", "/public/a\tb", "/public/a b")...)
}

// separators: cases 71 and 74, and slashes that some servers merge or drop.
func separators(b *bench) []row {
	rows := refusedPaths("D71", "/manage;/x", "/public/..;/manage/x", "/manage;jsessionid=1/x", "/public/x;", "/public/x;a=b", "/public/%3bx", "/public/..%3b/manage/x", "/;/manage/x", "/public;/x", "/manage/x;.css", "/manage/x%3B.css")
	rows = append(rows, refusedPaths("D74", `/public\..\manage`, `/public/..\manage\x`, "/public/%5c", "/public/%5C..%5Cmanage", `/public\x`, `/\manage/x`, `/manage\x`)...)
	rows = append(rows, unparsed(b, "D74", `\manage\x`, `\\manage\x`)...)
	rows = append(rows, refusedPaths("D74", "/public//x", "/public///manage/x", "/public/x//")...)
	for _, p := range []string{"//manage/x", "///manage/x", "//public/x"} {
		rows = append(rows, row{id: "D74", name: p, request: ask("GET " + p), want: "400 path_not_canonical"}.behind(b, "404", "the host"))
	}
	return append(rows, missing("D74", "/public/x/", "/public/", "/manage/x/", "/manage/", "/manage", "/public")...)
}

// otherSpellings: case 73. A backend that ignores case is protected by there
// being no route, whichever part differs.
func otherSpellings(b *bench) []row {
	rows := missing("D73", "/Manage/x", "/MANAGE/x", "/mANAGE/health", "/Public/x", "/manage/Health", "/manage/HEALTH", "/API/open/x", "/api/Open/x", "/api/MANAGE/x", "/orders/Public/x", "/orders/PUBLIC/x")
	if b.Host == nil { // the kelvin sign and the long s fold to ASCII letters
		rows = append(rows, missing("D73", "/%e2%84%aa/x", "/order%c5%bf/1", "/order%C5%BF/public/x")...)
	}
	return append(rows,
		row{id: "D73", name: "/manage/health, the control", request: ask("GET /manage/health"), want: "200"},
		row{id: "D73", name: "/manage/healthz", request: ask("GET /manage/healthz"), want: "401 token_missing"})
}

// prefixes: case 77. An API's path is whole segments, and the backend's own path
// is put before what was matched, untouched.
func prefixes(b *bench) []row {
	rows := missing("D77", "/api../manage/x", "/apix", "/apix/manage/x", "/api-/open/x", "/ap/open/x", "/api", "/api/", "/api/openx", "/api/open../manage/x", "/api/open", "/base/api/open/x")
	rows = append(rows, refusedPaths("D77", "/api%2fopen/x", "/api%2f..%2fmanage/x", "/api;/open/x", "/api/open/%2f..%2f..%2fmanage/x", "/api/open//manage/x", "/api/open/..;/manage/x")...)
	rows = append(rows,
		row{id: "D77", name: "/api%2e./manage/x", request: ask("GET /api%2e./manage/x"), want: "400 path_not_canonical"}.behind(b, "404 no_route", ""),
		row{id: "D77", name: "/api%2e%2e/manage/x", request: ask("GET /api%2e%2e/manage/x"), want: "400 path_not_canonical"}.behind(b, "404 no_route", ""),
		resolved(b, "D77", "/api/open/../manage/x"), resolved(b, "D77", "/api/../manage/x"), resolved(b, "D77", "/api/open/%2e%2e/manage/x"),
		row{id: "D77", name: "/api/../base/api/open/x", request: ask("GET /api/../base/api/open/x"), want: "400 path_not_canonical"}.behind(b, "404 no_route", ""))
	below := literal(b, "D77", "/base/api/open/a/b%20c", "/base/api/open/a/b%20c")
	below.name, below.request = "below the backend's path", ask("GET /api/open/a/b%20c")
	return append(rows, below)
}

// exemptions: case 83. No header and no neighbour of a health path is let in.
func exemptions(b *bench) (rows []row) {
	for _, agent := range []string{"kube-probe/1.30", "ELB-HealthChecker/2.0", "GoogleHC/1.0", "Edge Health Probe", "AlwaysOn", "HealthCheck/1.0", "Site24x7", "Mozilla/5.0 (compatible; Googlebot/2.1)"} {
		rows = append(rows, row{id: "D83", name: "the agent " + agent, request: ask("GET /manage/x", "User-Agent: "+agent), want: "401 token_missing"})
	}
	for _, line := range []string{"X-Health-Check: true", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: ::1", "X-Azure-FDID: 1", "X-ARR-LOG-ID: 1", "x-ms-platform-internal: true", "X-Internal: 1", "X-Skip-Auth: 1", "Origin: http://localhost", "Referer: http://localhost/manage/health", "Host: localhost"} {
		if strings.HasPrefix(line, "Host") {
			rows = append(rows, row{id: "D83", name: line, request: "GET /manage/x HTTP/1.1\r\n" + line + "\r\nConnection: close\r\n\r\n", want: "401 token_missing"})
			continue
		}
		rows = append(rows, row{id: "D83", name: line, request: ask("GET /manage/x", line), want: "401 token_missing"})
	}
	rows = append(rows, refusedPaths("D83", "/manage/health%2f..%2fx", "/manage/health;x", "/manage/health%00x")[:2]...)
	rows = append(rows, missing("D83", "/manage/health/", "/manage/health/x", "/health", "/healthz", "/ping", "/status")...)
	return append(rows,
		resolved(b, "D83", "/healthz/../manage/x"), resolved(b, "D83", "/manage/health/../x"),
		row{id: "D83", name: "/manage/health.", request: ask("GET /manage/health."), want: "401 token_missing"},
		row{id: "D83", name: "/manage/health%20", request: ask("GET /manage/health%20"), want: "401 token_missing"},
		row{id: "D83", name: "an operation's role through another's path", request: bearing("GET /manage/x", b.mint(issuer.Token{API: "manage"})), want: "403 insufficient_role"})
}

// ownEndpoints: case 85.
func ownEndpoints(b *bench) []row {
	rows := missing("D85", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/gateway", "/refresh", "/_gateway/status", "/_gateway", "/.env", "/.git/config", "/host.json", "/gateway/function.json",
		"/contracts/gateway.yaml", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/none", "/swagger", "/api/azure-handler", "/.auth/me", "/.auth/login/aad", "/server-status", "/actuator/env")
	for _, p := range []string{"/admin/host/status", "/admin/host/keys", "/admin/functions", "/admin/functions/refresh", "/runtime/webhooks/blobs", "/runtime/webhooks/durabletask/instances", "/admin", "/ADMIN/host/status", "/admin/vfs/"} {
		rows = append(rows, row{id: "D85", name: p, request: ask("GET " + p), want: "404 no_route"}.behind(b, "401", "the host"))
	}
	return append(rows,
		row{id: "D85", name: "/public/../admin/host/status", request: ask("GET /public/../admin/host/status"), want: "400 path_not_canonical"}.behind(b, "401", "the host"),
		row{id: "D85", name: "a timer's name, posted", request: ask("POST /refresh", "Content-Type: application/json"), want: "404 no_route"},
		row{id: "D85", name: "a function started by its name", request: ask("POST /admin/functions/refresh"), want: "404 no_route"}.behind(b, "401", "the host"),
		row{id: "D85", name: "the probe, through the host", request: ask("GET /?x"), want: "404 no_route"})
}
