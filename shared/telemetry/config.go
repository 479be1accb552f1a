package telemetry

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The standard variables that are read. The names and what they mean are
// OpenTelemetry's ("Environment Variable Specification", "OTLP Exporter
// Configuration"), so that whoever knows another service's knows this one's.
const (
	Endpoint        = "OTEL_EXPORTER_OTLP_ENDPOINT"
	TracesEndpoint  = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	Headers         = "OTEL_EXPORTER_OTLP_HEADERS"
	Protocol        = "OTEL_EXPORTER_OTLP_PROTOCOL"
	Timeout         = "OTEL_EXPORTER_OTLP_TIMEOUT"
	Compression     = "OTEL_EXPORTER_OTLP_COMPRESSION"
	Temporality     = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
	Interval        = "OTEL_METRIC_EXPORT_INTERVAL"
	TracesExporter  = "OTEL_TRACES_EXPORTER"
	MetricsExporter = "OTEL_METRICS_EXPORTER"
	Sampler         = "OTEL_TRACES_SAMPLER"
	SamplerArg      = "OTEL_TRACES_SAMPLER_ARG"
	ServiceName     = "OTEL_SERVICE_NAME"
	Resource        = "OTEL_RESOURCE_ATTRIBUTES"
)

// Config is what the variables say.
type Config struct {
	Traces, Metrics string // addresses; "": that signal isn't built
	Header          http.Header
	JSON            bool // or else protobuf
	Gzip            bool
	Timeout         time.Duration // of one export
	Delta           bool          // counts since the last export, rather than since the start
	Interval        time.Duration // between exports of metrics
	Service         string        // "" for the gateway's own name
	Resource        map[string]string
	sampler         sdktrace.Sampler
}

// On tells whether anything is to be built.
func (c Config) On() bool { return c.Traces != "" || c.Metrics != "" }

// Read reads the variables. A bad one counts as not set, and is told: the
// specification asks for that, and a gateway must not stay away because nobody
// can watch it.
func Read(getenv func(string) string) (c Config, faults error) {
	r := reader{getenv: func(name string) string { return strings.TrimSpace(getenv(name)) }}
	c = Config{
		Traces: r.address(TracesEndpoint, "/v1/traces", TracesExporter), Metrics: r.address(MetricsEndpoint, "/v1/metrics", MetricsExporter),
		Header: r.headers(), JSON: r.choice(Protocol, "http/protobuf", "http/json") == "http/json", Gzip: r.choice(Compression, "none", "gzip") == "gzip",
		Timeout: r.millis(Timeout, 10*time.Second), Interval: r.millis(Interval, time.Minute), Service: r.getenv(ServiceName),
		Delta: r.choice(Temporality, "cumulative", "delta", "lowmemory") != "cumulative", Resource: r.pairs(Resource), sampler: r.sampler(),
	}
	return c, errors.Join(r.faults...)
}

type reader struct {
	getenv func(string) string
	faults []error
}

func (r *reader) bad(name, why string) {
	r.faults = append(r.faults, fmt.Errorf("%s is ignored: %s", name, why)) // its value may be a secret
}

// address is a signal's: its own, taken as it is, or the one for all with the signal's path.
func (r *reader) address(own, path, exporter string) string {
	if r.choice(exporter, "otlp", "none") == "none" {
		return ""
	}
	name, s := own, r.getenv(own)
	if s == "" {
		if name, s = Endpoint, r.getenv(Endpoint); s == "" {
			return ""
		}
		s = strings.TrimSuffix(s, "/") + path
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		r.bad(name, "it is not an http or https address")
		return ""
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		r.bad(name, "it holds credentials, a query or a fragment; use "+Headers)
		return ""
	}
	return s
}

// choice is one of the values; the first is the default.
func (r *reader) choice(name string, values ...string) string {
	said := strings.ToLower(r.getenv(name))
	for _, v := range values {
		if said == v {
			return v
		}
	}
	if said != "" {
		r.bad(name, "it is none of "+strings.Join(values, ", "))
	}
	return values[0]
}

func (r *reader) millis(name string, otherwise time.Duration) time.Duration {
	said := r.getenv(name)
	if said == "" {
		return otherwise
	}
	n, err := strconv.Atoi(said)
	if err != nil || n < 1 || n > 3_600_000 {
		r.bad(name, "it is not a number of milliseconds from 1 to 3600000")
		return otherwise
	}
	return time.Duration(n) * time.Millisecond
}

// pairs reads name=value,name=value with percent encoding (W3C Baggage).
func (r *reader) pairs(name string) map[string]string {
	said, out := r.getenv(name), map[string]string{}
	if said == "" {
		return out
	}
	for pair := range strings.SplitSeq(said, ",") {
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !ok || key == "" || err != nil {
			r.bad(name, "it is not name=value,name=value")
			return map[string]string{}
		}
		out[key] = value
	}
	return out
}

func (r *reader) headers() http.Header {
	h := http.Header{}
	for name, value := range r.pairs(Headers) {
		if strings.ContainsFunc(name+value, func(c rune) bool { return c < 0x20 || c > 0x7e }) {
			r.bad(Headers, "it holds what no header may")
			continue
		}
		h.Set(name, value)
	}
	return h
}

func (r *reader) sampler() sdktrace.Sampler {
	name := r.choice(Sampler, "parentbased_always_on", "always_on", "always_off", "traceidratio", "parentbased_always_off", "parentbased_traceidratio")
	kind, parent := strings.CutPrefix(name, "parentbased_")
	s := sdktrace.AlwaysSample()
	switch kind {
	case "always_off":
		s = sdktrace.NeverSample()
	case "traceidratio":
		s = sdktrace.TraceIDRatioBased(r.ratio())
	}
	if parent {
		s = sdktrace.ParentBased(s)
	}
	return s
}

func (r *reader) ratio() float64 {
	said := r.getenv(SamplerArg)
	if said == "" {
		return 1
	}
	f, err := strconv.ParseFloat(said, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		r.bad(SamplerArg, "it is not a number from 0 to 1")
		return 1
	}
	return f
}
