package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of the tests; none comes near it unless it fails.
const patience = 20 * time.Second

// files is an app root: name -> content.
type files map[string]string

// catchAll is an anonymous function with a route and all methods.
func catchAll(route string) string {
	return `{"bindings":[
		{"type":"httpTrigger","direction":"in","name":"req","authLevel":"anonymous","route":"` + route + `"},
		{"type":"http","direction":"out","name":"res"}]}`
}

const timerFunction = `{"bindings":[{"type":"timerTrigger","direction":"in","name":"tick","schedule":"0 * * * * *"}]}`

// hostJSON is a host.json whose handler is this test binary, with more settings.
func hostJSON(handler, rest string) string {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if rest != "" {
		rest = "," + rest
	}
	if handler != "" {
		handler = "," + handler
	}
	return `{"version":"2.0","extensions":{"http":{"routePrefix":""}},"customHandler":{"description":{"defaultExecutablePath":` +
		quote(exe) + `}` + handler + `}` + rest + `}`
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

const proxying = `"enableProxyingHttpRequest":true`

// proxyApp is one catch-all function in proxy mode.
func proxyApp() files {
	return files{"host.json": hostJSON(proxying, ""), "all/function.json": catchAll("{*path}")}
}

func writeApp(t *testing.T, app files) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range app {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// witness keeps what a host reported.
type witness struct {
	mu     sync.Mutex
	lines  []Line
	events []Event
}

func (w *witness) line(l Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, l)
}

func (w *witness) event(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *witness) kinds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var kinds []string
	for _, e := range w.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (w *witness) has(l Line) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, each := range w.lines {
		if each == l {
			return true
		}
	}
	return false
}

func (w *witness) count(kind string) int {
	n := 0
	for _, each := range w.kinds() {
		if each == kind {
			n++
		}
	}
	return n
}

// launch starts a host on an app; kind is the child's.
func launch(t *testing.T, app files, kind string, change func(*Options)) (*Host, *witness) {
	t.Helper()
	w := &witness{}
	o := Options{Root: writeApp(t, app), Settings: map[string]string{
		childVariable: kind,
		"GORACE":      "atexit_sleep_ms=0", // else the race detector holds each exit for a second
	}, Log: w.line, Events: w.event}
	if change != nil {
		settings := maps.Clone(o.Settings)
		change(&o)
		maps.Copy(settings, o.Settings)
		o.Settings = settings
	}
	h, err := Start(context.Background(), o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for _, e := range w.events {
			if e.Kind == EventStarted && running(e.PID) {
				t.Errorf("handler process %d outlived its host", e.PID)
			}
			if e.Kind == EventWarning {
				t.Errorf("got a warning: %s", e.Detail)
			}
		}
	})
	return h, w
}

// ready is launch, and the wait for the first probe.
func ready(t *testing.T, app files, change func(*Options)) (*Host, *witness) {
	t.Helper()
	h, w := launch(t, app, "serve", change)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := h.Ready(ctx); err != nil {
		t.Fatalf("ready: %v", err)
	}
	return h, w
}

func running(pid int) bool { return syscall.Kill(pid, 0) == nil }

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("got nothing within %s, want %s", patience, what)
		case <-tick.C:
		}
	}
}

// send makes one request on a connection of its own; the caller closes the body.
func send(t *testing.T, h *Host, r *http.Request) (*http.Response, error) {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(h.URL(), "http://")
	return transport.RoundTrip(r)
}

// reply is a complete answer.
type reply struct {
	Status  int
	Header  http.Header
	Body    string
	Trailer http.Header
}

// raw sends bytes as they are and reads one answer.
func raw(t *testing.T, h *Host, request string) reply {
	t.Helper()
	got, err := tryRaw(t, h, request)
	if err != nil {
		t.Fatalf("%s: %v", firstLine(request), err)
	}
	return got
}

func tryRaw(t *testing.T, h *Host, request string) (reply, error) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL(), "http://"))
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		return reply{}, err
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body), response.Trailer}, err
}

// dialUpgrade switches to the child's echo protocol, sends "ping" and returns
// the answer.
func dialUpgrade(t *testing.T, h *Host) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, request("GET", "/?do=upgrade", "Connection: keep-alive, Upgrade", "Upgrade: websocket"))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 || response.Header.Get("X-Child") != "yes" || response.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("got %+v, %v, want 101 with the handler's headers", response, err)
	}
	_, _ = io.WriteString(conn, "ping\n")
	line, err := reader.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\r\n")
	return line
}

// request writes a request without a body: target, then "Name: value" lines.
func request(method, target string, headers ...string) string {
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: app.example"}, headers...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// get is raw for a GET.
func get(t *testing.T, h *Host, target string, headers ...string) reply {
	t.Helper()
	return raw(t, h, request("GET", target, headers...))
}

// echoed decodes what the child saw.
func echoed(t *testing.T, got reply) seen {
	t.Helper()
	var s seen
	if err := json.Unmarshal([]byte(got.Body), &s); err != nil {
		t.Fatalf("got status %d and body %q, want the child's echo: %v", got.Status, got.Body, err)
	}
	return s
}

// invocation reads the last JSON-mode call that the child got.
func invocation(t *testing.T, h *Host) seen {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(h.app.Root, "invocation"))
	if err != nil {
		t.Fatal(err)
	}
	var s seen
	if err := json.Unmarshal(content, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func fileSize(h *Host, name string) int64 {
	info, err := os.Stat(filepath.Join(h.app.Root, name))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	return info.Size()
}

func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return "?" + values.Encode()
}

func (t *throttle) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.outstanding
}
