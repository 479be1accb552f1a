// Package need says what a test can't do without.
package need

import (
	"os"
	"os/exec"
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
