package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// What a call weighs on its way to the collector; docs/telemetry.md has the figure.
func TestACallIsSmallOnTheWire(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	s := newStand(t, Config{}, Options{Traces: spans}, answering(200))
	for range batch {
		s.ask(t, "GET", "/orders/17", "Authorization: "+bearer(t))
	}
	if err := s.telemetry.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, json := range []bool{false, true} {
		e := encoder{json: json}
		e.traces(spans.GetSpans().Snapshots())
		each := len(e.out) / batch
		t.Logf("JSON %v: %d bytes for a call", json, each)
		if !json && each > 1800 {
			t.Errorf("got %d bytes for a call, want fewer than 1800", each)
		}
	}
}
