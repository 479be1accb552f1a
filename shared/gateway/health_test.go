package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

const detailed = "health: { detail: public }"

// health asks for it, and asserts that it called nobody, and left no event if all is well.
func (s *stand) health(t *testing.T, status int) map[string]any {
	t.Helper()
	backends, keys := s.backend.Count(), s.keys.calls.Load()
	w, _ := s.answer(request(t, "GET", "/_gateway/health"))
	if status == 200 {
		s.events.none(t)
	}
	if w.Code != status || s.backend.Count() != backends || s.keys.calls.Load() != keys {
		t.Fatalf("got status %d (%s), want %d and no network", w.Code, w.Body, status)
	}
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
		t.Errorf("got the headers %v", h)
	}
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func withHealth() []string {
	return []string{"gateway.yaml", strings.Replace(contracts["gateway.yaml"], "claimsContract: 1", "claimsContract: 1\n"+detailed, 1)}
}

func TestHealthTellsTheStatusAloneUnlessTheContractSaysMore(t *testing.T) {
	s := newStand(t, echo())
	if got := s.health(t, 200); len(got) != 1 || got["status"] != "ok" {
		t.Errorf("got %v, want the status alone", got)
	}
	w, _ := s.answer(request(t, "HEAD", "/_gateway/health"))
	if w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: got %d with %d bytes", w.Code, w.Body.Len())
	}
	s.events.none(t)
	s.refused(t, request(t, "POST", "/_gateway/health"), 405, "method_not_allowed")
	s.refused(t, request(t, "GET", "/_gateway/health/x"), 404, "no_route")
}

func TestHealthTellsAges(t *testing.T) {
	s := newStand(t, echo(), withHealth()...)
	got := s.health(t, 200)
	if set := got["keySets"].([]any)[0].(map[string]any); set["age"] != nil || set["usable"] != true || set["failing"] != false {
		t.Errorf("got %v, want a key set that nobody has asked for yet", set)
	}
	if got["gateway"] != "contoso" || got["environment"] != "test" || got["contract"] == "" {
		t.Errorf("got %v", got)
	}
	s.granted(t, request(t, "GET", "/orders/1", bearer(mint(t, reader))))
	if set := s.health(t, 200)["keySets"].([]any)[0].(map[string]any); set["age"] == nil || set["stale"] != false || set["issuer"] != "entra" {
		t.Errorf("got %v, want its age", set)
	}
	sink := got["audit"].([]any)[0].(map[string]any)
	if sink["sink"] != "stdout" || sink["full"] != false || sink["lost"] != 0.0 {
		t.Errorf("got %v", sink)
	}
}

// brokenPipe takes no event.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// mended takes no event until it is.
type mended struct{ whole bool }

func (m *mended) Write(p []byte) (int, error) {
	if !m.whole {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// A balancer that sends no calls while health says 503 must learn that all is well again.
func TestHealthRecoversWithoutAnyCall(t *testing.T) {
	s, out := newStand(t, echo(), withHealth()...), &mended{}
	s.parts.Report = nil
	s.parts.Events = audit.NewLines(out)
	s.Gateway = Compile(plan(t, "http://"+s.address, withHealth()...), s.parts)
	s.answer(request(t, "GET", "/nowhere"))
	s.health(t, 503)
	out.whole = true
	s.health(t, 503) // its event is what finds the pipe mended
	s.health(t, 200)
}

func TestHealthIs503OnceEveryCallWouldBeRefused(t *testing.T) {
	s := newStand(t, echo(), withHealth()...)
	s.parts.Report = nil
	s.parts.Events = audit.NewLines(brokenPipe{})
	s.Gateway = Compile(plan(t, "http://"+s.address, withHealth()...), s.parts)
	s.health(t, 200)
	s.answer(request(t, "GET", "/nowhere")) // its event is what finds the pipe broken
	if got := s.health(t, 503); got["status"] != "unavailable" {
		t.Errorf("got %v", got)
	}
	allow := strings.Replace(withHealth()[1], "kind: Gateway", "kind: Gateway\naudit: { unavailable: allow }", 1)
	s.Gateway = Compile(plan(t, "http://"+s.address, "gateway.yaml", allow), s.parts)
	s.health(t, 200)
}

// An issuer that can't be asked closes what needs its tokens. Public operations go on.
func TestAnOutageOfKeysIs503OnlyWhereEveryOperationNeedsThem(t *testing.T) {
	s := newStand(t, echo(), withHealth()...)
	s.parts.Keys = &inProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })}
	alone := append(withHealth(), "public.yaml", apiText("public", `  - { id: show, match: "GET /{x}", allow: { scopes: [a] } }`, "scopes: [ { name: a, consent: user } ]"),
		"open.yaml", apiText("open", `  - { id: read, match: "GET /{rest...}", allow: { scopes: [a] } }`, "scopes: [ { name: a, consent: user } ]"),
		"environments/test.yaml", strings.Replace(contracts["environments/test.yaml"], "clientId: {", "clientId: { public: 55555555-5555-5555-5555-555555555555, open: 66666666-6666-6666-6666-666666666666,", 1))
	for status, files := range map[int][]string{200: withHealth(), 503: alone} {
		s.Gateway = Compile(plan(t, "http://"+s.address, files...), s.parts)
		s.health(t, 200)
		s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, reader))), 503, "keys_unavailable")
		w, _ := s.answer(request(t, "GET", "/_gateway/health"))
		if w.Code != status {
			t.Errorf("got status %d (%s), want %d", w.Code, w.Body, status)
		}
		if status == 503 {
			s.events.next(t) // a health that isn't well leaves one
		}
	}
}

// No key can be judged once what the store said of keys is too old to be used, or where it never said anything.
func TestAnOutageOfTheStoreIs503OnlyWhereEveryOperationNeedsAKeyThatNobodyCanKnow(t *testing.T) {
	const asksForKey, asksForBoth = `  - { id: get, match: "GET /{id}", allow: { key: alone } }`, `  - { id: get, match: "GET /{id}", allow: { key: and, scopes: [a] } }`
	const scope = "scopes: [ { name: a, consent: user } ]"
	cases := map[string]struct {
		operations string
		store      StoreState
		status     int
	}{
		"never asked":       {asksForKey, StoreState{}, 200},
		"it answers":        {asksForKey, StoreState{Asked: true, Known: true, Answer: time.Hour}, 200},
		"it never answered": {asksForKey, StoreState{Asked: true, Failing: true}, 503},
		"it never answered, a token is asked for": {asksForBoth, StoreState{Asked: true, Failing: true}, 503},
		"keys may be known":                       {asksForKey, StoreState{Asked: true, Known: true, Failing: true, Answer: contract.DefaultKeyStale - time.Second}, 200},
		"no key is known any more":                {asksForKey, StoreState{Asked: true, Known: true, Failing: true, Answer: contract.DefaultKeyStale}, 503},
		"one operation needs none":                {asksForKey + "\n" + `  - { id: list, match: "GET /", allow: { scopes: [a] } }`, StoreState{Asked: true, Failing: true}, 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, echo())
			s.parts.Store = func() StoreState { return c.store }
			p := plan(t, "http://"+s.address, "gateway.yaml", gatewayFile("products: { partner: { apis: [alone], key: optional } }", detailed), "alone.yaml", apiText("alone", c.operations, scope),
				"environments/test.yaml", strings.Replace(contracts["environments/test.yaml"], "clientId: {", "clientId: { alone: 55555555-5555-5555-5555-555555555555,", 1)+"vaults: { main: \"https://v.vault.azure.net\" }\n"+
					"store: { tables: \"https://s.table.core.windows.net\", keyDigest: { vault: main, current: digest } }\n")
			p.APIs = slices.DeleteFunc(p.APIs, func(a contract.PlannedAPI) bool { return a.Name != "alone" })
			s.Gateway = Compile(p, s.parts)
			w, _ := s.answer(request(t, "GET", "/_gateway/health"))
			if w.Code != c.status {
				t.Errorf("got status %d (%s), want %d", w.Code, w.Body, c.status)
			}
		})
	}
}
