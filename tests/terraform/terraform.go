// Package terraform finds, for tests, Terraform and providers that it can use:
// recorded schemas where they are, else the registry.
package terraform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/tests/need"
)

// Schemas names the folder of recorded schemas, if it isn't ../shared/terraform.
const Schemas = "TOLLGATE_TERRAFORM_SCHEMAS"

// registry answers this without signing in.
const registry = "https://registry.terraform.io/.well-known/terraform.json"

// Mirror is the CLI configuration file whose providers are the recorded schemas,
// "" where the real ones can be had. With neither, or without Terraform, the test is skipped.
// The mirror is built once for each state of its sources, and shared by all that run on this machine.
func Mirror(t testing.TB) string {
	t.Helper()
	need.Program(t, "terraform")
	sources := schemas(need.Root(t))
	if sources == "" {
		if err := reachable(); err != nil {
			t.Skipf("needs the recorded schemas (../shared/terraform, or $%s) or the Terraform registry, and has neither: %v", Schemas, err)
		}
		return ""
	}
	file, err := built(sources, need.Root(t))
	if err != nil {
		t.Fatalf("build the providers' mirror of %s: %v", sources, err)
	}
	return file
}

// Env is this process's environment for a Terraform that takes its providers from Mirror,
// asks nobody and looks for no newer version.
func Env(t testing.TB) []string {
	t.Helper()
	env := Builtin(t)
	if file := Mirror(t); file != "" {
		env = append(env, "TF_CLI_CONFIG_FILE="+file)
	}
	return env
}

// Builtin is Env for what needs no provider but Terraform's own, terraform_data.
func Builtin(t testing.TB) []string {
	t.Helper()
	need.Program(t, "terraform")
	// It collects less often, and takes half the time.
	return append(os.Environ(), "TF_INPUT=0", "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=/dev/null", "GOGC=800")
}

// Run runs Terraform in dir, and ends the test if it fails.
func Run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := Try(t, dir, args...)
	if err != nil {
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Try is Run for what may fail.
func Try(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = dir, Env(t)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// schemas is the folder of recorded schemas, "" if there is none. In a worktree of
// git it is found beside the main one too.
func schemas(root string) string {
	candidates := []string{os.Getenv(Schemas), filepath.Join(root, "../shared/terraform")}
	if out, err := exec.Command("git", "-C", root, "rev-parse", "--path-format=absolute", "--git-common-dir").Output(); err == nil {
		candidates = append(candidates, filepath.Join(strings.TrimSpace(string(out)), "../../shared/terraform"))
	}
	for _, dir := range candidates {
		if _, err := os.Stat(filepath.Join(dir, "mirror")); dir != "" && err == nil {
			return dir
		}
	}
	return ""
}

var reachable = sync.OnceValue(func() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, registry, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", registry, res.Status)
	}
	return nil
})

var (
	once sync.Mutex // a process builds it once; others wait for the lock file
	done = map[string]string{}
)

// built is the CLI configuration file of the mirror of sources, with the types that Terraform below root has.
func built(sources, root string) (string, error) {
	once.Lock()
	defer once.Unlock()
	if file, ok := done[sources]; ok {
		return file, nil
	}
	types, err := declaredTypes(root)
	if err != nil {
		return "", err
	}
	sum, err := digest(sources, types)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "tollgate", "terraform-"+sum)
	if err := build(sources, dir, types); err != nil {
		return "", err
	}
	done[sources] = filepath.Join(dir, "terraformrc")
	return done[sources], nil
}

// build lays the mirror out beside dir and renames it when it is whole.
func build(sources, dir string, types []string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // lets the next in
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".terraform-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if out, err := exec.Command(filepath.Join(sources, "mirror"), temp).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	if err := narrow(temp, types); err != nil {
		return err
	}
	file := filepath.Join(temp, "terraformrc")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	// It names the folder it was built in.
	text = []byte(strings.ReplaceAll(string(text), temp, dir))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

// digest is of every file below dir, and of what it is built for.
func digest(dir string, types []string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.GOOS, runtime.GOARCH, types, stands)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		n, err := io.Copy(sum, f)
		fmt.Fprintf(sum, "\x00%s %d\x00", name, n)
		return errors.Join(err, f.Close())
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}
