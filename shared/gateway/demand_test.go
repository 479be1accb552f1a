package gateway

import (
	"strings"
	"testing"

	"tollgate/shared/audit"
)

var versioned = strings.Replace(apiText("versioned", `  - { id: show, match: "GET /{x}", public: true, headers: { X-Mode: [live, "test"] } }
  - { id: make, match: "POST /{x}", allow: { roles: [Maker] } }`, "roles: [ { name: Maker } ]"), "owner: o", `owner: o
headers: { X-Api-Version: ["2024-05-01", "2025-01-01"] }`, 1)

func versionedFiles() []string {
	return []string{"versioned.yaml", versioned, "environments/test.yaml", strings.Replace(contracts["environments/test.yaml"], "clientId: { ", "clientId: { versioned: 44444444-4444-4444-4444-444444444444, ", 1)}
}

func TestARequiredHeaderIsDemandedOnceAndExactly(t *testing.T) {
	s := newStand(t, echo(), versionedFiles()...)
	const version, mode = "X-Api-Version: 2024-05-01", "X-Mode: live"
	for name, c := range map[string]struct {
		header     []string
		code, rule string
	}{
		"none":                        {nil, "header_required", "headers.X-Api-Version"},
		"the operation's only":        {[]string{mode}, "header_required", "headers.X-Api-Version"},
		"the API's only":              {[]string{version}, "header_required", "operations.show.headers.X-Mode"},
		"another value":               {[]string{"X-Api-Version: 2024-05-02", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"another case":                {[]string{version, "X-Mode: Live"}, "header_not_accepted", "operations.show.headers.X-Mode"},
		"an empty value":              {[]string{"X-Api-Version:", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"a list":                      {[]string{"X-Api-Version: 2024-05-01, 2025-01-01", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"a part":                      {[]string{"X-Api-Version: 2024-05", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"twice the same":              {[]string{version, version, mode}, "header_not_accepted", "headers.X-Api-Version"},
		"twice":                       {[]string{version, "x-api-version: 2025-01-01", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"a twin instead":              {[]string{"X_Api_Version: 2024-05-01", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"a twin besides":              {[]string{version, "X_Api-Version: 2025-01-01", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"a twin with dots besides":    {[]string{version, "x.api.version: 2024-05-01", mode}, "header_not_accepted", "headers.X-Api-Version"},
		"one that ends here":          {[]string{version, mode, "Connection: keep-alive, x-api-version"}, "header_not_accepted", "headers.X-Api-Version"},
		"a twin that ends here":       {[]string{version, mode, "Connection:", "Connection: close,X_MODE"}, "header_not_accepted", "operations.show.headers.X-Mode"},
		"the operation's twin beside": {[]string{version, mode, "X_MODE: test"}, "header_not_accepted", "operations.show.headers.X-Mode"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := s.answer(request(t, "GET", "/versioned/x", c.header...))
			event, _ := s.events.next(t)
			if w.Code != 400 || event.Code != c.code || event.Rule != c.rule || event.Operation != "show" || s.backend.Count() != 0 {
				t.Errorf("got status %d and event %+v, want 400, %s by %s", w.Code, event, c.code, c.rule)
			}
			said := problemOf(t, w.Body.Bytes()).Detail
			if word, found := holds(said, "2024", "2025", "live", "test"); found || !strings.Contains(said, c.rule[strings.LastIndex(c.rule, "X-"):]) {
				t.Errorf("got the detail %q, want the header's name and no value (%s)", said, word)
			}
		})
	}
	for _, header := range [][]string{{version, mode}, {"x-api-version:  2025-01-01 ", "X-MODE: test"}} {
		_, seen := s.granted(t, request(t, "GET", "/versioned/x", header...))
		if seen.Header.Get("X-Mode") == "" || seen.Header.Get("X-Api-Version") == "" {
			t.Errorf("got %v at the backend, want both headers", seen.Header)
		}
	}
}

func TestARequiredHeaderIsAskedForBeforeTheToken(t *testing.T) {
	s := newStand(t, echo(), versionedFiles()...)
	s.refused(t, request(t, "POST", "/versioned/x"), 400, "header_required")
	s.refused(t, request(t, "POST", "/versioned/x", "X-Api-Version: 2024-05-01"), 401, "token_missing")
	_, _, steps := s.Explain(t.Context(), s.NewCall(request(t, "POST", "/versioned/x", "X-Api-Version: 2024-05-01")))
	var names []string
	for _, step := range steps {
		names = append(names, step.Stage)
	}
	if got := strings.Join(names, " "); got != "route headers token" {
		t.Errorf("got the stages %q, want route headers token", got)
	}
}

func TestAHeaderThatMustStandOnceIsRefusedTwice(t *testing.T) {
	s := newStand(t, echo())
	for _, header := range [][]string{
		{"Content-Type: application/json", "Content-Type: text/plain"}, {"Content-Type: application/json", "content-type: application/json"}, {"Content-Type: application/json", "Content_Type: text/plain"},
		{"X-Functions-Key: a", "x-functions-key: b"}, {"X-Functions-Key: a", "X_Functions_Key: b"},
	} {
		s.refused(t, request(t, "GET", "/public/x", header...), 400, "header_repeated")
		s.refused(t, request(t, "GET", "/manage/x", header...), 400, "header_repeated")
	}
	s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, reader)), bearer(mint(t, reader))), 400, "multiple_credentials")
	w, _ := s.answer(request(t, "GET", "/public/x", "Content-Type: application/json", "X-Functions-Key: a"))
	if event, _ := s.events.next(t); w.Code != 200 || event.Verdict != audit.Granted {
		t.Errorf("got %d, want each of them taken once", w.Code)
	}
}
