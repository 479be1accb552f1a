package telemetry

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	metricdata "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
)

// Whatever callers and a backend send, the series are those of the contract.
func TestACardinalityAttackMakesNoSeries(t *testing.T) {
	sink := newSink(t)
	chance := rand.New(rand.NewPCG(1, 2))
	stand := newStand(t, exporting(t, sink, Sampler, "always_off"), Options{Transport: &http.Transport{DisableKeepAlives: true}}, func(r *http.Request) (*http.Response, error) {
		return answering(200 + chance.IntN(800))(r)
	})
	for i := range 10_000 {
		method, path := fmt.Sprintf("M%d", i), fmt.Sprintf("/p%d/%d", i, chance.Int())
		if i%2 == 0 {
			method, path = "GET", "/orders/open/"+path[1:]
		}
		r := fmt.Sprintf("Host: h%d.example", i)
		stand.ask(t, method, path, r, fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i%256), fmt.Sprintf("Authorization: Bearer %d", i))
	}
	if err := stand.telemetry.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := 0
	for name, m := range sink.metrics {
		n := max(len(m.GetHistogram().GetDataPoints()), len(m.GetSum().GetDataPoints()), len(m.GetGauge().GetDataPoints()))
		total += n
		if n > 120 { // every registered status from 200 on; of a client, 400 and above with an error besides
			t.Errorf("%s has %d series", name, n)
		}
		for _, text := range values(m) {
			if strings.Contains(text, "p1") || strings.HasPrefix(text, "M") || strings.Contains(text, "203.0.113") || strings.Contains(text, "h1") {
				t.Errorf("%s has a series %q, which a caller chose", name, text)
			}
		}
	}
	if len(stand.heard) != 5000 {
		t.Fatalf("got %d calls at the backend, want half of them", len(stand.heard))
	}
	t.Logf("10,000 calls, every one different: %d series", total)
	if n := sink.metrics["tollgate.decisions"].GetSum().GetDataPoints(); len(n) > 4 {
		t.Errorf("got %d series of decisions, want those of an operation and of no route", len(n))
	}
}

func values(m *metricdata.Metric) (out []string) {
	for _, p := range m.GetHistogram().GetDataPoints() {
		for _, a := range p.Attributes {
			out = append(out, a.Value.GetStringValue())
		}
	}
	for _, p := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
		for _, a := range p.Attributes {
			out = append(out, a.Value.GetStringValue())
		}
	}
	return out
}

// What isn't named in known is dropped.
func TestNothingElseIsMeasured(t *testing.T) {
	view := views()[0]
	if s, ok := view(instrument("anything.else")); !ok || fmt.Sprintf("%T", s.Aggregation) != "metric.AggregationDrop" {
		t.Errorf("got %+v, want it dropped", s)
	}
}

func TestNamesAreBounded(t *testing.T) {
	n := namesOf(planned(t))
	if n.code("anything") != otherName || n.route("orders", "nothing") != "" || methodOf("get") != otherMethod {
		t.Error("a name that isn't known must become other")
	}
	for in, want := range map[int]int{0: 0, 200: 200, 299: 200, 418: 418, 499: 400, 599: 500, 999: 500, 42: 500} {
		if got := statusOf(in); got != want {
			t.Errorf("status %d: got %d, want %d", in, got, want)
		}
	}
}
