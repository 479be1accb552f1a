package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// places is a sink with so many of them, that writes like any other.
type places struct {
	audit.Sink
	left     atomic.Int64
	reserved atomic.Int64 // events that used theirs
}

func (p *places) Reserve() bool { return p.left.Add(-1) >= 0 }

func (p *places) Record(ctx context.Context, e *audit.Event) error {
	if e.Reserved {
		p.reserved.Add(1)
		e.Reserved = false
	}
	return p.Sink.Record(ctx, e)
}

func (s *stand) withPlaces(t *testing.T, n int64, files ...string) *places {
	t.Helper()
	p := &places{Sink: s.parts.Events}
	p.left.Store(n)
	s.parts.Events = p
	s.Gateway = Compile(plan(t, "http://"+s.address, files...), s.parts)
	return p
}

func TestWithoutAPlaceForItsEventACallReachesNoBackend(t *testing.T) {
	s := newStand(t, echo())
	p := s.withPlaces(t, 1)
	s.granted(t, request(t, "GET", "/public/x"))
	s.refused(t, request(t, "GET", "/public/x"), 503, "audit_unavailable")
	s.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, reader))), 503, "audit_unavailable")
	s.refused(t, request(t, "GET", "/orders/1"), 401, "token_missing") // who isn't granted anything is told why
	s.refused(t, request(t, "GET", "/nowhere"), 404, "no_route")
	if p.reserved.Load() != 1 {
		t.Errorf("got %d events in a reserved place, want one", p.reserved.Load())
	}
}

func TestTheContractMayLetThemPass(t *testing.T) {
	s := newStand(t, echo())
	s.withPlaces(t, 0, "gateway.yaml", strings.Replace(contracts["gateway.yaml"], "kind: Gateway", "kind: Gateway\naudit: { unavailable: allow }", 1))
	s.answer(request(t, "GET", "/public/x"))
	if event, _ := s.events.next(t); event.Code != audit.Granted || !slices.Contains(event.Marks, "audit_unavailable:allow") {
		t.Errorf("got %+v, want a grant that says so", event)
	}
}

func TestAnEventTellsWhoCalledWhatAndForHowLong(t *testing.T) {
	s := newStand(t, echo())
	r := request(t, "GET", "/orders/1", bearer(mint(t, reader)), "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	w, seen := s.granted2(t, r)
	e, _ := s.events.next(t)
	if e.Principal != "user" || e.User != reader.User || e.Tenant == "" || e.App == "" || e.Issuer == "" || e.API != "orders" {
		t.Errorf("got %+v, want the caller", e)
	}
	parent := heard(seen, "Traceparent")
	if e.Trace != "4bf92f3577b34da6a3ce929d0e0e4736" || len(e.Span) != 16 || !strings.Contains(parent, e.Span) {
		t.Errorf("got trace %s and span %s, want those that the backend heard: %s", e.Trace, e.Span, parent)
	}
	if e.Backend != s.address || e.BackendStatus != 200 || e.Own <= 0 || e.Waited <= 0 || e.Duration < 0 || e.Sent != int64(w) {
		t.Errorf("got %+v, want the backend, %d bytes and durations", e, w)
	}
	names := []string{}
	for _, c := range e.Claims {
		names = append(names, c.Name)
	}
	if !slices.IsSorted(names) || !slices.Contains(names, "scp") || slices.Contains(names, "iat") {
		t.Errorf("got claims %v, want those that rules read", names)
	}
}

// granted2 leaves the event to the caller.
func (s *stand) granted2(t *testing.T, r *http.Request) (size int, seen http.Header) {
	t.Helper()
	w, broken := s.answer(r)
	all := s.backend.Requests()
	if broken || w.Code != 200 || len(all) == 0 {
		t.Fatalf("got %d", w.Code)
	}
	return w.Body.Len(), all[len(all)-1].Header
}

// A stream is told of while it runs, by whoever passes bytes after ten seconds:
// no goroutine waits for it.
func TestALongStreamLeavesTwoEvents(t *testing.T) {
	for name, c := range map[string]struct {
		pause time.Duration
		want  []string
	}{
		"just under ten seconds": {audit.LongStream - time.Second, []string{audit.Decision}},
		"longer":                 {audit.LongStream, []string{audit.Started, audit.Ended}},
	} {
		t.Run(name, func(t *testing.T) {
			var passed atomic.Int64
			s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for i := range 3 {
					if i == 1 {
						passed.Store(int64(c.pause))
					}
					_, _ = io.WriteString(w, "data: x\n\n")
					_ = http.NewResponseController(w).Flush()
				}
			}))
			start := time.Now()
			s.parts.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
			s.Gateway = Compile(s.plan, s.parts)
			w, _ := s.answer(request(t, "GET", "/public/x"))
			for i, kind := range c.want {
				e, line := s.events.next(t)
				if e.Event != kind || e.Code != audit.Granted || !e.Time.Equal(start.UTC()) || (i == len(c.want)-1) != (e.Sent == int64(w.Body.Len())) {
					t.Errorf("got %s, want %s", line, kind)
				}
			}
			s.events.none(t)
		})
	}
}

func TestAReplayByTheHostIsMarked(t *testing.T) {
	s := to(t, scripted(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
	for i, want := range []bool{false, true, true} {
		r := request(t, "GET", "/quick/x")
		s.answer(r.WithContext(pipeline.WithInvocation(r.Context(), "i-1")))
		if e, _ := s.events.next(t); e.Replay != want || e.Code == "granted" {
			t.Errorf("request %d: got replay %v (%s), want %v", i, e.Replay, e.Code, want)
		}
	}
	r := request(t, "GET", "/quick/x")
	s.answer(r.WithContext(pipeline.WithInvocation(r.Context(), "i-2")))
	if e, _ := s.events.next(t); e.Replay {
		t.Error("got another invocation marked as a replay")
	}
}

func TestOnlySoManyBrokenCallsAreRemembered(t *testing.T) {
	var a aborted
	for i := range 3 * remembered {
		a.add(string(rune(i)))
		a.add(string(rune(i)))
	}
	if len(a.ids) > remembered || a.has(string(rune(0))) || !a.has(string(rune(3*remembered-1))) {
		t.Errorf("got %d, want the last %d", len(a.ids), remembered)
	}
}

// secrets is a vault with one secret.
type secrets struct {
	value string
	err   error
}

func (s *secrets) Read(context.Context, contract.SecretRef) (string, error) { return s.value, s.err }

const cloaked = `kind: Gateway
audit: { omit: [path, "claim:roles"], pseudonymise: [user, client, address, "claim:name"] }
clientAddress: { source: host }`

func TestPseudonymsAreStableWithinAVersionAndNeverClear(t *testing.T) {
	s := newStand(t, echo())
	vault := &secrets{value: strings.Repeat("s3cret", 8)}
	s.parts.Secrets = vault
	env := contracts["environments/test.yaml"] + "\nvaults: { main: \"https://v.vault.azure.net\" }\naudit: { pseudonymKey: { vault: main, name: pseudonyms } }\n"
	s.Gateway = Compile(plan(t, "http://"+s.address, "gateway.yaml", strings.Replace(contracts["gateway.yaml"], "kind: Gateway", cloaked, 1), "environments/test.yaml", env), s.parts)
	call := func() audit.Event {
		t.Helper()
		r := request(t, "GET", "/orders/1", bearer(mint(t, reader)), "X-Forwarded-For: 203.0.113.7")
		s.answer(r)
		e, line := s.events.next(t)
		if word, found := holds(line, reader.User, "203.0.113.7", "/orders/1", "s3cret"); found {
			t.Errorf("got %s in clear: %s", word, line)
		}
		return e
	}
	first, second := call(), call()
	if first.User == "" || first.User != second.User || first.Client != second.Client || first.PseudonymKey != second.PseudonymKey || !strings.HasPrefix(first.PseudonymKey, "pseudonyms/") {
		t.Errorf("got %+v and %+v, want the same pseudonyms under a key with a name and a version", first, second)
	}
	for _, c := range first.Claims {
		if c.Name == "oid" && c.Values[0] != first.User || c.Name == "roles" {
			t.Errorf("got the claim %+v, want the user's pseudonym there too, and no roles", c)
		}
	}
	if !slices.Equal(first.Pseudonyms, []string{"user", "client", "address"}) || !slices.Equal(first.Omitted, []string{"path"}) {
		t.Errorf("got %v and %v", first.Pseudonyms, first.Omitted)
	}
	vault.value = strings.Repeat("an0ther", 8)
	if third := call(); third.User == first.User || third.PseudonymKey == first.PseudonymKey {
		t.Errorf("got %s under %s, want others after the secret changed", third.User, third.PseudonymKey)
	}
	for _, bad := range []*secrets{{err: errors.New("the vault is down")}, {value: "short"}} {
		vault.value, vault.err = bad.value, bad.err
		if e := call(); e.User != "" || e.App != "" || e.Client != "" || len(e.Pseudonyms) != 0 || !slices.Contains(e.Omitted, "user") || e.PseudonymKey != "" {
			t.Errorf("got %+v, want what can't be a pseudonym left out and named", e)
		}
	}
}
