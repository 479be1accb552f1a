package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/issuer"
)

// E of cases/adversarial.md, through the whole pipeline and net/http on both sides.

var identity = []string{"X-Auth-Sub", "X-Auth-Tenant", "X-Auth-Roles"}

// lies is a request's headers that claim to be somebody, in every disguise of E91 and E92.
const lies = "X-Auth-Sub: evil\r\nX-Auth-Sub: evil-twice\r\nX_Auth_Sub: evil\r\nx-auth_sub: evil\r\nX.Auth.Sub: evil\r\nX-AUTH-TENANT: evil\r\n" +
	"x_auth.roles: evil\r\nX-Auth-Roles: evil\r\nX_AUTH_TENANT: evil\r\nx.auth-tenant: evil\r\n"

func TestE89APublicOperationForwardsNoIdentity(t *testing.T) {
	s := newStand(t, echo())
	server := s.serve(t)
	for name, text := range map[string]string{
		"as they are":                 lies,
		"named in Connection":         lies + "Connection: X-Auth-Sub, x_auth_tenant\r\n",
		"with a valid token for more": lies + bearer(mint(t, admin)) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s.backend.Reset()
			resp := dial(t, server, "GET /public/x HTTP/1.1\r\nHost: a\r\n"+text+"\r\n").response(t, "GET")
			if resp.StatusCode != 200 || s.backend.Count() != 1 {
				t.Fatalf("got status %d and %d backend calls, want 200 and one", resp.StatusCode, s.backend.Count())
			}
			seen := s.backend.Requests()[0].Header
			for _, id := range append(identity, "Authorization") {
				if got := heard(seen, id); got != "" {
					t.Errorf("got %s: %s at the backend, want none", id, got)
				}
			}
		})
	}
}

func TestE92TheGatewaysOwnIdentityHeadersAlwaysArrive(t *testing.T) {
	s := newStand(t, echo())
	server, token := s.serve(t), bearer(mint(t, reader))+"\r\n"
	for name, text := range map[string]string{
		"E91 beside lies":                  lies,
		"E92 named in Connection":          "Connection: X-Auth-Sub\r\n",
		"E92 among others":                 "Connection: close, X-Auth-Tenant, Authorization, X-Correlation-Id\r\n",
		"E92 two Connections, first empty": "Connection:\r\nConnection: X-Auth-Sub, X-Auth-Tenant,, x_auth_sub\r\n",
		"E92 disguised":                    "connection: x_auth.sub , X.AUTH.TENANT\r\n" + lies,
		"E92 Proxy-Connection, Keep-Alive": "Proxy-Connection: X-Auth-Sub\r\nKeep-Alive: X-Auth-Sub\r\n",
		"E94 TE, Trailer, Upgrade":         "TE: trailers, chunked\r\nTrailer: X-Auth-Sub\r\nProxy-Authorization: Basic eDp5\r\nConnection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s.backend.Reset()
			resp := dial(t, server, "GET /orders/1 HTTP/1.1\r\nHost: a\r\n"+token+text+"\r\n").response(t, "GET")
			if resp.StatusCode != 200 || s.backend.Count() != 1 {
				t.Fatalf("got status %d and %d backend calls, want 200 and one", resp.StatusCode, s.backend.Count())
			}
			seen := s.backend.Requests()[0].Header
			got := map[string]string{}
			for _, name := range append([]string{"Authorization", "Proxy-Authorization", "TE", "Trailer", "Upgrade", "HTTP2-Settings", "X-Correlation-Id"}, identity...) {
				got[name] = heard(seen, name)
			}
			event, _ := s.events.next(t)
			want := map[string]string{"Authorization": "", "Proxy-Authorization": "", "TE": "", "Trailer": "", "Upgrade": "", "HTTP2-Settings": "",
				"X-Correlation-Id": event.Correlation, "X-Auth-Sub": reader.User, "X-Auth-Tenant": tenant, "X-Auth-Roles": ""}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("at the backend (-want +got):\n%s", diff)
			}
		})
	}
}

func TestE94AnIdentityInATrailerEndsHere(t *testing.T) {
	s := newStand(t, echo())
	conn := dial(t, s.serve(t), "POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Sub, x_auth_tenant\r\n\r\n"+
		"5\r\nhello\r\n0\r\nX-Auth-Sub: evil\r\nx_auth_tenant: evil\r\nX-Forwarded-For: evil\r\n\r\n")
	if resp := conn.response(t, "POST"); resp.StatusCode != 200 {
		t.Fatalf("got status %d, want 200", resp.StatusCode)
	}
	seen := s.backend.Requests()[0]
	if string(seen.Body) != "hello" || len(seen.Trailer) != 0 || len(seen.Header["Trailer"]) != 0 {
		t.Errorf("got body %q, trailers %v and %v announced, want hello and none", seen.Body, seen.Trailer, seen.Header["Trailer"])
	}
	for _, name := range append(identity, "X-Forwarded-For") {
		if got := heard(seen.Header, name); got != "" {
			t.Errorf("got %s: %s at the backend, want none", name, got)
		}
	}
}

// E95, E97, E98: nothing that speaks for a proxy or the platform, and no credential, passes.
func TestE97PlatformHeadersAndCredentialsEndHere(t *testing.T) {
	s := newStand(t, echo())
	token := mint(t, reader)
	names := []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-TlsVersion", "Forwarded", "X-Real-IP", "True-Client-IP", "CLIENT-IP", "X-Client-IP", "X-Client-Port",
		"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-TOKEN-AAD-ID-TOKEN", "X-MS-TOKEN-AAD-ACCESS-TOKEN",
		"X-ARR-ClientCert", "X-ARR-SSL", "X-ARR-LOG-ID", "X-Azure-FDID", "X-Azure-ClientIP", "X-Azure-SocketIP", "DISGUISED-HOST", "WAS-DEFAULT-HOSTNAME", "X-SITE-DEPLOYMENT-ID",
		"X-AppService-Proto", "Max-Forwards", "x-ms-platform-internal", "x-ms-site-restricted-token", "x-ms-site-token", "X-MS-COLDSTART", "X-FUNCTION-SCALEOUT",
		"X-Azure-Functions-InvocationId", "X-Azure-Functions-HostVersion", "x-ms-invocation-id", "x-functions-key", "Ocp-Apim-Subscription-Key"}
	header := []string{bearer(token)}
	for _, n := range names {
		header = append(header, n+": marker-7f3a")
	}
	_, seen := s.granted(t, request(t, "GET", "/orders/1?code=marker-7f3a&a=1&Subscription-Key=marker-7f3a&b=2&c%6Fde=marker-7f3a&access_token="+token, header...))
	for name, values := range seen.Header {
		if word, found := holds(strings.Join(values, ","), "marker-7f3a", token); found {
			t.Errorf("got %s: %.60s at the backend, want no %.20s", name, values, word)
		}
	}
	if seen.Target != "/orders/1?a=1&b=2" || heard(seen.Header, "Authorization") != "" {
		t.Errorf("got target %s and Authorization %.30q at the backend, want /orders/1?a=1&b=2 and none", seen.Target, heard(seen.Header, "Authorization"))
	}
}

func TestE100WhatABackendMayNotTellACaller(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, n := range []string{"X-Auth-Sub", "x_auth_tenant", "X.Auth.Roles", "Server", "X-Powered-By", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "X-Correlation-Id", "X-Named"} {
			w.Header()[n] = []string{"secret"}
		}
		w.Header().Set("Connection", "x-named")
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		_, _ = io.WriteString(w, "ok")
	}))
	resp := dial(t, s.serve(t), "GET /orders/1 HTTP/1.1\r\nHost: a\r\n"+bearer(mint(t, reader))+"\r\n\r\n").response(t, "GET")
	for name, values := range resp.Header {
		if strings.Contains(strings.Join(values, ","), "secret") {
			t.Errorf("got %s: %s, want none", name, values)
		}
	}
	if event, _ := s.events.next(t); resp.Header.Get("X-Correlation-Id") != event.Correlation || len(resp.Header.Values("Set-Cookie")) != 2 {
		t.Errorf("got %v, want the gateway's correlation id and both cookies", resp.Header)
	}
}

func TestE103ATokenOf20KBIsTaken(t *testing.T) {
	groups := make([]string, 400)
	for i := range groups {
		groups[i] = "0badf00d-0000-4000-8000-00000000cafe"
	}
	token := reader
	token.Claims = map[string]any{"groups": groups}
	text := mint(t, token)
	if len(text) < 20_000 {
		t.Fatalf("got a token of %d bytes, want 20 KB", len(text))
	}
	s := newStand(t, echo())
	s.granted(t, request(t, "GET", "/orders/1", bearer(text)))
}

// untouched is a body that nobody may read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read, want it left alone")
	return 0, io.EOF
}
func (u untouched) Close() error { return nil }

func TestE104ARefusedCallsBodyIsNotRead(t *testing.T) {
	s := newStand(t, echo())
	for _, length := range []int64{10 << 20, -1} {
		r := request(t, "POST", "/orders", "Expect: 100-continue", bearer("e30.e30.e30"))
		r.Body, r.ContentLength = untouched{t}, length
		s.refused(t, r, 401, "alg_not_allowed")
	}
}

func TestE106ABoundTokenIsNoBearerToken(t *testing.T) {
	s := newStand(t, echo())
	token := reader
	token.Claims = map[string]any{"cnf": map[string]any{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}
	s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, token))), 401, "binding_required")
}

func TestTwoCredentialsAreRefused(t *testing.T) {
	s := newStand(t, echo())
	s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, reader)), bearer(mint(t, reader))), 400, "multiple_credentials")
	s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, issuer.Token{API: "manage", Roles: []string{"Admin"}}))), 401, "wrong_audience")
	s.refused(t, request(t, "GET", "/orders/1?access_token="+mint(t, reader)), 401, "token_missing")
}
