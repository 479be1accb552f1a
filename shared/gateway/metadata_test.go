package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"tollgate/shared/audit"
)

// published is a stand whose environment has a public URL.
func published(t *testing.T, publicURL string) *stand {
	return newStand(t, echo(), "environments/test.yaml", contracts["environments/test.yaml"]+"publicURL: "+publicURL+"\n")
}

// RFC 9728 §3.1: the well-known part is put between host and path of the resource, and a challenge points there.
func TestTheMetadataOfAResourceIsWhereItsNameSays(t *testing.T) {
	for public, want := range map[string]string{
		"https://api.contoso.example":  "https://api.contoso.example/orders",
		"https://api.contoso.example/": "https://api.contoso.example/orders",
	} {
		t.Run(public, func(t *testing.T) {
			s := published(t, public)
			w, _ := s.answer(request(t, "GET", "/.well-known/oauth-protected-resource/orders", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"))
			var doc struct{ Resource string }
			if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 || doc.Resource != want {
				t.Errorf("got status %d and resource %q (%v), want 200 and %q", w.Code, doc.Resource, err, want)
			}
			if word, found := holds(everything(w), "evil.example", "api.example", s.address); found {
				t.Errorf("got %q in the metadata, want only what is configured", word)
			}
			if event, _ := s.events.next(t); event.Status != 200 || event.Verdict != audit.Granted || s.backend.Count() != 0 {
				t.Errorf("got event %+v and %d backend calls, want a grant and none", event, s.backend.Count())
			}
			s.events.none(t)

			w, _ = s.answer(request(t, "GET", "/orders/1"))
			s.events.next(t)
			host, path := "https://api.contoso.example", strings.TrimPrefix(want, "https://api.contoso.example")
			if got, pointer := w.Header().Get("WWW-Authenticate"), host+"/.well-known/oauth-protected-resource"+path; !strings.Contains(got, `resource_metadata="`+pointer+`"`) {
				t.Errorf("got %s, want it to point to %s", got, pointer)
			}
		})
	}
}

func TestOnlyTheMetadataOfProtectedAPIsIsThere(t *testing.T) {
	s := published(t, "https://api.contoso.example")
	for _, path := range []string{"", "/", "/public", "/open/x", "/nowhere", "/orders/", "/orders/1", "/Orders"} {
		s.refused(t, request(t, "GET", wellKnown+path), 404, "no_route")
	}
	s.refused(t, request(t, "POST", wellKnown+"/orders"), 405, "method_not_allowed")
	s.refused(t, request(t, "GET", wellKnown+"/../orders/1"), 400, "path_not_canonical")
	w, _ := s.answer(request(t, "HEAD", wellKnown+"/orders"))
	s.events.next(t)
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("got status %d, %d bytes and length %s for HEAD, want GET's headers alone", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}
