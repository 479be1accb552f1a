package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// replies is an API without a backend.
const replies = `kind: API
name: replies
owner: o
path: /replies
audience: "api://${tenant}/replies"
scopes: [ { name: Read, consent: user } ]
cors: { origins: ["https://app.example"], headers: [Authorization] }
operations:
  - { id: open, match: "GET /", public: true, answer: { status: 200, contentType: application/json, body: "{}", headers: { ETag: '"1"' } } }
  - { id: closed, match: "GET /closed", allow: { scopes: [Read] }, answer: { status: 200, contentType: text/plain, body: "secret" } }
  - { id: none, match: "DELETE /", public: true, answer: { status: 204 } }
  - { id: moved, match: "GET /old", public: true, answer: { status: 308, headers: { Location: /replies } } }
`

func repliesStand(t *testing.T) *stand {
	api := strings.ReplaceAll(replies, "scopes: [ { name: Read, consent: user } ]", "scopes: [ { name: orders.read, consent: user } ]")
	api = strings.ReplaceAll(api, "scopes: [Read]", "scopes: [orders.read]")
	env := contracts["environments/test.yaml"]
	return newStand(t, echo(), "replies.yaml", api, "environments/test.yaml", strings.Replace(env, "clientId: {", "clientId: { replies: 44444444-4444-4444-4444-444444444444,", 1))
}

func TestAFixedAnswerIsGivenWithoutABackend(t *testing.T) {
	s := repliesStand(t)
	for _, c := range []struct {
		method, path string
		status       int
		body, kind   string
	}{
		{"GET", "/replies", 200, "{}", "application/json"},
		{"HEAD", "/replies", 200, "", "application/json"},
		{"DELETE", "/replies", 204, "", ""},
		{"GET", "/replies/old", 308, "", ""},
	} {
		w, broken := s.answer(request(t, c.method, c.path, "Origin: https://app.example"))
		e, _ := s.events.next(t)
		if broken || w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Content-Type") != c.kind || e.Verdict != "granted" || e.Status != c.status {
			t.Errorf("%s %s: got %d, %q, %v and event %+v", c.method, c.path, w.Code, w.Body, w.Header(), e)
		}
		if w.Header().Get("X-Correlation-Id") != e.Correlation || w.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s %s: got %v, want the call's id and what every answer says", c.method, c.path, w.Header())
		}
		if l := w.Header().Get("Content-Length"); c.status == 204 && l != "" || c.method == "HEAD" && l != "2" {
			t.Errorf("%s %s: got Content-Length %q", c.method, c.path, l)
		}
	}
	if s.backend.Count() != 0 {
		t.Errorf("got %d calls of the backend, want none", s.backend.Count())
	}
}

func TestAFixedAnswerIsGuardedLikeAnyOther(t *testing.T) {
	s := repliesStand(t)
	s.refused(t, request(t, "GET", "/replies/closed"), 401, "token_missing")
	s.refused(t, request(t, "GET", "/replies/closed", bearer(mint(t, reader))), 401, "wrong_audience")
}

const sockets = `kind: API
name: sockets
owner: o
path: /sockets
backend: { url: "${backend.all}" }
audience: "api://${tenant}/sockets"
cors: { origins: ["https://app.example"], headers: [Authorization] }
operations:
  - { id: feed, match: "GET /feed", public: true, upgrade: websocket }
`

// RFC 6455 §10.2: CORS doesn't keep a page from reading a WebSocket.
func TestAWebSocketOfAnUnlistedOriginIsRefused(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "sockets.yaml", sockets)
	asks := []string{"Connection: Upgrade", "Upgrade: websocket"}
	for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil.example"} {
		s.refused(t, request(t, "GET", "/sockets/feed", append(asks, "Origin: "+origin)...), 403, "origin_not_allowed")
	}
	s.refused(t, request(t, "GET", "/sockets/feed", append(asks, "Origin: https://app.example", "Origin: https://evil.example")...), 403, "origin_not_allowed")
	for _, headers := range [][]string{append(asks, "Origin: https://app.example"), asks, {"Origin: https://evil.example"}} {
		s.granted(t, request(t, "GET", "/sockets/feed", headers...))
	}
}
