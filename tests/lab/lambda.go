package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Surrounded is everything around a gateway, without one.
func Surrounded(t testing.TB, contracts string) *Lab {
	t.Helper()
	return prepare(t, contracts, "https://api.example")
}

// Settings are those of a gateway in the middle of it.
func (l *Lab) Settings() map[string]string { return l.settings() }

// StageLambda builds the bootstrap as the package for AWS Lambda has it, and gives its folder.
func StageLambda(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "bootstrap"), "./functions/lambda")
	build.Dir, build.Env = Root(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the bootstrap: %v\n%s", err, out)
	}
	return dir
}
