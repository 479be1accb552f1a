// Package need says what a test can't do without.
package need

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program skips the test if the program isn't there. tests/report counts skips,
// and with CI=true fails on each that tests/allowed-skips doesn't name.
func Program(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s, which is not installed", name)
	}
}

// File skips the test if something that make installs isn't there.
func File(t testing.TB, name, how string) {
	t.Helper()
	if _, err := os.Stat(name); err != nil {
		t.Skipf("needs %s; run `%s`", name, how)
	}
}

// Root is the folder of go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		break
	}
	t.Fatal("no go.mod above the test's folder")
	return ""
}

// Node runs server.mjs of the test's folder, which needs the npm package named,
// until the test ends. What it prints comes line by line; what is written reaches its input.
func Node(t testing.TB, module string) (in io.Writer, out *bufio.Scanner) {
	t.Helper()
	return NodeIn(t, ".", module)
}

// NodeIn is Node for a server of another folder.
func NodeIn(t testing.TB, dir, module string) (in io.Writer, out *bufio.Scanner) {
	t.Helper()
	Program(t, "node")
	File(t, filepath.Join(dir, "node_modules", module), "make deps")
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = dir
	stdin, err := cmd.StdinPipe() // closing it ends the server
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return stdin, bufio.NewScanner(stdout)
}
