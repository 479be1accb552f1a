package telemetry

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

// nowhere is a sink that keeps nothing: the gateway without audit.
type nowhere struct{}

func (nowhere) Reserve() bool                              { return true }
func (nowhere) Record(context.Context, *audit.Event) error { return nil }

// BenchmarkOverhead takes turns, so that a machine whose speed drifts slows all
// alike: CPU time over that of the same gateway without audit and telemetry;
// caller, backend and a collector that reads and forgets are in the same process
// and included. What it costs by itself is reported in µs of CPU.
func BenchmarkOverhead(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = io.WriteString(w, strings.Repeat("x", 200))
	}))
	b.Cleanup(backend.Close)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(collector.Close)
	sampled := func(ratio string) Config {
		c, err := Read(reading(map[string]string{Endpoint: collector.URL, Sampler: "traceidratio", SamplerArg: ratio}))
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	names := []string{"off", "audit", "metrics", "sampled-1%", "every-trace"}
	sides := []side{
		newSide(b, backend.URL, Config{}, nowhere{}), newSide(b, backend.URL, Config{}, audit.NewLines(io.Discard)),
		newSide(b, backend.URL, sampled("0"), audit.NewLines(io.Discard)),
		newSide(b, backend.URL, sampled("0.01"), audit.NewLines(io.Discard)), newSide(b, backend.URL, sampled("1"), audit.NewLines(io.Discard)),
	}
	authorization := bearer(b)
	used, calls := make([]time.Duration, len(sides)), 0
	for b.Loop() {
		for i, s := range sides {
			before := cpu(b)
			for range 50 {
				s.get(b, authorization)
			}
			used[i] += cpu(b) - before
		}
		calls += 50
	}
	b.ReportMetric(0, "ns/op") // of all sides together: nobody's figure
	b.ReportMetric(float64(used[0])/float64(calls)/1000, "off-cpu-µs")
	for i, name := range names[1:] {
		b.ReportMetric(float64(used[i+1])/float64(used[0]), name)
	}
}

type side struct {
	url    string
	client *http.Client
}

func newSide(b *testing.B, backend string, c Config, events audit.Sink) side {
	b.Helper()
	i, err := entra()
	if err != nil {
		b.Fatal(err)
	}
	files := fstest.MapFS{}
	for name, text := range contracts {
		files[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "http://backend.internal:8080", backend))}
	}
	estate, _ := contract.Load(files)
	plan, faults := estate.Plan("test")
	if err := faults.Err(); err != nil {
		b.Fatal(err)
	}
	exports, client := &http.Transport{}, wire.NewClient(time.Now)
	t := New(plan, c, Options{Now: time.Now, Random: rand.Uint64, Transport: exports, Warn: func(s string) { b.Log(s) }, Instance: "i", Build: "v"})
	b.Cleanup(func() {
		_ = t.Close(context.Background())
		if t != nil && t.spans != nil && t.spans.dropped.Load() > 0 {
			b.Errorf("%d spans were dropped: what was measured isn't every trace", t.spans.dropped.Load())
		}
		exports.CloseIdleConnections()
		client.CloseIdleConnections()
	})
	var ids atomic.Int64
	parts := gateway.Parts{
		Now: time.Now, NewID: func() string { return fmt.Sprintf("%032x", ids.Add(1)) }, Keys: fromHandler(i), Events: events, Report: func(err error) { b.Error(err) },
		Backends: t.Backends(func(contract.PlannedAPI) http.RoundTripper { return client }),
	}
	if t != nil {
		parts.Observer = t
	}
	g := gateway.Compile(plan, parts)
	t.Follow(g.State)
	server := wiretest.Start(b, g, g.Unreadable)
	return side{server.URL, server.Client()}
}

func (s side) get(b *testing.B, authorization string) {
	r, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+"/orders/1", nil)
	r.Header["Authorization"] = []string{authorization}
	resp, err := s.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.Fatal(resp.Status)
	}
}

// cpu is what this process has used so far, in user and system mode.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
