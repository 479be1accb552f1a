// Package inspector opens the local run's live page in a real browser.
package inspector

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tollgate/tests/desk"
	"tollgate/tests/lab"
	"tollgate/tests/need"
)

// patience is for a busy machine; the walk takes some seconds.
const patience = 4 * time.Minute

func TestAPersonWalksThroughTheInspector(t *testing.T) {
	need.Program(t, "node")
	need.File(t, "node_modules/playwright-core", "make deps")
	need.Program(t, "chromium")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	d := desk.New(t)
	d.Up(t)
	text, err := os.ReadFile(filepath.Join(d.Dir, ".tollgate", "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	var run struct{ Inspector string }
	if err := json.Unmarshal(text, &run); err != nil || run.Inspector == "" {
		t.Fatalf("got %s, want the inspector's address", text)
	}
	shots := filepath.Join(lab.Root(t), "tests", "inspector", "screenshots")
	cmd := exec.CommandContext(t.Context(), "node", "browser.mjs")
	cmd.WaitDelay = time.Second
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	cmd.Env = append(os.Environ(), "INSPECTOR="+run.Inspector, "TOLLGATE="+filepath.Join(d.Dir, "bin", "tollgate"), "DESK="+d.Dir, "SHOTS="+shots, "CHROMIUM="+chromium)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
