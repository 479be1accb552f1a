package gateway

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
)

func TestD79AMethodOverrideChangesNothingAndEndsHere(t *testing.T) {
	s := newStand(t, echo())
	for _, name := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "x_http-method.override"} {
		t.Run(name, func(t *testing.T) {
			_, seen := s.granted(t, request(t, "GET", "/public/x", name+": DELETE"))
			if got := heard(seen.Header, name); seen.Method != "GET" || got != "" {
				t.Errorf("got method %s and header %q at the backend, want GET and none", seen.Method, got)
			}
			s.refused(t, request(t, "GET", "/manage/x", name+": OPTIONS"), 401, "token_missing")
			s.refused(t, request(t, "DELETE", "/public/x", name+": GET"), 405, "method_not_allowed")
		})
	}
	t.Run("?_method= doesn't choose the operation", func(t *testing.T) {
		s.refused(t, request(t, "DELETE", "/public/x?_method=GET"), 405, "method_not_allowed")
	})
	t.Run("?_method= doesn't reach the backend", func(t *testing.T) {
		if _, seen := s.granted(t, request(t, "GET", "/public/x?a=1&_method=DELETE&b")); seen.Target != "/public/x?a=1&b" {
			t.Errorf("got %s at the backend, want /public/x?a=1&b", seen.Target)
		}
	})
}

func TestD80MethodsThatNoOperationHas(t *testing.T) {
	s := newStand(t, echo())
	for _, method := range []string{"FOO", "get", "GeT", "TRACE", "PUT", "OPTIONS", "PATCH", "PRI", "CONNECT", "*"} {
		for path, allow := range map[string]string{"/public/x": "GET, HEAD", "/manage/x": "GET, HEAD", "/orders": "POST", "/open/x": "GET, HEAD, POST"} {
			r := request(t, method, path)
			s.refused(t, r, 405, "method_not_allowed")
			w, _ := s.answer(r)
			s.events.next(t)
			if got := w.Header().Get("Allow"); got != allow {
				t.Errorf("%s %s: got Allow %q, want %q", method, path, got, allow)
			}
		}
		s.refused(t, request(t, method, "/nowhere"), 404, "no_route")
	}
	s.refused(t, request(t, "CONNECT", "api.example:443"), 400, "path_not_canonical")
	s.refused(t, request(t, "OPTIONS", "*"), 400, "path_not_canonical")
}

func TestD80HTTP09IsRefused(t *testing.T) {
	s := newStand(t, echo())
	resp := dial(t, s.serve(t), "GET /public/x HTTP/0.9\r\nHost: a\r\n\r\n").response(t, "GET")
	if resp.StatusCode < 400 || s.backend.Count() != 0 {
		t.Errorf("got status %d and %d backend calls, want a refusal and none", resp.StatusCode, s.backend.Count())
	}
}

func TestD80HEADHasTheRuleOfGET(t *testing.T) {
	s := newStand(t, echo())
	s.refused(t, request(t, "HEAD", "/orders/1"), 401, "token_missing")
	s.refused(t, request(t, "HEAD", "/orders/1", bearer(mint(t, issuer.Token{API: "orders", Scopes: []string{"orders.write"}}))), 403, "insufficient_scope")
	s.refused(t, request(t, "HEAD", "/orders"), 405, "method_not_allowed")
	s.refused(t, request(t, "HEAD", "/nowhere"), 404, "no_route")
	w, seen := s.granted(t, request(t, "HEAD", "/orders/1", bearer(mint(t, reader))))
	if seen.Method != "HEAD" || seen.Header.Get("X-Auth-Sub") != reader.User {
		t.Errorf("got %s with %v at the backend, want HEAD with the caller's identity", seen.Method, seen.Header)
	}
	if w.Body.Len() != 0 {
		t.Errorf("got a body of %d bytes, want none", w.Body.Len())
	}
}

// D82: what a header says of the target is neither believed nor passed on.
func TestD82TheTargetIsTheRequestLinesAlone(t *testing.T) {
	s := newStand(t, echo())
	token := bearer(mint(t, admin))
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Envoy-Original-Path", "X-WAWS-Unencoded-URL",
		"X-Original-URI", "X-Original-Method", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Method", "X-Forwarded-Host"} {
		t.Run(name, func(t *testing.T) {
			s.refused(t, request(t, "GET", "/manage/x", name+": /public/x"), 401, "token_missing")
			s.refused(t, request(t, "GET", "/nowhere", name+": /public/x"), 404, "no_route")
			_, seen := s.granted(t, request(t, "GET", "/manage/x", token, name+": /public/x"))
			if got := heard(seen.Header, name); got != "" || seen.Target != "/manage/x" {
				t.Errorf("got target %s and %s: %q at the backend, want /manage/x and none", seen.Target, name, got)
			}
		})
	}
}

func TestD83NoHeaderAndNoPathIsExempt(t *testing.T) {
	s := newStand(t, echo())
	for _, header := range []string{"User-Agent: kube-probe/1.30", "User-Agent: GoogleHC/1.0", "User-Agent: ELB-HealthChecker/2.0", "User-Agent: AlwaysOn", "User-Agent: ReadyForRequest/1.0 (LocalHostOnly)",
		"X-Azure-Functions-InvocationId: 00000000-0000-0000-0000-000000000000", "x-ms-platform-internal: True", "X-FUNCTION-SCALEOUT: 1", "X-MS-CLIENT-PRINCIPAL-ID: admin", "Origin: null"} {
		s.refused(t, request(t, "GET", "/manage/x", header), 401, "token_missing")
		s.refused(t, request(t, "GET", "/", header), 404, "no_route")
	}
	s.refused(t, request(t, "GET", "/healthz/../manage/x"), 400, "path_not_canonical")
	s.refused(t, request(t, "GET", "/public/x/../../manage/x"), 400, "path_not_canonical")
}

// heard is what a backend that folds case, _ and . reads under a name.
func heard(h http.Header, name string) string {
	fold := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(s)) }
	var all []string
	for n, values := range h {
		if fold(n) == fold(name) {
			all = append(all, values...)
		}
	}
	return strings.Join(all, ",")
}
