// Package lab puts a gateway between stand-ins for a test: in this process, or
// as the real handler behind the stand-in for the Functions host.
package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/backend"
	"tollgate/localrun/credentials"
	"tollgate/localrun/estate"
	"tollgate/localrun/host"
	"tollgate/localrun/issuer"
	"tollgate/shared/adapter/azure"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/tests/need"
)

// Lab is one gateway with everything around it. It ends with the test.
type Lab struct {
	URL     string // of the gateway
	Issuer  *issuer.Issuer
	Backend *backend.Recorder
	Local   *estate.Local
	Host    *host.Host // nil in this process
	Tables  string     // connection string of the tables

	*credentials.Around
	identity string // address of the identity endpoint
	sts      string // of the stand-in for AWS's
	passed   atomic.Int64

	mu      sync.Mutex
	events  []audit.Event
	printed []string // the same as lines
}

// Root is the repository's folder.
func Root(t testing.TB) string {
	t.Helper()
	return need.Root(t)
}

// InProcess compiles the contracts into a gateway in this process, behind the
// server that is deployed. adjust changes the plan, or the settings that it finds.
func InProcess(t testing.TB, contracts string, adjust ...func(*Lab, map[string]string)) *Lab {
	t.Helper()
	return Registered(t, contracts, nil, nil, adjust...)
}

// Registered is InProcess with the client ids that a directory gave to APIs and clients, by their names.
func Registered(t testing.TB, contracts string, apis, clients map[string]string, adjust ...func(*Lab, map[string]string)) *Lab {
	t.Helper()
	front, err := azure.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + front.Addr().String()
	l := prepare(t, contracts, estate.Addresses{Gateway: url, ClientIDs: apis, Clients: clients})
	parts := l.outside(adjust).Parts(lines{l}, io.Discard)
	parts.Report = func(err error) { t.Error(err) }
	serve(t, front, gateway.Compile(l.Local.Plan, parts))
	l.URL = url
	return l
}

// serve answers on front, as the deployed handler does, until the test ends.
func serve(t testing.TB, front net.Listener, gw *gateway.Gateway) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- azure.Server{Gateway: gw, Now: time.Now, Report: func(err error) { t.Error(err) }}.Serve(ctx, front)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Hosted runs the app of root, as it is deployed, behind the stand-in for the Functions host.
func Hosted(t testing.TB, contracts, root string, adjust ...func(*host.Options)) *Lab {
	t.Helper()
	l := prepare(t, contracts, estate.Addresses{Gateway: "https://api.example"})
	url := l.Restart(t, root, adjust...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Host.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	l.URL = url
	return l
}

// Restart starts the app of root with the same stand-ins around it, and doesn't
// wait: the host holds requests until the handler is ready.
func (l *Lab) Restart(t testing.TB, root string, adjust ...func(*host.Options)) (url string) {
	t.Helper()
	o := host.Options{
		Root:     root,
		Settings: l.settings(),
		Log:      func(line host.Line) { _, _ = lines{l}.Write([]byte(line.Text)) },
	}
	for _, a := range adjust {
		a(&o)
	}
	h, err := host.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	l.Host = h
	return h.URL()
}

func prepare(t testing.TB, contracts string, addresses estate.Addresses) *Lab {
	t.Helper()
	l := &Lab{Backend: backend.Record(backend.New())}
	t.Cleanup(func() { l.conform(t) })
	back := httptest.NewUnstartedServer(l.Backend)
	back.Config.Protocols = backend.Protocols()
	back.Start()
	t.Cleanup(back.Close)
	entra := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.Issuer.ServeHTTP(w, r) }))
	at := "http://" + entra.Listener.Addr().String()
	addresses.Issuer, addresses.Backend = at, back.URL
	l.surround(t, &addresses)
	local, faults, err := estate.Prepare(contracts, filepath.Join(t.TempDir(), "contracts"), addresses)
	if err != nil || local == nil {
		t.Fatal(err, faults)
	}
	l.Local = local
	local.Options.Now = l.now
	if l.Issuer, err = issuer.New(local.Options); err != nil {
		t.Fatal(err)
	}
	l.Issuer.SetBaseURL(at)
	if err := l.Fill(local.Plan, l.Issuer); err != nil {
		t.Fatal(err)
	}
	entra.Start()
	t.Cleanup(entra.Close)
	return l
}

// StageApp builds the handler and lays the app out as `make build` does.
func StageApp(t testing.TB) string {
	t.Helper()
	root, app := Root(t), t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(app, "azure-handler"), "./functions/azure")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the handler: %v\n%s", err, out)
	}
	copyFile(t, filepath.Join(root, "host.json"), filepath.Join(app, "host.json"))
	functions, err := filepath.Glob(filepath.Join(root, "functions/azure/*/function.json"))
	if err != nil || len(functions) == 0 {
		t.Fatal("no function.json", err)
	}
	for _, f := range functions {
		copyFile(t, f, filepath.Join(app, filepath.Base(filepath.Dir(f)), "function.json"))
	}
	return app
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Token mints a token, or ends the test.
func (l *Lab) Token(t testing.TB, want issuer.Token) string {
	t.Helper()
	raw, err := l.Issuer.Mint(want)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// API is a planned API by its name.
func (l *Lab) API(t testing.TB, name string) contract.PlannedAPI {
	t.Helper()
	for _, api := range l.Local.Plan.APIs {
		if api.Name == name {
			return api
		}
	}
	t.Fatalf("no API %q", name)
	return contract.PlannedAPI{}
}

// Event waits for the event of a call: it is written after the answer.
func (l *Lab) Event(t testing.TB, correlation string) audit.Event {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		for _, e := range l.Events() {
			if e.Correlation == correlation && e.Event != audit.Started {
				return e
			}
		}
		select {
		case <-deadline:
			t.Fatalf("no event for %q", correlation)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Events are those written so far.
func (l *Lab) Events() []audit.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]audit.Event(nil), l.events...)
}

// lines takes what the gateway prints.
type lines struct{ *Lab }

func (w lines) Write(line []byte) (int, error) {
	if !audit.Is(string(line)) {
		return len(line), nil
	}
	e, err := audit.Parse(line)
	if err != nil {
		return 0, fmt.Errorf("%w: %.600s", err, line)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events, w.printed = append(w.events, e), append(w.printed, string(line))
	return len(line), nil
}

// Dial opens a connection to the gateway, for what a client library wouldn't send.
func (l *Lab) Dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(l.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}
