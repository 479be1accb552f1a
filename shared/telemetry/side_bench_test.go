package telemetry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tollgate/shared/audit"
)

func BenchmarkOne(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = io.WriteString(w, "x")
	}))
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	for _, ratio := range []string{"0", "1"} {
		b.Run(ratio, func(b *testing.B) {
			c, _ := Read(reading(map[string]string{Endpoint: collector.URL, Sampler: "traceidratio", SamplerArg: ratio}))
			s := newSide(b, backend.URL, c, audit.NewLines(io.Discard))
			a := bearer(b)
			b.ReportAllocs()
			for b.Loop() {
				s.get(b, a)
			}
		})
	}
}
