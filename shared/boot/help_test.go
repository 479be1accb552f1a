package boot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	patience = 20 * time.Second // far beyond what a working start needs
	asMain   = "BOOT_TEST_IS_MAIN"
)

// TestMain is the gateway's own main when the test runs itself as a child.
func TestMain(m *testing.M) {
	if os.Getenv(asMain) == "1" {
		os.Exit(Azure(os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// settings is an environment, changed by pairs of name and value; "-" removes.
func settings(t *testing.T, changes ...string) map[string]string {
	t.Helper()
	s := map[string]string{Port: strconv.Itoa(freePort(t)), Contracts: estate(t, "http://127.0.0.1:1", "http://127.0.0.1:1"), Environment: "test"}
	for i := 0; i+1 < len(changes); i += 2 {
		if s[changes[i]] = changes[i+1]; changes[i+1] == "-" {
			delete(s, changes[i])
		}
	}
	return s
}

// freePort was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// estate writes contracts with one protected and one public operation, and gives their folder.
func estate(t *testing.T, authority, backend string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gateway.yaml": "kind: Gateway\nname: g\nclaimsContract: 1\nforward:\n  X-User-Id: { claim: oid }\n",
		"orders.yaml": "kind: API\nname: orders\nowner: o\npath: /orders\nbackend: { url: \"${backend.orders}\" }\naudience: \"api://${tenant}/orders\"\nscopes: [ { name: Orders.Read, consent: user } ]\n" +
			"operations:\n  - { id: get, match: \"GET /{id}\", allow: { scopes: [Orders.Read] } }\n  - { id: health, match: \"GET /health\", public: true }\n",
		"environments/test.yaml": "kind: Environment\ntenant: 11111111-1111-1111-1111-111111111111\nauthority: " + authority + "\nbackend: { orders: \"" + backend + "\" }\nclientId: { orders: 22222222-2222-2222-2222-222222222222 }\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func lookup(s map[string]string) func(string) string {
	return func(name string) string { return s[name] }
}

// child is the gateway as a process of its own.
type child struct {
	*exec.Cmd
	out    *bufio.Reader
	stderr *bytes.Buffer
}

func start(t *testing.T, s map[string]string) child {
	t.Helper()
	s = maps.Clone(s)
	s[asMain] = "1"
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c := child{Cmd: exec.CommandContext(ctx, os.Args[0]), stderr: &bytes.Buffer{}}
	for name, value := range s { // nothing of this process's own: what isn't named isn't set
		c.Env = append(c.Env, name+"="+value)
	}
	c.Cmd.Stderr = c.stderr
	c.Dir = t.TempDir()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	c.out = bufio.NewReader(out)
	return c
}

// ready waits for the line that says that the port is open, and gives the address.
func ready(t *testing.T, out *bufio.Reader) string {
	t.Helper()
	line, err := out.ReadString('\n')
	var event struct{ Event, Address string }
	if err != nil || json.Unmarshal([]byte(line), &event) != nil || event.Event != "listening" {
		t.Fatalf("got %q (%v), want the line of a gateway that listens", line, err)
	}
	return event.Address
}

// exit is the child's exit code.
func (c child) exit() int {
	_, _ = io.Copy(io.Discard, c.out)
	_ = c.Wait()
	return c.ProcessState.ExitCode()
}

// counted is a server that counts connections, also those that send nothing.
func counted(t *testing.T, h http.Handler) (string, *atomic.Int64) {
	connections := new(atomic.Int64)
	server := httptest.NewUnstartedServer(h)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, connections
}

// running is serve in this process.
type running struct {
	out     *bufio.Reader
	address string
	ended   chan error
	stop    context.CancelFunc
}

func run(t *testing.T, s map[string]string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	in, out := io.Pipe()
	r := &running{out: bufio.NewReader(in), ended: make(chan error, 1), stop: stop}
	go func() {
		err := serve(ctx, lookup(s), out, io.Discard)
		_ = out.CloseWithError(err)
		r.ended <- err
	}()
	t.Cleanup(func() {
		stop()
		_ = in.Close()
		if err := <-r.ended; err != nil {
			t.Errorf("got %v at the end, want none", err)
		}
	})
	r.address = ready(t, r.out)
	return r
}

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Close = true
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func oneLine(s string) bool { return strings.Count(s, "\n") == 1 && strings.HasSuffix(s, "\n") }
