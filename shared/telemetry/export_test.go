package telemetry

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	spandata "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

func exporting(t *testing.T, s *sink, more ...string) Config {
	return read(t, append([]string{Endpoint, s.URL + "/", Headers, "x-key=a%20b,other=1"}, more...)...)
}

func TestACollectorReceivesTheTreeAndTheMetrics(t *testing.T) {
	for name, more := range map[string][]string{
		"protobuf": nil, "json": {Protocol, "http/json"}, "gzip": {Compression, "gzip"}, "json, gzip": {Protocol, "http/json", Compression, "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := newSink(t)
			stand := newStand(t, exporting(t, sink, more...), Options{Transport: &http.Transport{DisableKeepAlives: true}}, answering(200))
			stand.ask(t, "GET", "/orders/1", "Authorization: "+bearer(t), "Traceparent: 00-"+traceID+"-"+parentID+"-01", "Tracestate: a=1")
			stand.ask(t, "GET", "/orders/1")
			stand.ask(t, "GET", "/nowhere\x01\"é")
			if err := stand.telemetry.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sink.header.Get("X-Key") != "a b" || sink.header.Get("Other") != "1" {
				t.Errorf("got the headers %v, want those of the variable", sink.header)
			}
			wantTree(t, sink.spans)
			wantMetrics(t, sink)
		})
	}
}

func wantTree(t *testing.T, all []*spandata.Span) {
	t.Helper()
	byName := map[string]*spandata.Span{}
	for _, s := range all {
		if string(s.TraceId) == string(hexed(traceID)) {
			byName[s.Name] = s
		}
	}
	server, client := byName["GET /orders/{id}"], byName["GET"]
	if len(all) != 7+2+1 || server == nil || client == nil || byName["stage token"] == nil {
		t.Fatalf("got %d spans (%v), want the whole tree", len(all), byName)
	}
	if string(server.ParentSpanId) != string(hexed(parentID)) || string(client.ParentSpanId) != string(server.SpanId) || server.Kind != spandata.Span_SPAN_KIND_SERVER || client.Kind != spandata.Span_SPAN_KIND_CLIENT {
		t.Errorf("got %v and %v", server, client)
	}
	if server.TraceState != "a=1" || server.Flags != 0x301 || said(server.Attributes, "http.route") != "/orders/{id}" || !strings.Contains(said(server.Attributes, "http.response.status_code"), "200") {
		t.Errorf("got %v", server)
	}
	if server.EndTimeUnixNano < server.StartTimeUnixNano || time.Since(time.Unix(0, int64(server.StartTimeUnixNano))) > time.Hour {
		t.Errorf("got times %d to %d", server.StartTimeUnixNano, server.EndTimeUnixNano)
	}
}

func hexed(s string) []byte {
	if len(s) == 16 {
		id := spanIDOf(s)
		return id[:]
	}
	id := traceIDOf(parsed(s))
	return id[:]
}

func wantMetrics(t *testing.T, s *sink) {
	t.Helper()
	duration := s.metrics["http.server.request.duration"].GetHistogram()
	if duration == nil || len(duration.DataPoints) != 3 || duration.DataPoints[0].Count != 1 || len(duration.DataPoints[0].BucketCounts) != 15 || len(duration.DataPoints[0].ExplicitBounds) != 14 || duration.DataPoints[0].GetSum() <= 0 {
		t.Fatalf("got %v, want three series of one call each", duration)
	}
	codes := map[string]string{}
	for _, p := range s.metrics["tollgate.decisions"].GetSum().GetDataPoints() {
		codes[said(p.Attributes, "tollgate.code")] = said(p.Attributes, "tollgate.api") + "." + said(p.Attributes, "tollgate.operation")
	}
	if codes["granted"] != "orders.get" || codes["token_missing"] != "orders.get" || codes["path_not_canonical"] != "other.other" || len(codes) != 3 {
		t.Errorf("got decisions %v", codes)
	}
	for _, name := range []string{"http.client.request.duration", "tollgate.keyset.age", "tollgate.token.cache", "tollgate.audit.lost", "tollgate.telemetry.spans.dropped"} {
		if s.metrics[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

// faulty is a stand in front of a sink that answers as it is told.
func faulty(t *testing.T, answer func(http.ResponseWriter, *http.Request) bool) (*stand, *sink, *clock, chan string) {
	t.Helper()
	sink, at, warned := newSink(t), &clock{}, make(chan string, 16)
	sink.answer = answer
	stand := newStand(t, exporting(t, sink, MetricsExporter, "none", Timeout, "200"), Options{
		Transport: &http.Transport{DisableKeepAlives: true}, Now: at.now, Warn: func(s string) { warned <- s }}, answering(200))
	return stand, sink, at, warned
}

func TestWhatACollectorMayTakeLaterIsKeptForIt(t *testing.T) {
	refuse := true
	stand, sink, _, warned := faulty(t, func(w http.ResponseWriter, _ *http.Request) bool {
		if refuse {
			w.WriteHeader(503)
		}
		return refuse
	})
	stand.ask(t, "GET", "/orders/open/x")
	if err := stand.telemetry.Flush(t.Context()); err == nil {
		t.Error("got no error, want 503")
	}
	refuse = false
	if err := stand.telemetry.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if n, _ := sink.count(); n != 2 || stand.telemetry.spans.dropped.Load() != 0 {
		t.Errorf("got %d spans and %d dropped, want all", n, stand.telemetry.spans.dropped.Load())
	}
	if first, second := <-warned, <-warned; !strings.Contains(first, "503") || !strings.Contains(second, "again") {
		t.Errorf("got %q and %q, want one line for the outage and one for its end", first, second)
	}
}

func TestWhatItWillNeverTakeIsDroppedAndCounted(t *testing.T) {
	stand, _, _, _ := faulty(t, func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(400); return true })
	stand.ask(t, "GET", "/orders/open/x")
	_ = stand.telemetry.Flush(t.Context())
	if n := stand.telemetry.spans.dropped.Load(); n != 2 {
		t.Errorf("got %d dropped, want 2", n)
	}
}

// A collector that takes a request and never answers holds nobody up, and what
// waits for it is bounded.
func TestADeadCollectorCostsNoCall(t *testing.T) {
	release := make(chan struct{})
	stand, sink, _, _ := faulty(t, func(http.ResponseWriter, *http.Request) bool { <-release; return true })
	defer close(release)
	began := time.Now()
	for range 6000 {
		if w := stand.ask(t, "GET", "/orders/open/x"); w.Code != 200 {
			t.Fatal(w.Code)
		}
	}
	if took := time.Since(began); took > patience {
		t.Errorf("6000 calls took %v", took)
	}
	b := stand.telemetry.spans
	b.mu.Lock()
	waiting := len(b.calls)
	b.mu.Unlock()
	if waiting > places || 2*waiting+int(b.dropped.Load())+2*batch < 12000 {
		t.Errorf("got %d calls waiting and %d spans dropped of 12000, want at most %d and all others counted", waiting, b.dropped.Load(), places)
	}
	if _, posts := sink.count(); posts > 3 {
		t.Errorf("got %d exports, want one at a time, and pauses", posts)
	}
}

// Frozen: nothing runs between two calls. The call that comes after finds what is old.
func TestTheCallAfterAFreezeExportsWhatWaits(t *testing.T) {
	stand, sink, at, _ := faulty(t, nil)
	stand.ask(t, "GET", "/orders/open/x")
	if n, _ := sink.count(); n != 0 {
		t.Fatalf("got %d spans, want them kept: the batch is neither full nor old", n)
	}
	at.pass(time.Hour)
	stand.ask(t, "GET", "/orders/open/x")
	arrived(t, sink, 2)
}

func TestAFullBatchIsExportedAtOnce(t *testing.T) {
	stand, sink, _, _ := faulty(t, nil)
	for range batch {
		stand.ask(t, "GET", "/orders/open/x")
	}
	arrived(t, sink, 2*batch)
}

func arrived(t *testing.T, s *sink, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got, _ := s.count()
		if got >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %d spans, want %d", got, n)
		}
		runtimeGosched()
	}
}

func TestMetricsAreExportedByTheCallThatFindsThatItIsTime(t *testing.T) {
	sink, at := newSink(t), &clock{}
	stand := newStand(t, exporting(t, sink, TracesExporter, "none"), Options{Transport: &http.Transport{DisableKeepAlives: true}, Now: at.now}, answering(200))
	stand.ask(t, "GET", "/orders/open/x")
	if _, posts := sink.count(); posts != 0 {
		t.Errorf("got %d exports within the interval, want none", posts)
	}
	at.pass(time.Minute)
	stand.ask(t, "GET", "/orders/open/x")
	for deadline := time.Now().Add(patience); ; runtimeGosched() {
		if _, posts := sink.count(); posts > 0 || time.Now().After(deadline) {
			break
		}
	}
	_ = stand.telemetry.Flush(context.Background())
	if n := sink.metrics["tollgate.decisions"].GetSum().GetDataPoints()[0].GetAsInt(); n != 2 {
		t.Errorf("got %d calls, want 2", n)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	other := newSink(t)
	stand, _, _, _ := faulty(t, func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		return true
	})
	stand.ask(t, "GET", "/orders/open/x")
	_ = stand.telemetry.Flush(t.Context())
	if _, posts := other.count(); posts != 0 {
		t.Error("the headers went to another host")
	}
}
