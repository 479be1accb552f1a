package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func readyWithin(t *testing.T, h *Host) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	return h.Ready(ctx)
}

func stopped(t *testing.T, h *Host) error {
	t.Helper()
	select {
	case <-h.Done():
	case <-time.After(patience):
		t.Fatalf("got a running host, want it stopped")
	}
	return h.Err()
}

func TestPrintedLinesAreLoggedByStream(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1.
	h, w := ready(t, proxyApp(), nil)
	get(t, h, "/"+query("do", "print", "out", "to stdout", "err", "to stderr"))
	get(t, h, "/"+query("do", "print", "out", "LanguageWorkerConsoleLog hidden", "err", "a WARNing"))
	for _, want := range []Line{{Information, "to stdout"}, {Error, "to stderr"}, {Warning, "a WARNing"}} {
		eventually(t, fmt.Sprint(want), func() bool { return w.has(want) })
	}
	if w.has(Line{Information, "LanguageWorkerConsoleLog hidden"}) {
		t.Errorf("got the diverted line in the log, want it in the platform's own")
	}
}

func TestExitCode0EndsTheHandlerForGood(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: no restart; every later call fails.
	h, w := ready(t, proxyApp(), nil)
	_, _ = tryRaw(t, h, request("POST", "/?do=exit&code=0", "Content-Length: 1")+"x")
	eventually(t, "the exit", func() bool { return w.count(EventExited) == 1 })
	eventually(t, "no process", func() bool { return h.PID() == 0 })
	if got := get(t, h, "/"); got.Status != 500 || got.Body != "" {
		t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
	}
	if n := w.count(EventStarted); n != 1 {
		t.Errorf("got %d starts, want 1", n)
	}
	if err := readyWithin(t, h); err == nil || !strings.Contains(err.Error(), "code 0") {
		t.Errorf("got %v, want the exit code as the reason", err)
	}
}

func TestExitCode200RestartsWithoutCounting(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: four times, where three counted errors would stop the host.
	h, w := ready(t, proxyApp(), nil)
	for n := 1; n <= 4; n++ {
		_, _ = tryRaw(t, h, request("POST", "/?do=exit&code=200", "Content-Length: 1")+"x")
		eventually(t, "another life", func() bool { return w.count(EventReady) == n+1 })
	}
	if n := w.count(EventFailure); n != 0 {
		t.Errorf("got %d counted errors, want none", n)
	}
}

func TestTheThirdFailureStopsTheHost(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: restarts at once, twice; then the host stops itself.
	h, w := launch(t, proxyApp(), "exit:7", nil)
	err := readyWithin(t, h)
	if !errors.Is(err, errRestartCount) {
		t.Errorf("got %v, want the restart count as the reason", err)
	}
	for _, want := range []string{"exit code 7", "one line on stderr", "one line on stdout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to tell %q", err, want)
		}
	}
	if got := stopped(t, h); !errors.Is(got, errRestartCount) {
		t.Errorf("got %v, want Err to tell the same", got)
	}
	want := []string{EventStarted, EventExited, EventFailure, EventStarted, EventExited, EventFailure, EventStarted, EventExited, EventFailure, EventStopped}
	if diff := cmp.Diff(want, w.kinds()); diff != "" {
		t.Error(diff)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL(), "http://")); err == nil {
		conn.Close()
		t.Errorf("got a connection, want the host gone")
	}
}

func TestFailuresLongAgoAreForgotten(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: 30 min since the previous one.
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var f failures
	for i, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {29 * time.Minute, 2}, {60 * time.Minute, 1}, {90 * time.Minute, 2}, {91 * time.Minute, 3}} {
		if got := f.add(start.Add(step.after), 30*time.Minute); got != step.want {
			t.Errorf("failure %d: got count %d, want %d", i, got, step.want)
		}
	}
}

func TestARequestIsHeldUntilTheHandlerAnswersAProbe(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.4: restarts look like latency.
	h, w := launch(t, proxyApp(), "serve", func(o *Options) { o.Settings = map[string]string{"CHILD_FAIL_FIRST": "2"} })
	if got := get(t, h, "/"); got.Status != 200 {
		t.Errorf("got %d %q, want the answer of the third life", got.Status, got.Body)
	}
	if n := w.count(EventFailure); n != 2 {
		t.Errorf("got %d counted errors, want 2", n)
	}
}

func TestARequestHeldTooLongGets503(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.4; /admin requests skip the check.
	h, _ := launch(t, proxyApp(), "deaf", func(o *Options) { o.Budgets.Hold = 200 * time.Millisecond })
	if got := get(t, h, "/"); got.Status != 503 || got.Body != "Function host is not running." {
		t.Errorf("got %d %q, want 503 and the host's sentence", got.Status, got.Body)
	}
	if got := get(t, h, "/admin/host/ping"); got.Status != 200 {
		t.Errorf("ping: got %d, want 200 without waiting", got.Status)
	}
}

func TestAHandlerThatNeverAnswersIsRestartedThreeTimes(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.2: expiry counts as an error, also for a server that
	// accepts and stays silent.
	for _, kind := range []string{"deaf", "mute"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			app := proxyApp()
			app["host.json"] = hostJSON(proxying+`,"initializationTimeout":"00:00:00.3000000"`, "")
			h, w := launch(t, app, kind, nil)
			if err := readyWithin(t, h); err == nil || !strings.Contains(err.Error(), "initializationTimeout") {
				t.Errorf("got %v, want the budget as the reason", err)
			}
			_ = stopped(t, h)
			if n := w.count(EventKilled); n != 3 {
				t.Errorf("got %d kills, want 3", n)
			}
		})
	}
}

func TestAnythingButARefusedConnectionMakesTheHandlerReady(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.2: a non-socket HTTP error is an answer too.
	h, _ := launch(t, proxyApp(), "garbage", nil)
	if err := readyWithin(t, h); err != nil {
		t.Errorf("got %v, want ready", err)
	}
}

func TestTheProbeCarriesNothingOfTheHost(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.2: GET /, no X-Azure-Functions-* headers.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buffer := make([]byte, 4096)
		n, _ := conn.Read(buffer)
		got <- string(buffer[:n])
		_, _ = conn.Write([]byte("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
	}()
	transport := newTransport()
	defer transport.CloseIdleConnections()
	if err := probe(t.Context(), transport, "http://"+l.Addr().String()+"/", time.Millisecond); err != nil {
		t.Fatalf("got %v, want any status to be an answer", err)
	}
	if want := "GET / HTTP/1.1\r\nHost: " + l.Addr().String() + "\r\n\r\n"; <-got != want {
		t.Errorf("got another request, want %q", want)
	}
}

func TestAFunctionThatTimesOutGets500AndCostsTheHandler(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.5: other calls in the handler die with it.
	h, w := ready(t, proxyApp(), func(o *Options) { o.Budgets.Function = 700 * time.Millisecond })
	before := h.PID()
	if got := get(t, h, "/?do=hang"); got.Status != 500 || got.Body != "" {
		t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
	}
	eventually(t, "another process", func() bool { pid := h.PID(); return pid != 0 && pid != before })
	if n := w.count(EventFailure); n != 0 {
		t.Errorf("got %d counted errors, want none for a restart by the host", n)
	}
	if n := w.count(EventKilled); n != 1 {
		t.Errorf("got %d kills, want 1", n)
	}
}

func TestCloseKillsTheHandlerAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.5: SIGKILL, without a chance to clean up.
	h, w := ready(t, proxyApp(), nil)
	pid := h.PID()
	hung := make(chan error, 1)
	go func() {
		_, err := tryRaw(t, h, request("GET", "/?do=hang"))
		hung <- err
	}()
	eventually(t, "a request under way", func() bool { return fileSize(h, "hanging") == 1 })
	for range 2 {
		if err := h.Close(); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	}
	if running(pid) {
		t.Errorf("got process %d running, want it gone", pid)
	}
	if h.PID() != 0 || h.Err() != nil {
		t.Errorf("got pid %d and error %v, want neither", h.PID(), h.Err())
	}
	<-h.Done()
	<-hung
	if !slices.Contains(w.kinds(), EventKilled) {
		t.Errorf("got %v, want a kill", w.kinds())
	}
}

func TestTheHostEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h, err := Start(ctx, Options{Root: writeApp(t, proxyApp()), Settings: map[string]string{childVariable: "serve"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := stopped(t, h); err != nil {
		t.Errorf("got %v, want no error of its own", err)
	}
}

func TestAHandlerThatVanishesCountsAsFailing(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: a restart that can't start is an error like a crash.
	app := proxyApp()
	app["host.json"] = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}`
	app["handler"] = "#!/bin/sh\nrm handler\nexit 1\n"
	h, w := launch(t, app, "", func(o *Options) { o.ChmodHandler = true })
	if err := stopped(t, h); !errors.Is(err, errRestartCount) || !strings.Contains(err.Error(), "start the handler") {
		t.Errorf("got %v, want the missing file as the last reason", err)
	}
	if n := w.count(EventFailure); n != 3 {
		t.Errorf("got %d counted errors, want 3", n)
	}
}

func TestACallThatWaitsTooLongForTheHandlerStopsTheHost(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.4: four times the initialisation budget; exit code 200
	// never counts, so nothing else would end this.
	app := files{"host.json": hostJSON(`"initializationTimeout":"00:00:00.1000000"`, ""), "Tick/function.json": timerFunction}
	h, _ := launch(t, app, "exit:200", nil)
	if err := h.FireTimer(t.Context(), "Tick"); !errors.Is(err, errStartTooLong) {
		t.Errorf("got %v, want the end of its patience", err)
	}
	if err := stopped(t, h); !errors.Is(err, errStartTooLong) {
		t.Errorf("got %v, want the same reason", err)
	}
}

func TestAppOfflineAnswersEverything(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.4.
	app := proxyApp()
	app["app_offline.htm"] = "<p>away"
	h, _ := launch(t, app, "serve", nil)
	if got := get(t, h, "/"); got.Status != 503 || got.Body != "<p>away" {
		t.Errorf("got %d %q, want 503 and the file", got.Status, got.Body)
	}
}
