package adversarial

import (
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
)

// headers is every attack of group E that is one request.
func headers(b *bench) []row {
	return slices.Concat(disguises(b), connections(b), trailers(b), platformHeaders(b), secretsSent(b), backendsAnswers(b), largeTokens(b), boundTokens(b), upgrades(b), conditions(b))
}

// identity are the headers of the claims contract, and what the gateway itself says.
var identity = []string{"X-Auth-Sub", "X-Auth-Tenant", "X-Auth-Roles", "X-Correlation-Id"}

// disguises: cases 89 and 91.
func disguises(b *bench) (rows []row) {
	token := b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Roles: []string{"Orders.Write"}})
	claims := part(token, 1)
	for _, name := range append([]string{
		"X-Auth-Sub", "x-auth-sub", "X-AUTH-SUB", "X_Auth_Sub", "x-auth_sub", "X.Auth.Sub", "X-Auth.Sub", "X_AUTH.SUB", "X-Auth-Tenant", "X_Auth-Tenant", "X-Auth-Roles", "X_Auth_Roles", "X-Correlation-Id", "X_Correlation_Id",
	}, otherwise()...) {
		rows = append(rows,
			row{id: "E89", name: name + " on a public path", request: ask("GET /public/x", name+": admin"), want: "200", check: untold("admin")},
			row{id: "E91", name: name + " beside a token", request: ask("GET /orders/1", name+": admin", "Authorization: Bearer "+token), want: "200", check: told(claims)},
			row{id: "E91", name: name + " twice, beside a token", request: ask("GET /orders/1", name+": admin", "Authorization: Bearer "+token, strings.ToLower(name)+": root"), want: "200", check: told(claims)},
			row{id: "E91", name: name + " in place of a token", request: ask("GET /orders/1", name+": admin"), want: "401 token_missing"})
	}
	// Names that mean the framing, the host or a credential to a backend that folds them.
	for _, name := range []string{"Content_Length", "Content.Length", "Content_Type", "Transfer_Encoding", "Transfer.Encoding", "Proxy_Authorization", "X_Forwarded_For", "X.Forwarded.Host", "X_MS_CLIENT_PRINCIPAL", "Ocp_Apim_Subscription_Key", "x_functions_key"} {
		rows = append(rows, row{id: "E91", name: name, request: ask("GET /public/x", name+": evil7"), want: "200", check: untold("evil7")})
	}
	return append(rows, row{id: "E91", name: "a space before the colon", request: ask("GET /public/x", "X-Auth-Sub : admin"), want: "400 malformed_request"}.behind(b, "400", "the host"))
}

// otherwise are spellings by other characters than - _ and .: servers that make
// variables of names differ in which ones they turn into _ (lighttpd: all).
func otherwise() []string {
	return []string{"X!Auth!Sub", "X+Auth+Sub", "X~Auth~Sub", "X|Auth|Sub", "X'Auth'Sub", "X#Auth#Sub", "X*Auth*Sub", "X^Auth^Roles"}
}

// told: the backend hears what the token says, once, under the contract's names.
func told(claims map[string]any) func(*testing.T, *bench, answer) {
	return func(t *testing.T, b *bench, a answer) {
		for name, want := range map[string]any{"X-Auth-Sub": claims["sub"], "X-Auth-Tenant": claims["tid"], "X-Correlation-Id": a.Header.Get("X-Correlation-Id")} {
			if got := heard(b, name); len(got) != 1 || got[0] != want {
				t.Errorf("got %s %q at the backend, want %q alone", name, got, want)
			}
		}
		untold("admin", "root")(t, b, a)
	}
}

// untold: no value of these reaches the backend, under any name.
func untold(values ...string) func(*testing.T, *bench, answer) {
	return func(t *testing.T, b *bench, _ answer) {
		for _, seen := range b.Backend.Requests() {
			for name, got := range seen.Header {
				if slices.ContainsFunc(got, func(v string) bool { return slices.Contains(values, v) }) {
					t.Errorf("got %s %q at the backend, want none of it", name, got)
				}
			}
			if len(seen.Trailer) > 0 {
				t.Errorf("got the trailers %v at the backend, want none", seen.Trailer)
			}
		}
	}
}

// connections: case 92. What Connection names is dropped before the gateway speaks.
func connections(b *bench) (rows []row) {
	token := b.user(nil)
	claims := part(token, 1)
	for _, lines := range [][]string{
		{"Connection: X-Auth-Sub"}, {"Connection: close, X-Auth-Tenant, Authorization"}, {"Connection:", "Connection: X-Auth-Sub, X-Auth-Tenant"}, {"Connection: , ,X-Auth-Sub"}, {"connection: x_auth_sub"}, {"Connection: X-Auth-Sub", "X-Auth-Sub: admin"},
		{"Connection: X-Correlation-Id"}, {"Connection: Host"}, {"Connection: Authorization"}, {"Connection: keep-alive, X.Auth.Sub"}, {"Keep-Alive: X-Auth-Sub"}, {"Proxy-Connection: X-Auth-Sub"}, {"Connection: \"X-Auth-Sub\""}, {"Connection: *"}, {"Connection_: X-Auth-Sub"}, {"Connection: \tX-Auth-Sub\t"}, {"Connection: X-Auth-Sub;q=1"},
	} {
		rows = append(rows, row{id: "E92", name: strings.Join(lines, " | "), request: "GET /orders/1 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer " + token + "\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n", want: "200", check: all(told(claims), unheard("Connection", "Keep-Alive", "Proxy-Connection", "Authorization"))})
	}
	// What Connection names ends here. The host doesn't remove it, and drops Connection itself.
	if b.Host == nil {
		rows = append(rows, row{id: "E92", name: "Connection: X-Mine", request: ask("GET /public/x", "Connection: X-Mine", "X-Mine: 1"), want: "200", check: unheard("X-Mine")})
	}
	return append(rows, row{id: "E92", name: "Connection takes no rule away", request: "GET /orders/1 HTTP/1.1\r\nHost: api.example\r\nConnection: close, X-Auth-Sub, Authorization, Host\r\n\r\n", want: "401 token_missing"})
}

// trailers: case 94.
func trailers(b *bench) (rows []row) {
	hops := []string{"Proxy-Authorization: Basic eDp5", "TE: trailers, chunked", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Upgrade: x", "Proxy: http://evil.example", "Proxy-Authenticate: Basic", "HTTP2-Settings: x", "Alt-Svc: clear"}
	for _, line := range hops {
		name, _, _ := strings.Cut(line, ":")
		rows = append(rows, row{id: "E94", name: line, request: ask("GET /public/x", line), want: "200", check: unheard(name)})
	}
	write := "Authorization: Bearer " + b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.write"}})
	chunked := func(path, announced, part string, lines ...string) string {
		head := append([]string{"POST " + path + " HTTP/1.1", "Host: api.example", "Connection: close", "Transfer-Encoding: chunked"}, lines...)
		if announced != "" {
			head = append(head, "Trailer: "+announced)
		}
		return strings.Join(head, "\r\n") + "\r\n\r\n2\r\nhi\r\n0\r\n" + part + "\r\n"
	}
	for name, c := range map[string][2]string{
		"X-Auth-Sub, announced": {"X-Auth-Sub", "X-Auth-Sub: admin\r\n"}, "X-Auth-Sub, not announced": {"", "X-Auth-Sub: admin\r\n"}, "X_Auth_Sub, announced": {"X_Auth_Sub", "X_Auth_Sub: admin\r\n"}, "another, announced": {"X-Other", "X-Other: admin\r\n"},
		"Authorization": {"Authorization", "Authorization: admin\r\n"}, "a platform's": {"", "X-MS-CLIENT-PRINCIPAL: admin\r\n"}, "a subscription key": {"", "Ocp-Apim-Subscription-Key: admin\r\n"}, "several of one name": {"", "X-Auth-Sub: admin\r\nx-auth-sub: root\r\n"}, "an announcement without a trailer": {"X-Auth-Sub", ""},
	} {
		rows = append(rows,
			row{id: "E94", name: "a trailer: " + name, request: chunked("/public/x", c[0], c[1]), want: "200", check: all(untold("admin", "root"), unheard("Trailer", "X-Auth-Sub"))},
			row{id: "E94", name: "a trailer beside a token: " + name, request: chunked("/orders", c[0], c[1], write), want: "200", check: all(untold("admin", "root"), unheard("Trailer"))})
	}
	return append(rows, row{id: "E94", name: "a token in a trailer", request: chunked("/orders", "Authorization", write+"\r\n"), want: "401 token_missing"})
}

// platformHeaders: case 97.
func platformHeaders(b *bench) (rows []row) {
	names := []string{
		"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-TOKEN-AAD-ID-TOKEN", "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-MS-TOKEN-AAD-REFRESH-TOKEN", "X-MS-TOKEN-AAD-EXPIRES-ON", "X-MS-TOKEN-GOOGLE-ACCESS-TOKEN",
		"X-ARR-ClientCert", "X-ARR-SSL", "X-ARR-LOG-ID", "X-Azure-FDID", "X-Azure-ClientIP", "X-Azure-SocketIP", "X-Azure-Ref", "X-Azure-RequestChain", "CLIENT-IP", "X-Client-IP", "X-Client-Port", "DISGUISED-HOST", "WAS-DEFAULT-HOSTNAME", "X-SITE-DEPLOYMENT-ID", "X-AppService-Proto", "Max-Forwards",
		"x-ms-platform-internal", "x-ms-site-restricted-token", "x-ms-site-token", "X-MS-COLDSTART", "X-FUNCTION-SCALEOUT", "X-Azure-Functions-InvocationId", "X-Azure-Functions-HostVersion", "x-ms-invocation-id", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "X-Cluster-Client-IP", "Via",
		"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Access-Token", "X-Forwarded-Client-Cert",
	}
	for _, name := range append(names, otherPlatforms()...) {
		for _, spelt := range []string{name, underscored(name)} {
			rows = append(rows, row{id: "E97", name: spelt + " on a public path", request: ask("GET /public/x", spelt+": evil"), want: "200", check: untold("evil")})
		}
		rows = append(rows, row{id: "E97", name: name + " in place of a token", request: ask("GET /manage/x", name+": evil"), want: "401 token_missing"})
	}
	return rows
}

func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

// otherPlatforms speak of a caller, or of its certificate (RFC 9440 §2.4), to
// backends that stood behind another proxy before.
func otherPlatforms() []string {
	return []string{
		"X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity", "X-Goog-IAP-JWT-Assertion", "X-Goog-Authenticated-User-Email", "Cf-Access-Jwt-Assertion", "Remote-User", "X-Remote-User", "X-Auth-Request-User",
		"SSL-Client-Cert", "SSL-Client-Verify", "X-SSL-Client-Cert", "X-SSL-Client-Verify", "X-Client-Cert", "Client-Cert", "Client-Cert-Chain",
	}
}

// largeTokens: case 103.
func largeTokens(b *bench) []row {
	groups := func(n int) string {
		var ids []string
		for range n {
			ids = append(ids, "11111111-0000-4000-8000-000000000001")
		}
		return read(b.user(map[string]any{"groups": ids}))
	}
	return []row{
		{id: "E103", name: "a token of 20 KB, of many groups", request: groups(385), want: "200"},
		{id: "E103", name: "a token of 30 KB", request: groups(565), want: "200"},
		{id: "E103", name: "the same twice", request: strings.Replace(groups(200), "\r\n\r\n", "\r\nAuthorization: Bearer "+b.user(nil)+"\r\n\r\n", 1), want: "400 multiple_credentials"},
	}
}

// conditions: case 121. A condition is no way past the rule.
func conditions(b *bench) (rows []row) {
	token := "Authorization: Bearer " + b.user(nil)
	for _, line := range []string{"Range: bytes=0-0", "Range: bytes=0-,0-,0-", `If-None-Match: *`, `If-None-Match: "x"`, "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT", `If-Match: *`, `If-Range: "x"`, "Cache-Control: only-if-cached", "Cache-Control: max-stale", "Pragma: no-cache"} {
		rows = append(rows,
			row{id: "F121", name: line + " without a token", request: ask("GET /orders/1", line), want: "401 token_missing"},
			row{id: "F121", name: line + " of a path that isn't there", request: ask("GET /nowhere", line), want: "404 no_route"},
			row{id: "F121", name: line + " with a token", request: ask("GET /orders/1?header=Vary:Authorization&header=Cache-Control:private&header=ETag:x", token, line), want: "200", check: answers("Vary", "Authorization", "Cache-Control", "private")})
	}
	return rows
}

// answers: the caller gets these headers, by name and value.
func answers(pairs ...string) func(*testing.T, *bench, answer) {
	return func(t *testing.T, _ *bench, a answer) {
		for pair := range slices.Chunk(pairs, 2) {
			if got := a.Header.Get(pair[0]); got != pair[1] {
				t.Errorf("got %s %q, want %q", pair[0], got, pair[1])
			}
		}
	}
}
