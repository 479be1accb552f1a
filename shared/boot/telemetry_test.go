package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/shared/gateway"
	"tollgate/shared/telemetry"
)

// collector keeps what is posted to it, as JSON.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string][]byte
	got    chan string // paths
}

func newCollector(t *testing.T) *collector {
	c := &collector{bodies: map[string][]byte{}, got: make(chan string, 1024)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !json.Valid(body) {
			t.Errorf("got %q (%v), want JSON", body, err)
		}
		c.mu.Lock()
		c.bodies[r.URL.Path] = append(c.bodies[r.URL.Path], body...)
		c.mu.Unlock()
		c.got <- r.URL.Path
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) text(path string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.bodies[path])
}

func (c *collector) wait(t *testing.T, path string) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case got := <-c.got:
			if got == path {
				return
			}
		case <-deadline:
			t.Fatalf("nothing was posted to %s", path)
		}
	}
}

func backend(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	t.Cleanup(s.Close)
	return s.URL
}

func TestAStopExportsWhatWaits(t *testing.T) {
	c := newCollector(t)
	s := settings(t, Contracts, estate(t, "http://127.0.0.1:1", backend(t)), telemetry.Endpoint, c.URL, telemetry.Protocol, "http/json", telemetry.Resource, "team=a")
	r := run(t, s)
	go func() { _, _ = io.Copy(io.Discard, r.out) }()
	if resp := get(t, "http://"+r.address+"/orders/health"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	r.stop()
	c.wait(t, "/v1/traces")
	for _, want := range []string{`"GET /orders/health"`, `"kind":3`, `"team"`, `"service.name","value":{"stringValue":"g"}`} {
		if !strings.Contains(c.text("/v1/traces"), want) {
			t.Errorf("the traces lack %s: %s", want, c.text("/v1/traces"))
		}
	}
	if !strings.Contains(c.text("/v1/metrics"), "tollgate.decisions") {
		t.Error("there are no metrics")
	}
}

// SIGKILL leaves no time for anything: what waited is lost, and nothing else.
func TestAKillLosesWhatWaitsAndNothingElse(t *testing.T) {
	c, at := newCollector(t), backend(t)
	for range 3 {
		ch := start(t, settings(t, Contracts, estate(t, "http://127.0.0.1:1", at), telemetry.Endpoint, c.URL, telemetry.Protocol, "http/json"))
		address := ready(t, ch.out)
		go func() { _, _ = io.Copy(io.Discard, ch.out) }()
		for range 80 { // a batch is 64 calls
			if resp := get(t, "http://"+address+"/orders/health"); resp.StatusCode != 200 {
				t.Fatal(resp.Status)
			}
		}
		c.wait(t, "/v1/traces")
		_ = ch.Process.Kill()
		_ = ch.Wait()
		if ch.stderr.Len() > 0 {
			t.Errorf("got %q", ch.stderr)
		}
	}
	if n := strings.Count(c.text("/v1/traces"), `"GET /orders/health"`); n < 3*64 || n > 3*80 {
		t.Errorf("got %d server spans of 240 calls, want all but the last 16 of each process at the most", n)
	}
}

// A collector that isn't there, and variables that are wrong, cost one warning each and no call.
func TestAWrongVariableOrADeadCollectorStopsNothing(t *testing.T) {
	ch := start(t, settings(t, Contracts, estate(t, "http://127.0.0.1:1", backend(t)), telemetry.Endpoint, "http://127.0.0.1:1", telemetry.Sampler, "sometimes"))
	address := ready(t, ch.out)
	go func() { _, _ = io.Copy(io.Discard, ch.out) }()
	for range 200 {
		if resp := get(t, "http://"+address+"/orders/health"); resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
	}
	_ = ch.Process.Kill()
	_ = ch.Wait()
	for line := range strings.Lines(ch.stderr.String()) {
		if !strings.HasPrefix(line, "tollgate: warning: ") {
			t.Errorf("got %q, want a warning", line)
		}
	}
	if n := strings.Count(ch.stderr.String(), "\n"); n != 2 {
		t.Errorf("got %d lines, want one for the variable and one for the collector:\n%s", n, ch.stderr)
	}
}

func TestALineIsOneLineInTheShapeOfTheHost(t *testing.T) {
	var out, errs bytes.Buffer
	log := newLog(&out, &errs)
	log.Info("refresh", "report", []string{"a\nb"})
	log.With("k", "v").Warn("a\nb\x1b")
	reporter(log)(&gateway.Fault{Correlation: "c-1", Trace: "t", Span: "s", Err: errors.New("x\ny")})
	if got, want := out.String(), `{"event":"refresh","report":["a\nb"]}`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := errs.String(), "tollgate: warning: a | b k=v\ntollgate: x | y correlation=c-1 trace_id=t span_id=s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
