//go:build collector

package telemetry

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A collector of OpenTelemetry's own takes what the sink of the other tests does.
// `make prove` builds one and names it.
func TestARealCollectorTakesTheTreeAndTheMetrics(t *testing.T) {
	binary := os.Getenv("TOLLGATE_COLLECTOR")
	port, lines := startCollector(t, binary)
	for _, protocol := range []string{"http/protobuf", "http/json"} {
		stand := newStand(t, read(t, Endpoint, "http://127.0.0.1:"+port, Protocol, protocol, Compression, "gzip", ServiceName, "by "+protocol), Options{Transport: &http.Transport{DisableKeepAlives: true}}, answering(200))
		for range 50 {
			stand.ask(t, "GET", "/orders/1", "Authorization: "+bearer(t), "Traceparent: 00-"+traceID+"-"+parentID+"-01", "Tracestate: a=1")
		}
		until(t, func() bool { return stand.telemetry.Flush(t.Context()) == nil })
		seen, servers := "", 0
		want := []string{"service.name: Str(by " + protocol + ")", "Trace ID       : " + traceID, "Parent ID      : " + parentID, "http.route: Str(/orders/{id})", "stage token", "Name: http.server.request.duration", "Name: tollgate.decisions"}
		until(t, func() bool {
			select {
			case line := <-lines:
				seen += line + "\n"
				if strings.Contains(line, "Name           : GET /orders/{id}") {
					servers++
				}
			default:
			}
			for _, w := range want {
				if !strings.Contains(seen, w) {
					return false
				}
			}
			return servers == 50
		})
	}
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); runtimeGosched() {
		if time.Now().After(deadline) {
			t.Fatal("it didn't happen in time")
		}
	}
}

func startCollector(t *testing.T, binary string) (port string, lines chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	config := filepath.Join(t.TempDir(), "collector.yaml")
	text := fmt.Sprintf("receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:%s } } } }\nexporters: { debug: { verbosity: detailed } }\n"+
		"service:\n  telemetry: { metrics: { level: none } }\n  pipelines:\n    traces: { receivers: [otlp], exporters: [debug] }\n    metrics: { receivers: [otlp], exporters: [debug] }\n", port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "--config", config)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines = make(chan string, 1<<16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-done; _ = cmd.Wait() })
	return port, lines
}
