package telemetry

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	metricspb "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metricdata "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	spandata "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// sink is a collector that reads with protobuf's own library, strictly.
type sink struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*spandata.Span
	metrics map[string]*metricdata.Metric // as they were told last
	posts   int
	header  http.Header
	faults  []string
	answer  func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

func newSink(t testing.TB) *sink {
	s := &sink{metrics: map[string]*metricdata.Metric{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		if len(s.faults) > 0 {
			t.Error(s.faults)
		}
	})
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.posts++
	s.header = r.Header.Clone()
	answer := s.answer
	s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if answer != nil && answer(w, r) {
		return
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		err = s.take(r, body)
	}
	if err != nil {
		s.faults = append(s.faults, err.Error())
		w.WriteHeader(400)
	}
}

func (s *sink) take(r *http.Request, body []byte) error {
	read := func(m proto.Message) error {
		if r.Header.Get("Content-Type") == "application/json" {
			return protojson.Unmarshal(base64IDs(body), m)
		}
		return proto.Unmarshal(body, m)
	}
	if strings.HasSuffix(r.URL.Path, "/v1/metrics") {
		var in metricspb.ExportMetricsServiceRequest
		err := read(&in)
		for _, rm := range in.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					s.metrics[m.Name] = m
					for _, key := range keysOf(m) {
						if !slices.Contains(known()[m.Name], attribute.Key(key)) {
							s.faults = append(s.faults, m.Name+" has the attribute "+key)
						}
					}
				}
			}
		}
		return err
	}
	var in tracepb.ExportTraceServiceRequest
	err := read(&in)
	for _, rs := range in.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			s.spans = append(s.spans, ss.Spans...)
		}
	}
	return err
}

// base64IDs: OTLP writes ids in hexadecimal, protobuf's library reads base64.
func base64IDs(body []byte) []byte {
	var all any
	if json.Unmarshal(body, &all) != nil {
		return body
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for name, item := range v {
				if text, ok := item.(string); ok && (name == "traceId" || name == "spanId" || name == "parentSpanId") {
					raw, _ := hex.DecodeString(text)
					v[name] = raw // which json writes in base64
				}
				walk(item)
			}
		}
	}
	walk(all)
	out, _ := json.Marshal(all)
	return out
}

func keysOf(m *metricdata.Metric) (out []string) {
	var attrs []*common.KeyValue
	for _, p := range m.GetHistogram().GetDataPoints() {
		attrs = append(attrs, p.Attributes...)
	}
	for _, p := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
		attrs = append(attrs, p.Attributes...)
	}
	for _, a := range attrs {
		out = append(out, a.Key)
	}
	return out
}

func said(attrs []*common.KeyValue, key string) string {
	for _, a := range attrs {
		if a.Key == key {
			if n, ok := a.Value.Value.(*common.AnyValue_IntValue); ok {
				return protojson.Format(&common.AnyValue{Value: n})
			}
			return a.Value.GetStringValue()
		}
	}
	return ""
}

func (s *sink) count() (spans, posts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.spans), s.posts
}
