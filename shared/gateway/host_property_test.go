package gateway

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"tollgate/shared/contract"
)

// mirrors is an API with two targets, a rewrite and a WebSocket.
const mirrors = `kind: API
name: mirrors
owner: o
path: /mirrors
backend: { targets: [ { url: "BACKEND/base" }, { url: "BACKEND/other" } ], retries: 1 }
audience: "api://${tenant}/mirrors"
operations:
  - { id: item, match: "GET /{id}", public: true, rewrite: "/v2/{id}" }
  - { id: rest, match: "GET /all/{rest...}", public: true, upgrade: websocket }
`

// watched is a transport that holds each request to the contract's addresses.
type watched struct {
	http.RoundTripper
	t    *testing.T
	host string
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	below := strings.HasPrefix(r.URL.EscapedPath(), "/base/") || strings.HasPrefix(r.URL.EscapedPath(), "/other/")
	if r.URL.Scheme != "http" || r.URL.Host != w.host || r.Host != w.host || r.URL.User != nil || r.URL.Opaque != "" || !below {
		w.t.Errorf("got %s asked, as %s; want the contract's own %s", r.URL, r.Host, w.host)
	}
	return w.RoundTripper.RoundTrip(r)
}

// Whatever a request line, a Host or a header says, the transport is only ever
// asked for the contract's addresses.
func TestNoPartOfARequestChoosesTheBackend(t *testing.T) {
	s := newStand(t, echo(), "mirrors.yaml", mirrors)
	before := s.parts.Backends
	s.parts.Backends = func(api contract.PlannedAPI) http.RoundTripper { return watched{before(api), t, s.address} }
	s.Gateway = Compile(plan(t, "http://"+s.address, "mirrors.yaml", mirrors), s.parts)
	random := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"evil.example", "@", "//", "\\", ":80", "%40", "%2f", "%5C", "..", ".", "http://", "#", "?", "a", "[::1]", "%00", ";", "%252f", "/", "é"}
	some := func() string {
		var b strings.Builder
		for range random.IntN(5) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	reached := 0
	for range 3000 {
		target := []string{"/mirrors/", "/mirrors/all/", "http://api.example/mirrors/", "//evil.example/mirrors/", "http://evil.example/mirrors/"}[random.IntN(5)] + some()
		r := request(t, "GET", target, "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Original-URL: http://evil.example/", "X-Host: evil.example")
		if random.IntN(3) == 0 {
			r.Host = "evil.example" + some()
		}
		w, _ := s.answer(r)
		if w.Code == 200 {
			reached++
		}
		_, _ = s.events.next(t)
	}
	if reached < 100 {
		t.Errorf("got %d of 3000 requests through, want enough to mean something", reached)
	}
}
