package telemetry

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func reading(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestTheVariablesMeanWhatTheSpecificationSays(t *testing.T) {
	for name, c := range map[string]struct {
		in              map[string]string
		traces, metrics string
	}{
		"nothing":     {nil, "", ""},
		"for all":     {map[string]string{Endpoint: "http://c:4318"}, "http://c:4318/v1/traces", "http://c:4318/v1/metrics"},
		"with a path": {map[string]string{Endpoint: "https://c/otlp/"}, "https://c/otlp/v1/traces", "https://c/otlp/v1/metrics"},
		"one's own":   {map[string]string{TracesEndpoint: "https://t/as/it/is"}, "https://t/as/it/is", ""},
		"both":        {map[string]string{Endpoint: "http://c", MetricsEndpoint: "http://m/"}, "http://c/v1/traces", "http://m/"},
		"none":        {map[string]string{Endpoint: "http://c", TracesExporter: "none"}, "", "http://c/v1/metrics"},
	} {
		got, err := Read(reading(c.in))
		if err != nil || got.Traces != c.traces || got.Metrics != c.metrics {
			t.Errorf("%s: got %q, %q (%v), want %q, %q", name, got.Traces, got.Metrics, err, c.traces, c.metrics)
		}
	}
	got, err := Read(reading(map[string]string{
		Headers: "api-key=s%20e, b = c ", Protocol: "HTTP/JSON", Timeout: "250", Compression: "gzip", Temporality: "delta", Interval: "5000", ServiceName: "n", Resource: "a=b,c=d%2Ce",
	}))
	if err != nil || got.Header.Get("Api-Key") != "s e" || got.Header.Get("B") != "c" || !got.JSON || !got.Gzip || !got.Delta || got.Timeout != 250*time.Millisecond || got.Interval != 5*time.Second ||
		got.Service != "n" || !maps.Equal(got.Resource, map[string]string{"a": "b", "c": "d,e"}) {
		t.Errorf("got %+v (%v)", got, err)
	}
}

// A fault is told by the variable's name alone: its value may be a secret.
func TestABadVariableCountsAsNotSetAndIsTold(t *testing.T) {
	for name, value := range map[string]string{
		Endpoint: "c:4318secret", TracesEndpoint: "ftp://secret", MetricsEndpoint: "https://u:secret@c/", Headers: "secret", Protocol: "grpcsecret", Timeout: "1ssecret", Compression: "secret",
		Temporality: "secret", Interval: "-1", TracesExporter: "secret", MetricsExporter: "secret", Sampler: "secret", SamplerArg: "2", Resource: "secret",
	} {
		in := map[string]string{name: value}
		if name == SamplerArg {
			in[Sampler] = "traceidratio"
		}
		got, err := Read(reading(in))
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "secret") || got.On() {
			t.Errorf("%s=%s: got %+v (%v), want it ignored, told, and not repeated", name, value, got, err)
		}
	}
}
