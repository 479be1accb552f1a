package gateway

import (
	"strings"
	"testing"
)

// gatewayFile is the stand's Gateway with more lines.
func gatewayFile(lines ...string) string {
	return strings.Replace(contracts["gateway.yaml"], "claimsContract: 1\n", "claimsContract: 1\n"+strings.Join(lines, "\n")+"\n", 1)
}

func from(address string) string { return "X-Forwarded-For: 6.6.6.6, " + address + ":4711" }

// Row 95: the spoofed part of the chain is in no list, and not in the event.
func TestAddressesAreAskedBeforeAnyToken(t *testing.T) {
	s := newStand(t, echo(), "gateway.yaml", gatewayFile("clientAddress: { source: host }", "addresses: { deny: [203.0.113.0/25] }"),
		"orders.yaml", strings.Replace(contracts["orders.yaml"], "owner: o", "owner: o\naddresses: { allow: [203.0.113.0/24] }", 1),
		"environments/test.yaml", contracts["environments/test.yaml"]+"publicURL: https://api.example\n")
	token := bearer(mint(t, reader))
	s.granted(t, request(t, "GET", "/orders/1", token, from("203.0.113.200")))
	s.granted(t, request(t, "GET", "/public/1", from("8.8.8.8")))
	for path, addresses := range map[string][]string{
		"/orders/1": {"203.0.113.7", "8.8.8.8", "6.6.6.6", "10.0.0.1"},
		"/public/1": {"203.0.113.7", "127.0.0.1"},
		"/.well-known/oauth-protected-resource/orders": {"203.0.113.7", "8.8.8.8"},
	} {
		for _, a := range addresses {
			s.refused(t, request(t, "GET", path, token, from(a)), 403, "address_not_allowed")
		}
	}
	s.refused(t, request(t, "GET", "/orders/1", from("8.8.8.8")), 403, "address_not_allowed") // not token_missing
	s.refused(t, request(t, "GET", "/public/1", token), 403, "address_not_allowed")           // unknown
	w, _ := s.answer(request(t, "GET", "/orders/1", token, from("203.0.113.7")))
	if got := w.Header().Values("WWW-Authenticate"); len(got) != 0 {
		t.Errorf("got the challenge %q, want none", got)
	}
	if event, text := s.events.next(t); event.Client != "203.0.113.7" || event.Rule != "gateway.addresses" || strings.Contains(text, "6.6.6.6") {
		t.Errorf("got the event %s, want the client 203.0.113.7 refused by gateway.addresses", text)
	}
}

// A shared cache would give it to whoever the list keeps out.
func TestMetadataBehindAListIsKeptByTheCallerOnly(t *testing.T) {
	for list, want := range map[string]string{"": "public, max-age=3600", "\naddresses: { allow: [203.0.113.0/24] }": "private, max-age=3600"} {
		s := newStand(t, echo(), "gateway.yaml", gatewayFile("clientAddress: { source: host }"),
			"orders.yaml", strings.Replace(contracts["orders.yaml"], "owner: o", "owner: o"+list, 1),
			"environments/test.yaml", contracts["environments/test.yaml"]+"publicURL: https://api.example\n")
		w, _ := s.answer(request(t, "GET", "/.well-known/oauth-protected-resource/orders", from("203.0.113.7")))
		if got := w.Header().Get("Cache-Control"); w.Code != 200 || got != want {
			t.Errorf("list %q: got status %d and Cache-Control %q, want 200 and %q", list, w.Code, got, want)
		}
	}
}

func TestWithoutClientAddressTheEventNamesNone(t *testing.T) {
	s := newStand(t, echo())
	s.answer(request(t, "GET", "/public/1", from("203.0.113.7")))
	if event, text := s.events.next(t); event.Client != "" || strings.Contains(text, "client") {
		t.Errorf("got the event %s, want no client", text)
	}
}
