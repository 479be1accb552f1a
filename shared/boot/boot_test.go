package boot

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"tollgate/shared/adapter/azure"
	"tollgate/shared/audit"
)

// Each start that fails says why, in one line that names what to mend, and with an exit code that the host takes for a failure.
func TestABadSettingIsOneClearLineAndNeverExitCodeZero(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "x")
	write(t, filepath.Join(dir, "broken", "gateway.yaml"), "kind: Gateway\nnmae: g\nowner: [\n")
	write(t, filepath.Join(dir, "none", "README.md"), "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // the cases below outlive this function
	for name, c := range map[string]struct {
		changes []string
		want    []string // parts of the line
	}{
		"no port":                 {[]string{Port, "-"}, []string{Port, "is not set"}},
		"an empty port":           {[]string{Port, ""}, []string{Port, "is not set"}},
		"blanks for a port":       {[]string{Port, "  "}, []string{Port, "is not set"}},
		"a word for a port":       {[]string{Port, "http"}, []string{Port, `"http"`, "port"}},
		"port 0":                  {[]string{Port, "0"}, []string{Port, "1 to 65535"}},
		"port 65536":              {[]string{Port, "65536"}, []string{Port, "1 to 65535"}},
		"a negative port":         {[]string{Port, "-1"}, []string{Port, "1 to 65535"}},
		"a port of many digits":   {[]string{Port, "99999999999999999999"}, []string{Port, "1 to 65535"}},
		"an address for a port":   {[]string{Port, "0.0.0.0:80"}, []string{Port, "1 to 65535"}},
		"a port with a line":      {[]string{Port, "80\r\n90"}, []string{Port, "1 to 65535"}},
		"a port that is taken":    {[]string{Port, strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)}, []string{"address already in use"}},
		"no environment":          {[]string{Environment, "-"}, []string{Environment, "is not set"}},
		"an unknown environment":  {[]string{Environment, "tset"}, []string{Environment, `"tset"`, `"test"`}},
		"a path for one":          {[]string{Environment, "../environments/test"}, []string{Environment, "there is no environment"}},
		"two lines for one":       {[]string{Environment, "a\nb"}, []string{Environment, "there is no environment"}},
		"a carriage return in it": {[]string{Environment, "a\rb\x1b[31m"}, []string{Environment, "there is no environment"}},
		"nothing at all":          {[]string{Port, "-", Environment, "-", Contracts, "-"}, []string{Port, Environment}},
		"two bad ones":            {[]string{Port, "x", Environment, "-"}, []string{Port, Environment}},
		"no folder":               {[]string{Contracts, filepath.Join(dir, "nowhere")}, []string{Contracts, "nowhere"}},
		"a file for a folder":     {[]string{Contracts, filepath.Join(dir, "file")}, []string{Contracts, "there is no folder"}},
		"a folder without any":    {[]string{Contracts, filepath.Join(dir, "none")}, []string{"kind: Gateway"}},
		"contracts with faults":   {[]string{Contracts, filepath.Join(dir, "broken")}, []string{"gateway.yaml", "can't be enforced"}},
		"no app root":             {[]string{Contracts, "-", AppRoot, filepath.Join(dir, "nowhere")}, []string{Contracts, filepath.Join("nowhere", "contracts")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := start(t, settings(t, c.changes...))
			stdout, _ := io.ReadAll(child.out)
			code, stderr := child.exit(), child.stderr.String()
			if code != 1 || len(stdout) != 0 {
				t.Errorf("got exit code %d and stdout %q, want 1 and nothing", code, stdout)
			}
			if !oneLine(stderr) || len(stderr) > 2000 || strings.Contains(stderr, "goroutine") {
				t.Errorf("got %q, want one line", stderr)
			}
			if strings.ContainsFunc(strings.TrimSuffix(stderr, "\n"), unicode.IsControl) {
				t.Errorf("got %q, want no control characters", stderr)
			}
			for _, part := range c.want {
				if !strings.Contains(stderr, part) {
					t.Errorf("got %q, want it to say %q", stderr, part)
				}
			}
		})
	}
}

func TestTheTableOfSettingsIsComplete(t *testing.T) {
	asked := map[string]bool{}
	_, _ = configure(func(name string) string { asked[name] = true; return "" }, OnAzure)
	for _, s := range Settings() {
		if s.Doc == "" || s.Must && s.Default != "" {
			t.Errorf("got %+v, want a line of documentation, and no default for what must be set", s)
		}
		delete(asked, s.Name)
	}
	if len(asked) > 0 {
		t.Errorf("got %v read but not in the table", asked)
	}
}

func TestWhereContractsAreFound(t *testing.T) {
	for name, c := range map[string]struct{ root, contracts, want string }{
		"below the app's folder":  {"/home/site/wwwroot", "", "/home/site/wwwroot/contracts"},
		"relative to it":          {"/home/site/wwwroot", "estate", "/home/site/wwwroot/estate"},
		"elsewhere":               {"/home/site/wwwroot", "/etc/contracts", "/etc/contracts"},
		"without an app's folder": {"", "", "contracts"},
	} {
		config, err := configure(lookup(map[string]string{Port: "7071", Environment: " prod ", AppRoot: c.root, Contracts: c.contracts}), OnAzure)
		if err != nil || config.Contracts != c.want || config.Environment != "prod" || config.Port != 7071 {
			t.Errorf("%s: got %+v (%v), want %s", name, config, err, c.want)
		}
	}
}

// functions-host.md §1.3: 0 would mean "never start it again".
func TestASignalStopsItWithTheCodeOfAStop(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			child := start(t, settings(t))
			address := ready(t, child.out)
			if !strings.HasPrefix(address, "127.0.0.1:") {
				t.Errorf("got it listening on %s, want loopback only", address)
			}
			if resp := get(t, "http://"+address+"/"); resp.StatusCode != 204 {
				t.Errorf("got %s for the probe, want 204", resp.Status)
			}
			_ = child.Process.Signal(signal)
			if code := child.exit(); code != azure.ExitStopped || code == 0 || child.stderr.Len() != 0 {
				t.Errorf("got exit code %d and %q, want %d and silence", code, child.stderr, azure.ExitStopped)
			}
		})
	}
}

// A stream that goes on must not turn a stop into "doesn't start" and a crash's exit code.
func TestASignalDuringAStreamStopsItAllTheSame(t *testing.T) {
	t.Parallel()
	backend, _ := counted(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	s := settings(t)
	s[Contracts] = estate(t, "http://127.0.0.1:1", backend)
	child := start(t, s)
	resp := get(t, "http://"+ready(t, child.out)+"/orders/health")
	defer resp.Body.Close()
	_ = child.Process.Signal(syscall.SIGTERM)
	if code := child.exit(); code != azure.ExitStopped || child.stderr.Len() != 0 {
		t.Errorf("got exit code %d and %q, want %d and silence", code, child.stderr, azure.ExitStopped)
	}
}

// What is always true, 9: start-up does no network, nor does the probe.
func TestNoNetworkBeforeTheFirstRequestThatNeedsIt(t *testing.T) {
	authority, keys := counted(t, http.NotFoundHandler())
	backend, calls := counted(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up") }))
	s := settings(t)
	s[Contracts] = estate(t, authority, backend)
	gateway := run(t, s)
	for range 20 {
		get(t, "http://"+gateway.address+"/")
	}
	events := make(chan audit.Event, 10)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(gateway.out); lines.Scan(); {
			e, err := audit.Parse(lines.Bytes())
			if err != nil {
				return
			}
			events <- e
		}
	}()
	get(t, "http://"+gateway.address+"/orders/1")
	if keys.Load() != 0 || calls.Load() != 0 {
		t.Errorf("got %d connections for keys and %d to the backend, want none yet", keys.Load(), calls.Load())
	}
	get(t, "http://"+gateway.address+"/", "X-Azure-Functions-InvocationId", "i-1")
	if resp := get(t, "http://"+gateway.address+"/orders/health", "X-Azure-Functions-InvocationId", "i-2"); resp.StatusCode != 200 || keys.Load() != 0 || calls.Load() != 1 {
		t.Errorf("got %s, %d connections for keys and %d to the backend, want 200, none and one", resp.Status, keys.Load(), calls.Load())
	}
	gateway.stop()
	var codes []string
	for range 3 {
		e := <-events
		codes = append(codes, e.Code)
		if id := e.Invocation; (e.Code == "no_route" && id != "i-1") || (e.Code == "granted" && id != "i-2") {
			t.Errorf("got %v, want the host's name for the call", e)
		}
	}
	if want := []string{"token_missing", "no_route", "granted"}; !slices.Equal(codes, want) {
		t.Errorf("got events %v, want %v and none for probes", codes, want)
	}
	if e, more := <-events; more {
		t.Errorf("got %v, want no more events", e)
	}
}

func TestIDsAreLongAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		if len(id) != 32 || seen[id] {
			t.Fatalf("got %q, want 128 bits in hex that were not there before", id)
		}
		seen[id] = true
	}
}
