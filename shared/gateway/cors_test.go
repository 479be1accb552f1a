package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/audit"
)

const page = "https://app.contoso.example"

// shop is an API for scripts of page.
var shop = strings.NewReplacer("path: /shop", "path: /shop\ncors: { origins: [\""+page+"\", \"http://localhost:5173\"], headers: [Authorization, X-Trace], expose: [X-Correlation-Id], credentials: true, maxAge: 10m }").Replace(
	apiText("shop", `  - { id: list, match: "GET /items", allow: { roles: [Reader] } }
  - { id: add, match: "POST /items", allow: { roles: [Reader] }, headers: { X-Api-Version: ["1"] } }
  - { id: show, match: "GET /items/{id}", public: true, encodedSlash: allow }
  - { id: drop, match: "DELETE /items/{id}", public: true }
  - { id: about, match: "OPTIONS /about", public: true }`, "roles: [ { name: Reader } ]"))

func shopFiles() []string {
	env := strings.NewReplacer("clientId: { ", "clientId: { shop: 44444444-4444-4444-4444-444444444444, ", "backend:", "publicURL: https://api.example\nbackend:").Replace(contracts["environments/test.yaml"])
	return []string{"shop.yaml", shop, "environments/test.yaml", env}
}

func preflight(t *testing.T, path, origin, method string, more ...string) *http.Request {
	return request(t, "OPTIONS", path, append([]string{"Origin: " + origin, "Access-Control-Request-Method: " + method}, more...)...)
}

// protocol is what an answer says of CORS.
func protocol(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			out[name] = values
		}
	}
	return out
}

func (s *stand) preflighted(t *testing.T, r *http.Request) http.Header {
	t.Helper()
	before := s.backend.Count()
	w, _ := s.answer(r)
	event, _ := s.events.next(t)
	s.events.none(t)
	if w.Code != 204 || w.Body.Len() != 0 || s.backend.Count() != before {
		t.Errorf("%s: got status %d, %d bytes and %d backend calls, want 204, none and none", r.RequestURI, w.Code, w.Body.Len(), s.backend.Count()-before)
	}
	if event.Verdict != audit.Granted || event.API != "shop" || event.Operation != "preflight" || event.Status != 204 || w.Header().Get("X-Correlation-Id") != event.Correlation {
		t.Errorf("%s: got event %+v, want preflight of shop granted with 204", r.RequestURI, event)
	}
	return protocol(w.Header())
}

func TestAPreflightIsAnsweredByContractWithoutAToken(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	want := func(methods string) http.Header {
		return http.Header{
			"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Allow-Headers": {"Authorization, X-Trace"}, "Access-Control-Max-Age": {"600"},
			"Access-Control-Allow-Methods": {methods}, "Vary": {"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"},
		}
	}
	for name, c := range map[string]struct {
		r       *http.Request
		methods string
	}{
		"a protected operation":      {preflight(t, "/shop/items", page, "GET"), "GET, HEAD, POST"},
		"one that demands a header":  {preflight(t, "/shop/items", page, "POST"), "GET, HEAD, POST"},
		"a public one":               {preflight(t, "/shop/items/1", page, "DELETE"), "DELETE, GET, HEAD"},
		"HEAD of a GET operation":    {preflight(t, "/shop/items/1", page, "HEAD"), "DELETE, GET, HEAD"},
		"listed headers":             {preflight(t, "/shop/items", page, "GET", "Access-Control-Request-Headers: authorization,x-trace"), "GET, HEAD, POST"},
		"any case, spaces, lines":    {preflight(t, "/shop/items", page, "GET", "Access-Control-Request-Headers: AUTHORIZATION , ,X-Trace", "Access-Control-Request-Headers: x-trace"), "GET, HEAD, POST"},
		"no header":                  {preflight(t, "/shop/items", page, "GET", "Access-Control-Request-Headers:"), "GET, HEAD, POST"},
		"an encoded slash":           {preflight(t, "/shop/items/a%2Fb", page, "GET"), "GET, HEAD"},
		"an operation for OPTIONS":   {preflight(t, "/shop/about", page, "OPTIONS"), "OPTIONS"},
		"a body and a token besides": {preflight(t, "/shop/items", page, "GET", "Authorization: Bearer x"), "GET, HEAD, POST"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want(c.methods), s.preflighted(t, c.r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the other origin gets its own name", func(t *testing.T) {
		if got := s.preflighted(t, preflight(t, "/shop/items", "http://localhost:5173", "GET")).Get("Access-Control-Allow-Origin"); got != "http://localhost:5173" {
			t.Errorf("got %q, want the one that asked", got)
		}
	})
	t.Run("the metadata of the API", func(t *testing.T) {
		if got := s.preflighted(t, preflight(t, wellKnown+"/shop", page, "GET")).Get("Access-Control-Allow-Methods"); got != "GET, HEAD" {
			t.Errorf("got %q, want GET, HEAD", got)
		}
	})
}

// refusedPreflight asserts a refusal with its event, and gives what it says of CORS.
func (s *stand) refusedPreflight(t *testing.T, r *http.Request, status int, code, rule string) http.Header {
	t.Helper()
	w, _ := s.answer(r)
	event, _ := s.events.next(t)
	if w.Code != status || event.Code != code || event.Rule != rule || event.API != "shop" || event.Operation != "preflight" || s.backend.Count() != 0 {
		t.Errorf("%s: got status %d and event %+v, want %d, %s and the rule %q", r.RequestURI, w.Code, event, status, code, rule)
	}
	if got := w.Header().Get("WWW-Authenticate"); got != "" {
		t.Errorf("got the challenge %q, want none", got)
	}
	return protocol(w.Header())
}

func TestAPreflightOfAnotherOriginIsRefused(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	for _, origin := range []string{"https://evil.example", "null", "", "*", "https://APP.contoso.example", page + ":443", page + "/", page + ".evil.example", "https://contoso.example", "http://app.contoso.example", "http://localhost:5174", page + " " + page, page + ", " + page} {
		got := s.refusedPreflight(t, preflight(t, "/shop/items", origin, "GET"), 403, "origin_not_allowed", "cors.origins")
		if diff := cmp.Diff(http.Header{"Vary": {"Origin"}}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", origin, diff)
		}
	}
	// Nor is it told which paths there are.
	s.refusedPreflight(t, preflight(t, "/shop/none", "https://evil.example", "GET"), 403, "origin_not_allowed", "cors.origins")
}

func TestAPreflightForWhatNobodyMaySendIsRefused(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	for _, header := range []string{"x-other", "authorization, x-other", "*", "x_trace", "x-trace\t,x-other", "authorization;x-trace"} {
		s.refusedPreflight(t, preflight(t, "/shop/items", page, "GET", "Access-Control-Request-Headers: "+header), 403, "header_not_allowed", "cors.headers")
	}
	for _, method := range []string{"PUT", "get", "TRACE", "CONNECT", "", "*", "GET, POST"} {
		s.refusedPreflight(t, preflight(t, "/shop/items", page, method), 405, "method_not_allowed", "")
	}
	s.refusedPreflight(t, preflight(t, "/shop/none", page, "GET"), 404, "no_route", "")
	s.refusedPreflight(t, preflight(t, "/shop/items/a%2Fb", page, "DELETE"), 400, "path_not_canonical", "")
}

func TestWhatIsNoPreflightIsAnOrdinaryRequest(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	ask := "Access-Control-Request-Method: GET"
	for name, r := range map[string]*http.Request{
		"without an origin":        request(t, "OPTIONS", "/shop/items", ask),
		"without a method":         request(t, "OPTIONS", "/shop/items", "Origin: "+page),
		"two origins":              request(t, "OPTIONS", "/shop/items", "Origin: "+page, "Origin: "+page, ask),
		"two methods":              request(t, "OPTIONS", "/shop/items", "Origin: "+page, ask, ask),
		"of an API without cors":   preflight(t, "/public/x", page, "GET"),
		"of a path in another API": preflight(t, "/orders/1", page, "GET"),
	} {
		t.Run(name, func(t *testing.T) { s.refused(t, r, 405, "method_not_allowed") })
	}
	s.refused(t, preflight(t, "/shopping", page, "GET"), 404, "no_route")
	s.refused(t, preflight(t, "/shop/../shop/items", page, "GET"), 400, "path_not_canonical")
	s.granted(t, request(t, "OPTIONS", "/shop/about", "Origin: "+page))
	s.refused(t, request(t, "GET", "/shop/items", "Origin: "+page, ask), 401, "token_missing")
}

// Fetch, "CORS check": a script can read an answer only if it names its origin.
func TestAListedOriginsScriptMayReadEveryAnswer(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	want := http.Header{"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Expose-Headers": {"X-Correlation-Id"}, "Vary": {"Origin"}}
	for status, r := range map[int]*http.Request{
		200: request(t, "GET", "/shop/items/1", "Origin: "+page),
		401: request(t, "GET", "/shop/items", "Origin: "+page),
		400: request(t, "POST", "/shop/items", "Origin: "+page),
		405: request(t, "PUT", "/shop/items", "Origin: "+page),
		404: request(t, "GET", "/shop/none", "Origin: "+page),
	} {
		w, _ := s.answer(r)
		s.events.next(t)
		if diff := cmp.Diff(want, protocol(w.Header())); diff != "" || w.Code != status {
			t.Errorf("got %d, want %d, and (-want +got):\n%s", w.Code, status, diff)
		}
	}
	w, _ := s.answer(request(t, "GET", wellKnown+"/shop", "Origin: "+page))
	if diff := cmp.Diff(want, protocol(w.Header())); diff != "" || w.Code != 200 {
		t.Errorf("the metadata: got %d and (-want +got):\n%s", w.Code, diff)
	}
}

// CORS is no access control: without it the call goes on, and is only not read.
func TestAnotherOriginsCallGoesOnUnread(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	for name, header := range map[string][]string{"unlisted": {"Origin: https://evil.example"}, "null": {"Origin: null"}, "two": {"Origin: " + page, "Origin: " + page}, "none": nil} {
		w, _ := s.granted(t, request(t, "GET", "/shop/items/1", header...))
		if diff := cmp.Diff(http.Header{"Vary": {"Origin"}}, protocol(w.Header())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		s.refused(t, request(t, "GET", "/shop/items", header...), 401, "token_missing")
	}
}

// speaking is a backend with a policy of its own.
func speaking(vary ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Vary"] = vary
		h["Access-Control-Allow-Origin"] = []string{"*"}
		h["access_control-allow.methods"] = []string{"*"}
		h["Access-Control-Allow-Private-Network"] = []string{"true"}
		h.Set("Trailer", "Access-Control-Expose-Headers")
		_, _ = io.WriteString(w, "ok")
		h.Set("Access-Control-Expose-Headers", "*")
	})
}

func TestTheBackendsOwnPolicyIsReplaced(t *testing.T) {
	for vary, want := range map[string]string{"": "Origin", "Accept": "Accept, Origin", "origin, Accept": "origin, Accept", "*": "*", "Accept, *": "*"} {
		s := newStand(t, speaking(vary), shopFiles()...)
		w, _ := s.granted(t, request(t, "GET", "/shop/items/1", "Origin: https://evil.example"))
		if diff := cmp.Diff(http.Header{"Vary": {want}}, protocol(w.Header())); diff != "" || len(w.Result().Trailer) > 0 {
			t.Errorf("Vary %q: got trailers %v and (-want +got):\n%s", vary, w.Result().Trailer, diff)
		}
		if got := heard(w.Header(), "Access-Control-Allow-Methods"); got != "" {
			t.Errorf("got the backend's methods %q, want none", got)
		}
	}
}

func TestWithoutCORSTheBackendSpeaksForItself(t *testing.T) {
	s := newStand(t, speaking("Accept"), shopFiles()...)
	w, _ := s.granted(t, request(t, "GET", "/public/x", "Origin: "+page))
	if h := w.Header(); h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Vary") != "Accept" || h.Get("Access-Control-Allow-Private-Network") != "true" {
		t.Errorf("got %v, want the backend's headers as they are", h)
	}
}

func TestExplainTellsOfAPreflight(t *testing.T) {
	s := newStand(t, echo(), shopFiles()...)
	for origin, refused := range map[string]bool{page: false, "https://evil.example": true} {
		api, operation, steps := s.Explain(t.Context(), s.NewCall(preflight(t, "/shop/items", origin, "GET")))
		if api != "shop" || operation != "preflight" || len(steps) != 2 || steps[1].Stage != "cors" || (steps[1].Refused != nil) != refused {
			t.Errorf("%s: got %s.%s and %+v, want the stages route and cors of shop.preflight", origin, api, operation, steps)
		}
	}
}
