package telemetry

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tollgate/shared/wire"
)

// inMemory is a stand whose spans can be read.
func inMemory(t *testing.T, c Config, backend transport) (*stand, func() tracetest.SpanStubs) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	s := newStand(t, c, Options{Traces: spans}, backend)
	return s, func() tracetest.SpanStubs {
		if err := s.telemetry.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		return spans.GetSpans()
	}
}

func attr(s tracetest.SpanStub, key string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.Emit()
		}
	}
	return ""
}

func ofKind(all tracetest.SpanStubs, kind trace.SpanKind) (out tracetest.SpanStubs) {
	for _, s := range all {
		if s.SpanKind == kind {
			out = append(out, s)
		}
	}
	return out
}

func TestAGrantedCallIsATreeOfItsStagesAndItsBackend(t *testing.T) {
	s, spans := inMemory(t, Config{}, answering(200))
	if w := s.ask(t, "GET", "/orders/17?code=secret", "Authorization: "+bearer(t)); w.Code != 200 {
		t.Fatalf("got status %d: %s", w.Code, w.Body)
	}
	all := spans()
	servers, clients := ofKind(all, trace.SpanKindServer), ofKind(all, trace.SpanKindClient)
	if len(servers) != 1 || len(clients) != 1 {
		t.Fatalf("got %d server and %d client spans, want one each", len(servers), len(clients))
	}
	server := servers[0]
	var stages []string
	for _, span := range all {
		if span.SpanContext.TraceID() != server.SpanContext.TraceID() || span.EndTime.Before(span.StartTime) {
			t.Errorf("%s is of another trace, or ends before it begins", span.Name)
		}
		if stage, ok := strings.CutPrefix(span.Name, "stage "); ok {
			stages = append(stages, stage)
			if span.Parent.SpanID() != server.SpanContext.SpanID() || attr(span, "tollgate.verdict") != "granted" {
				t.Errorf("stage %s: got parent %s and %v, want the server span and a grant", stage, span.Parent.SpanID(), span.Attributes)
			}
		}
	}
	if want := []string{"token", "callers", "allow", "require", "forward"}; !slices.Equal(stages, want) {
		t.Errorf("got the stages %v, want %v", stages, want)
	}
	for key, want := range map[string]string{"http.request.method": "GET", "http.route": "/orders/{id}", "url.path": "/orders/17", "http.response.status_code": "200", "server.address": "api.example", "tollgate.api": "orders", "tollgate.operation": "get", "tollgate.code": "granted"} {
		if got := attr(server, key); got != want {
			t.Errorf("server span: got %s %q, want %q", key, got, want)
		}
	}
	if server.Name != "GET /orders/{id}" || server.Status.Code != codes.Unset {
		t.Errorf("got %q with status %v", server.Name, server.Status)
	}
	for key, want := range map[string]string{"server.address": "backend.internal", "server.port": "8080", "http.response.status_code": "200", "url.scheme": "http"} {
		if got := attr(clients[0], key); got != want {
			t.Errorf("client span: got %s %q, want %q", key, got, want)
		}
	}
	e := s.event(t)
	if e.Trace != server.SpanContext.TraceID().String() || e.Span != server.SpanContext.SpanID().String() {
		t.Errorf("got %s %s in the event, want the server span's", e.Trace, e.Span)
	}
	if got, want := s.heard[0].Get("Traceparent"), "00-"+e.Trace+"-"+clients[0].SpanContext.SpanID().String()+"-01"; got != want {
		t.Errorf("the backend heard %s, want the client span %s", got, want)
	}
}

func TestNoSpanHoldsWhatIsSecret(t *testing.T) {
	s, spans := inMemory(t, Config{}, answering(200))
	token := bearer(t)
	s.ask(t, "GET", "/orders/17?code=topsecret", "Authorization: "+token, "X-Functions-Key: topsecret", "Cookie: topsecret")
	for _, span := range spans() {
		for _, a := range span.Attributes {
			if v := a.Value.Emit(); strings.Contains(v, "topsecret") || strings.Contains(v, token[40:]) || strings.Contains(v, "0badf00d") {
				t.Errorf("%s has %s %q", span.Name, a.Key, v)
			}
		}
	}
}

func TestARefusalStandsOnItsStageWithCodeAndRule(t *testing.T) {
	s, spans := inMemory(t, Config{}, answering(200))
	s.ask(t, "GET", "/orders/17")
	all := spans()
	at := slices.IndexFunc(all, func(s tracetest.SpanStub) bool { return s.Name == "stage token" })
	if at < 0 || len(all) != 2 {
		t.Fatalf("got %d spans, want the server's and one stage's", len(all))
	}
	if attr(all[at], "tollgate.code") != "token_missing" || attr(all[at], "tollgate.verdict") != "refused" || all[at].Status.Code == codes.Error {
		t.Errorf("got %v, %v, want token_missing, and no error of the gateway's", all[at].Attributes, all[at].Status)
	}
	if server := ofKind(all, trace.SpanKindServer)[0]; server.Status.Code == codes.Error || attr(server, "http.response.status_code") != "401" {
		t.Errorf("got %v, want 401 and no error: it is the caller's", server.Status)
	}
}

func TestEachTryIsASpanOfItsOwn(t *testing.T) {
	tries := 0
	s, spans := inMemory(t, Config{}, func(r *http.Request) (*http.Response, error) {
		if tries++; tries == 1 {
			return nil, wire.NotSent(errors.New("refused"))
		}
		return answering(200)(r)
	})
	s.ask(t, "GET", "/orders/open/x")
	clients := ofKind(spans(), trace.SpanKindClient)
	if len(clients) != 2 || attr(clients[0], "error.type") != "not_sent" || attr(clients[1], "http.request.resend_count") != "1" || attr(clients[0], "http.request.resend_count") != "" {
		t.Fatalf("got %d client spans, want a failed one and a second", len(clients))
	}
	for i, c := range clients {
		if !strings.Contains(s.heard[i].Get("Traceparent"), c.SpanContext.SpanID().String()) {
			t.Errorf("try %d: the backend heard %s", i, s.heard[i].Get("Traceparent"))
		}
	}
}

func TestABackendThatFailsIsTheGatewaysError(t *testing.T) {
	s, spans := inMemory(t, Config{}, func(*http.Request) (*http.Response, error) { return nil, errors.New("broken") })
	s.ask(t, "POST", "/orders/open/x")
	all := spans()
	server, client := ofKind(all, trace.SpanKindServer)[0], ofKind(all, trace.SpanKindClient)[0]
	if server.Status.Code != codes.Error || attr(server, "error.type") != "backend_unreachable" || client.Status.Code != codes.Error || attr(client, "error.type") != "other" {
		t.Errorf("got %v %v and %v %v", server.Status, server.Attributes, client.Status, client.Attributes)
	}
}

// read is the configuration of variables.
func read(t *testing.T, pairs ...string) Config {
	t.Helper()
	c, err := Read(func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheTraceContinuesFromCallerToBackendByteByByte(t *testing.T) {
	const state = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7, x@y=a b"
	for name, c := range map[string]struct {
		sampler, arg, in string
		sampled          bool
	}{
		"sampled by the caller":         {"", "", "01", true},
		"not sampled by the caller":     {"", "", "00", false},
		"no caller, always":             {"parentbased_always_on", "", "", true},
		"no caller, never":              {"parentbased_always_off", "", "", false},
		"the caller's word counts less": {"always_on", "", "00", true},
		"ratio 0 under a parent":        {"parentbased_traceidratio", "0", "01", true},
		"ratio 0":                       {"traceidratio", "0", "01", false},
		"ratio 1":                       {"traceidratio", "1", "00", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, spans := inMemory(t, read(t, Sampler, c.sampler, SamplerArg, c.arg), answering(200))
			var header []string
			if c.in != "" {
				header = []string{"Traceparent: 00-" + traceID + "-" + parentID + "-" + c.in, "Tracestate: " + state}
			}
			s.ask(t, "GET", "/orders/open/x", header...)
			all, e := spans(), s.event(t)
			span, flags := e.Span, "-00"
			if c.sampled {
				span, flags = ofKind(all, trace.SpanKindClient)[0].SpanContext.SpanID().String(), "-01"
				server := ofKind(all, trace.SpanKindServer)[0]
				if c.in != "" && (server.Parent.SpanID().String() != parentID || !server.Parent.IsRemote()) || server.SpanContext.SpanID().String() != e.Span {
					t.Errorf("got parent %s of the server span %s, want the caller's, and the event's %s", server.Parent.SpanID(), server.SpanContext.SpanID(), e.Span)
				}
			} else if len(all) > 0 {
				t.Errorf("got %d spans of a call that isn't sampled", len(all))
			}
			if got, want := s.heard[0].Get("Traceparent"), "00-"+e.Trace+"-"+span+flags; got != want {
				t.Errorf("the backend heard %s, want %s", got, want)
			}
			if c.in != "" && (e.Trace != traceID || s.heard[0].Get("Tracestate") != state) {
				t.Errorf("got the trace %s and the state %q, want the caller's", e.Trace, s.heard[0].Get("Tracestate"))
			}
		})
	}
}

func TestWithoutAnAddressNothingIsBuilt(t *testing.T) {
	s := newStand(t, read(t), Options{}, answering(200))
	if s.telemetry != nil {
		t.Fatal("got telemetry, want none")
	}
	s.ask(t, "GET", "/orders/open/x", "Traceparent: 00-"+traceID+"-"+parentID+"-01")
	if e := s.event(t); s.heard[0].Get("Traceparent") != "00-"+traceID+"-"+e.Span+"-01" {
		t.Errorf("the backend heard %s, want the event's step, and the caller's flag as it was", s.heard[0].Get("Traceparent"))
	}
}
