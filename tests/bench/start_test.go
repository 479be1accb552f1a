// Package bench times what a user waits for: make bench.
package bench

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/host"
	"tollgate/localrun/issuer"
	"tollgate/shared/boot"
	"tollgate/tests/lab"
)

// BenchmarkExecToListening: from fork and exec of the stripped handler to the
// line it prints after it listens, with the example estate.
func BenchmarkExecToListening(b *testing.B) {
	app, contracts := lab.StageApp(b), prepared(b)
	for b.Loop() {
		stop := start(b, app, contracts)
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}

// prepared is the example estate bound to addresses where nothing answers:
// nothing is asked before the first request.
func prepared(b *testing.B) string {
	b.Helper()
	local, faults, err := estate.Prepare(filepath.Join(lab.Root(b), "contracts"), filepath.Join(b.TempDir(), "contracts"),
		estate.Addresses{Gateway: "https://api.example", Issuer: "https://issuer.invalid", Backend: "https://backend.invalid"})
	if err != nil || local == nil {
		b.Fatal(err, faults)
	}
	return local.Dir
}

// start runs the handler until it listens.
func start(b *testing.B, app, contracts string) (stop func()) {
	b.Helper()
	cmd := exec.Command(filepath.Join(app, "azure-handler"))
	cmd.Env = append(os.Environ(), boot.Port+"="+strconv.Itoa(freePort(b)), boot.Contracts+"="+contracts, boot.Environment+"="+estate.Name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if s := bufio.NewScanner(out); !s.Scan() || !strings.Contains(s.Text(), `"listening"`) {
		b.Fatalf("got %q, want the line that says listening", s.Text())
	}
	return func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
}

func freePort(b *testing.B) int {
	b.Helper()
	port, err := host.FreePort()
	if err != nil {
		b.Fatal(err)
	}
	return port
}

// BenchmarkFirstAuthorised: from the start of the handler, behind the stand-in
// for the host, to its first granted answer: probe, discovery and keys included.
func BenchmarkFirstAuthorised(b *testing.B) {
	app, contracts := lab.StageApp(b), filepath.Join(lab.Root(b), "contracts")
	for b.Loop() {
		b.StopTimer()
		l := lab.Hosted(b, contracts, app)
		raw := l.Token(b, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
		if err := l.Host.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		h := l.Restart(b, app)
		firstAuthorised(b, h, raw)
		b.StopTimer()
		_ = l.Host.Close()
		b.StartTimer()
	}
}

func firstAuthorised(b *testing.B, url, raw string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/orders/42", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("got %s, %v, want 200", resp.Status, err)
	}
}
