package host

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestWhatTheHandlerStartedDiesWithIt(t *testing.T) {
	t.Parallel()
	// Nothing outlives the host, nor keeps the handler's pipes or port.
	app := proxyApp()
	app["host.json"] = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"/bin/sh","arguments":["script"]}}}`
	app["script"] = "sleep 1000 &\necho $!\nwait\n"
	h, w := launch(t, app, "", nil)
	pid := 0
	eventually(t, "the grandchild's pid", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.lines) == 0 {
			return false
		}
		_, err := fmt.Sscan(w.lines[0].Text, &pid)
		return err == nil
	})
	_ = h.Close()
	eventually(t, "the grandchild's end", func() bool { return ended(pid) })
}

func TestTheHandlerDiesWithAKilledHost(t *testing.T) {
	t.Parallel()
	// No clean-up runs in a host that gets SIGKILL; the kernel ends the handler.
	root := writeApp(t, proxyApp())
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVariable+"=host", "CHILD_ROOT="+root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	line, _ := bufio.NewReader(out).ReadString('\n')
	if _, err := fmt.Sscan(line, &pid); err != nil || !running(pid) {
		t.Errorf("got %q, want the handler's pid", line)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "the handler's end", func() bool { return ended(pid) })
}

func TestAHandlerKilledByASignalIsRestartedAndCounted(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: other exit or kill.
	h, w := ready(t, proxyApp(), nil)
	_ = syscall.Kill(h.PID(), syscall.SIGKILL)
	eventually(t, "another life", func() bool { return w.count(EventReady) == 2 })
	if n := w.count(EventFailure); n != 1 {
		t.Errorf("got %d counted errors, want 1", n)
	}
}

func TestACrashFailsJSONCallsAtOnce(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: also a call that waits for a result that never comes (§5).
	h, w := answering(t, jsonApp(""), "200 - ", nil)
	fired := make(chan error, 1)
	go func() { fired <- h.FireTimer(t.Context(), "Tick") }()
	eventually(t, "the invocation", func() bool { return fileSize(h, "invocation") > 0 })
	_ = syscall.Kill(h.PID(), syscall.SIGKILL)
	if err := <-fired; err == nil {
		t.Errorf("got nil, want the invocation failed")
	}
	eventually(t, "another life", func() bool { return w.count(EventReady) == 2 })
}

// ended is true of a zombie too: its new parent may take a moment to reap it.
func ended(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(status), ") Z ")
}
