package gateway

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/wire/wiretest"
)

// answer200 is a backend on loopback that answers 200 bytes.
func answer200(b *testing.B) string {
	body := strings.Repeat("x", 200)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// BenchmarkPipeline is the whole of it: route, RS256 token with warm keys,
// claims, forward, event. One caller's token comes again and again, as it does.
// Client and backend run in the same process, so the figures mean something
// beside BenchmarkReverseProxy only.
func BenchmarkPipeline(b *testing.B) {
	s := newStand(b, echo())
	s.parts.Events = audit.NewLines(io.Discard)
	run(b, s.wire(b), "/orders/1", "Bearer "+mint(b, reader))
}

// BenchmarkPipelineManyTokens is the same for more callers than are remembered:
// each token is verified in full.
func BenchmarkPipelineManyTokens(b *testing.B) {
	s := newStand(b, echo())
	s.parts.Events = audit.NewLines(io.Discard)
	var tokens []string
	for size := 0; size < 5<<20; size += len(tokens[len(tokens)-1]) { // token.maxCached is 4 MiB
		tokens = append(tokens, "Bearer "+mint(b, reader))
	}
	run(b, s.wire(b), "/orders/1", tokens...)
}

// BenchmarkPublic leaves out the token: what is left is routing, header cleaning, forwarding and the event.
func BenchmarkPublic(b *testing.B) {
	s := newStand(b, echo())
	s.parts.Events = audit.NewLines(io.Discard)
	run(b, s.wire(b), "/public/1", "Bearer "+mint(b, reader))
}

// BenchmarkEvent is the event alone, of a call with a token: made, encoded and written.
func BenchmarkEvent(b *testing.B) {
	s := newStand(b, echo())
	s.parts.Events, s.parts.Now = audit.NewLines(io.Discard), time.Now
	g := Compile(s.plan, s.parts)
	r := request(b, "GET", "/orders/1", bearer(mint(b, reader)))
	c := g.NewCall(r)
	rt, refused := g.route(c)
	if refused != nil || rt.decide(b.Context(), c) != nil {
		b.Fatal(refused)
	}
	c.Outcome.Status, c.Outcome.Backend, c.Outcome.BackendStatus = 200, "backend.example:443", 200
	b.ReportAllocs()
	for b.Loop() {
		v := g.visit(b.Context(), c)
		v.route, v.reserved = rt, g.parts.Events.Reserve()
		v.record(nil)
	}
}

// BenchmarkReverseProxy is the floor: the standard library alone, to the same backend over its own transport.
func BenchmarkReverseProxy(b *testing.B) {
	run(b, bareProxy(b, answer200(b)), "/orders/1", "Bearer "+mint(b, reader))
}

func bareProxy(b *testing.B, address string) front {
	target, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	return netHTTP(b, &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport, ErrorLog: log.New(io.Discard, "", 0),
	})
}

// BenchmarkAgainstReverseProxy takes turns, so that a machine whose speed drifts
// slows all alike: each figure is CPU time over the bare proxy's, client and
// backend included in both. The gateway as it is deployed, and with net/http's
// server, client or both in place of our own.
func BenchmarkAgainstReverseProxy(b *testing.B) {
	authorization, sides := "Bearer "+mint(b, reader), []front{bareProxy(b, answer200(b))}
	names := []string{"gateway", "net/http-server", "net/http-client", "net/http-both"}
	for i := range names {
		s := newStand(b, echo())
		s.parts.Events = audit.NewLines(io.Discard)
		if i >= 2 {
			transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
			b.Cleanup(transport.CloseIdleConnections)
			s.parts.Backends = over(transport)
		}
		if i%2 == 0 {
			sides = append(sides, s.wire(b))
		} else {
			sides = append(sides, netHTTP(b, Compile(plan(b, answer200(b)), s.parts)))
		}
	}
	used := make([]time.Duration, len(sides))
	for b.Loop() {
		for i, f := range sides {
			before := cpu(b)
			for range 20 {
				f.get(b, "/orders/1", authorization)
			}
			used[i] += cpu(b) - before
		}
	}
	b.ReportMetric(0, "ns/op") // of all sides together: nobody's figure
	for i, name := range names {
		b.ReportMetric(float64(used[i+1])/float64(used[0]), name)
	}
}

// front is a server and a client for it.
type front struct {
	url    string
	client *http.Client
}

// wire puts the compiled gateway behind the server that it has in a deployment.
func (s *stand) wire(b *testing.B) front {
	g := Compile(plan(b, answer200(b)), s.parts)
	server := wiretest.Start(b, g, g.Unreadable)
	return front{server.URL, server.Client()}
}

func netHTTP(b *testing.B, h http.Handler) front {
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	return front{server.URL, server.Client()}
}

// get makes one call.
func (f front) get(b *testing.B, path, authorization string) {
	r, _ := http.NewRequestWithContext(b.Context(), "GET", f.url+path, nil)
	r.Header["Authorization"] = []string{authorization}
	resp, err := f.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || n != 200 || err != nil {
		b.Fatalf("got status %d and %d bytes (%v), want 200 and 200", resp.StatusCode, n, err)
	}
}

// run sends requests over loopback, one after another, and reports CPU for each besides time.
func run(b *testing.B, f front, path string, authorization ...string) {
	f.get(b, path, authorization[0]) // keys and connections are warm from here on
	b.ReportAllocs()
	before, calls := cpu(b), 0
	for b.Loop() {
		f.get(b, path, authorization[calls%len(authorization)])
		calls++
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/float64(time.Microsecond), "cpu-µs/op")
}

// cpu is what this process has used so far, in user and system mode.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
