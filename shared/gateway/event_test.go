package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/pipeline"
)

// marked is a token whose every claim holds a value that is nowhere else.
func marked(t *testing.T, change func(*issuer.Token)) string {
	token := issuer.Token{API: "orders", Scopes: []string{"orders.read", "mark3d.scope"}, User: "0badf00d-0000-4000-8000-00000000mark", Undeclared: true, Roles: []string{"mark3d.role"},
		Claims: map[string]any{"name": "mark3d name", "email": "mark3d@contoso.example", "ctry": "mark3d"}}
	if change != nil {
		change(&token)
	}
	return mint(t, token)
}

// H145: whatever is refused, and whatever is granted: one event, without anything that identifies or lets in.
func TestH145NoEventAndNoRefusalTellsASecret(t *testing.T) {
	with := func(change func(*issuer.Token)) string { return bearer(marked(t, change)) }
	claim := func(name string, value any) string {
		return with(func(k *issuer.Token) { k.Claims[name] = value })
	}
	s := newStand(t, echo())
	for name, c := range map[string]struct {
		call   string
		header string
		status int
		code   string
	}{
		"granted":              {"GET /orders/1", with(nil), 200, "granted"},
		"public":               {"GET /open/x", "X-None: n0body", 200, "granted"},
		"no token":             {"GET /orders/1", "X-None: n0body", 401, "token_missing"},
		"not a token":          {"GET /orders/1", "Authorization: Bearer mark3d", 401, "malformed"},
		"another scheme":       {"GET /orders/1", "Authorization: Basic bWFyazNkOm1hcmszZA==", 401, "token_missing"},
		"expired":              {"GET /orders/1", with(func(k *issuer.Token) { k.Lifetime = -1e13 }), 401, "token_expired"},
		"exp out of range":     {"GET /orders/1", claim("exp", -987654321), 401, "malformed"},
		"unknown key":          {"GET /orders/1", with(func(k *issuer.Token) { k.Key = "stranger" }), 401, "unknown_key"},
		"another issuer":       {"GET /orders/1", claim("iss", "https://mark3d.example"), 401, "issuer_not_trusted"},
		"another audience":     {"GET /orders/1", claim("aud", "mark3d"), 401, "wrong_audience"},
		"another tenant":       {"GET /orders/1", claim("tid", "mark3d"), 401, "tenant_mismatch"},
		"no scope":             {"GET /orders/1", claim("scp", "mark3d other"), 403, "insufficient_scope"},
		"no role":              {"GET /manage/1", bearer(mint(t, issuer.Token{API: "manage", Roles: []string{"mark3d"}, Undeclared: true})), 403, "insufficient_role"},
		"a claim of odd shape": {"GET /orders/1", claim("oid", []any{map[string]any{"mark3d": 1}}), 401, "malformed"},
		"a claim that's long":  {"GET /orders/1", claim("oid", strings.Repeat("mark3d", 3000)), 403, "claim_not_forwardable"},
		"no route":             {"GET /nowhere", with(nil), 404, "no_route"},
		"no method":            {"DELETE /orders/1", with(nil), 405, "method_not_allowed"},
		"not canonical":        {"GET /orders/%2e", with(nil), 400, "path_not_canonical"},
		"no path at all":       {"GET http://api.example", with(nil), 400, "path_not_canonical"},
		"not a path":           {"GET x:y", with(nil), 400, "path_not_canonical"},
		"authority-form":       {"CONNECT api.example:443", with(nil), 400, "path_not_canonical"},
	} {
		t.Run(name, func(t *testing.T) {
			method, target, _ := strings.Cut(c.call, " ")
			r := request(t, method, target+"?q=mark3d&access_token=mark3d", c.header, "Cookie: mark3d", "X-Functions-Key: mark3d")
			w, _ := s.answer(r)
			event, line := s.events.next(t)
			s.events.none(t)
			if w.Code != c.status || event.Status != c.status || event.Code != c.code {
				t.Errorf("got status %d and event %s, want %d %s", w.Code, line, c.status, c.code)
			}
			_, token, _ := strings.Cut(c.header, " ")
			secrets := []string{"mark3d", "00000000mark", token, "987654321", "eyJ"}
			if word, found := holds(s.beyond(t, event), secrets...); found {
				t.Errorf("got %.40q in the event %.600s", word, line)
			}
			if c.status == 200 {
				return
			}
			if word, found := holds(everything(w), append(secrets, s.address, "localhost", "goroutine")...); found {
				t.Errorf("got %.40q in the answer:\n%s", word, everything(w))
			}
			if w.Body.Len() >= 1<<10 || w.Header().Get("X-Correlation-Id") != event.Correlation || problemOf(t, w.Body.Bytes()).CorrelationID != event.Correlation {
				t.Errorf("got %d bytes with id %q, want less than 1 KiB with %q", w.Body.Len(), w.Header().Get("X-Correlation-Id"), event.Correlation)
			}
		})
	}
}

// beyond is the event without what it may tell of a verified caller: who it is,
// and the claims that some rule reads.
func (s *stand) beyond(t *testing.T, e audit.Event) string {
	t.Helper()
	var reads []string
	for _, api := range s.plan.APIs {
		if api.Name == e.API {
			reads = api.Reads
		}
	}
	for _, c := range e.Claims {
		if e.Principal == "" || !slices.Contains(reads, c.Name) {
			t.Errorf("got the claim %s in the event, want only what rules of %q read: %v", c.Name, e.API, reads)
		}
	}
	if e.Principal != "" {
		e.User, e.Claims = "", nil
	}
	return string(e.Append(nil))
}

// A broken backend may repeat what it was told about the caller; the event must not.
func TestWhatABrokenBackendSaysIsNotInTheEvent(t *testing.T) {
	s := to(t, scripted(t, "HTTP/1.1 200 OK\r\nX-Auth-Sub mark3d\r\n\r\n"))
	s.answer(request(t, "GET", "/quick/x"))
	if _, line := s.events.next(t); strings.Contains(line, "mark3d") {
		t.Errorf("got the backend's words in the event: %s", line)
	}
}

// H146: a line stays one line of JSON, and a terminal that shows it is safe.
func TestH146NothingInARequestCanWriteALogLine(t *testing.T) {
	s := newStand(t, echo())
	const attack = "\n{\"event\":\"decision\",\"verdict\":\"granted\"}\r\n\x1b[31m\x00\x7f\u0085\u009b31m\u2028\u2029${jndi:ldap://x}\t=cmd|'/C calc'!A0\xff\xfe</script>"
	for name, r := range map[string]*http.Request{
		"method":          request(t, attack, "/public/x"),
		"path":            request(t, "GET", "/public/"+attack),
		"long path":       request(t, "GET", "/public/"+strings.Repeat("é", 40_000)),
		"long method":     request(t, strings.Repeat("A", 40_000), "/public/x"),
		"both, cut short": request(t, strings.Repeat("\u009b", 40), strings.Repeat(attack, 50)),
	} {
		t.Run(name, func(t *testing.T) {
			r = r.WithContext(pipeline.WithInvocation(r.Context(), "i-1"))
			s.answer(r)
			event, line := s.events.next(t)
			s.events.none(t)
			if len(line) > 16<<10 || event.Event != "decision" || event.Verdict != audit.Refused || event.Invocation != "i-1" {
				t.Errorf("got %d bytes, %.300q; want one refusal of at most 16 KiB", len(line), line)
			}
			if at := strings.IndexFunc(strings.TrimSuffix(line, "\n"), breaks); at >= 0 {
				t.Errorf("got %q in the line, want it escaped", line[at:min(at+10, len(line))])
			}
		})
	}
}

// breaks: C0, DEL and C1 controls steer terminals (U+009B begins an escape
// sequence); some readers of lines end one at U+0085, U+2028 or U+2029.
func breaks(r rune) bool {
	return r < 0x20 || 0x7f <= r && r <= 0x9f || r == 0x2028 || r == 0x2029
}

func TestTheCorrelationIsOneInAnswerEventAndBackend(t *testing.T) {
	s := newStand(t, echo())
	w, seen := s.granted(t, request(t, "GET", "/public/x", "X-Correlation-Id: caller's", "x_correlation.id: caller's"))
	id := w.Header().Values("X-Correlation-Id")
	if len(id) != 1 || heard(seen.Header, "X-Correlation-Id") != id[0] || strings.Contains(id[0], "caller") {
		t.Errorf("got %q in the answer and %q at the backend, want one id of the gateway's", id, heard(seen.Header, "X-Correlation-Id"))
	}
}

// lost is a sink that takes nothing.
type lost struct{}

func (lost) Reserve() bool                              { return true }
func (lost) Record(context.Context, *audit.Event) error { return errors.New("disk full") }

func TestAnEventThatIsLostIsReported(t *testing.T) {
	s := newStand(t, echo())
	var told []error
	s.parts.Events, s.parts.Report = lost{}, func(err error) { told = append(told, err) }
	s.Gateway = Compile(s.plan, s.parts)
	s.answer(request(t, "GET", "/public/x"))
	s.answer(request(t, "GET", "/nowhere"))
	if len(told) != 2 || !strings.Contains(told[0].Error(), "disk full") {
		t.Errorf("got reports %v, want two of a full disk", told)
	}
	s.parts.Report = nil
	s.Gateway = Compile(s.plan, s.parts)
	if w, _ := s.answer(request(t, "GET", "/public/x")); w.Code != 200 {
		t.Errorf("got %d, want 200", w.Code)
	}
}

// cancelled is a sink that looks at its context.
type cancelled struct{ errs chan error }

func (c cancelled) Reserve() bool { return true }
func (c cancelled) Record(ctx context.Context, _ *audit.Event) error {
	c.errs <- ctx.Err()
	return nil
}

func TestTheEventOfAClientThatLeftIsWrittenAllTheSame(t *testing.T) {
	s := newStand(t, echo())
	sink := cancelled{make(chan error, 1)}
	s.parts.Events = sink
	s.Gateway = Compile(s.plan, s.parts)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.answer(request(t, "GET", "/public/x").WithContext(ctx))
	if err := <-sink.errs; err != nil {
		t.Errorf("got a sink with %v, want one that may still write", err)
	}
}

func TestDecideForwardsNothing(t *testing.T) {
	s := newStand(t, echo())
	r := request(t, "GET", "/orders/1", bearer(mint(t, reader)))
	r.Body, r.ContentLength = io.NopCloser(untouched{t}), 10
	call := s.NewCall(r)
	if refused := s.Decide(r.Context(), call); refused != nil || call.Forward.Get("X-Auth-Sub") != reader.User || call.Identity == nil {
		t.Errorf("got %+v and headers %v, want a grant for %s", refused, call.Forward, reader.User)
	}
	if refused := s.Decide(r.Context(), s.NewCall(httptest.NewRequestWithContext(t.Context(), "GET", "/manage/x", nil))); refused == nil || refused.Code != "token_missing" {
		t.Errorf("got %+v, want token_missing", refused)
	}
	if s.backend.Count() != 0 || len(s.events.lines) != 0 {
		t.Errorf("got %d backend calls and %d events, want none", s.backend.Count(), len(s.events.lines))
	}
}

func TestCompilingDoesNoNetwork(t *testing.T) {
	s := newStand(t, echo())
	backends := &inProcess{Handler: echo()}
	s.parts.Backends = over(backends)
	s.Gateway = Compile(s.plan, s.parts)
	s.answer(request(t, "GET", "/nowhere"))
	s.answer(request(t, "GET", "/orders/1"))
	s.answer(request(t, "GET", "/orders/1", "Authorization: Bearer e30.e30.e30"))
	if s.keys.calls.Load() != 0 || backends.calls.Load() != 0 {
		t.Errorf("got %d calls for keys and %d to backends, want none before a token needs them", s.keys.calls.Load(), backends.calls.Load())
	}
	for range 3 {
		s.answer(request(t, "GET", "/orders/1", bearer(mint(t, reader))))
	}
	if s.keys.calls.Load() != 2 || backends.calls.Load() != 3 {
		t.Errorf("got %d calls for keys and %d to backends, want discovery and keys once, and three", s.keys.calls.Load(), backends.calls.Load())
	}
}
