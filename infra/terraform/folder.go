package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// lay makes the work folder: modules and the environment as the sources have them,
// the contracts' variables, and where the state is.
func (w *Work) lay() error {
	if err := w.own(); err != nil {
		return err
	}
	if err := os.MkdirAll(w.root, 0o700); err != nil {
		return err
	}
	// MkdirAll leaves the mode of what was there. The state may be in it.
	if err := os.Chmod(w.o.Folder, 0o700); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(w.o.Folder, busyFile))
	if err != nil {
		return err
	}
	w.unlock = unlock
	_ = os.Remove(w.plan()) // of a run that was killed
	if err := w.unsaved(); err != nil {
		return err
	}
	if err := w.copySources(); err != nil {
		return fmt.Errorf("lay out %s: %w", w.o.Folder, err)
	}
	if w.o.Variables != nil {
		if err := os.WriteFile(filepath.Join(w.root, variablesFile), w.o.Variables, 0o600); err != nil {
			return err
		}
	}
	return w.backend()
}

// own: the folder is emptied and filled at will, so it must be new, empty, or what an
// earlier run left, apart from the sources, and nothing in it may lead elsewhere.
func (w *Work) own() error {
	refuse := func(why string) error {
		return &Error{Kind: Configuration, Address: w.o.Folder, What: "is no folder to work in: " + why, Hint: "name a new or an empty one; what is in it would be removed"}
	}
	folder, infra := resolved(w.o.Folder), resolved(w.o.Infra)
	if within(folder, infra) || within(infra, folder) {
		return refuse("it overlaps the sources in " + w.o.Infra)
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	ours := func(e fs.DirEntry) bool { return e.Name() == busyFile }
	if len(entries) > 0 && !slices.ContainsFunc(entries, ours) {
		return refuse("no run has left what is in it")
	}
	for _, name := range []string{busyFile, "modules", "state", "environments", filepath.Join("environments", w.o.Environment)} {
		if info, err := os.Lstat(filepath.Join(folder, name)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return refuse(name + " in it is a link")
		}
	}
	return nil
}

// resolved is the path with links followed, as far as it is there.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if up := filepath.Dir(path); up != path {
		return filepath.Join(resolved(up), filepath.Base(path))
	}
	return path
}

func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// unsaved: what an earlier apply made but couldn't write to the state is lost if
// another runs before it is put there.
func (w *Work) unsaved() error {
	if _, err := os.Stat(filepath.Join(w.root, erroredFile)); err != nil {
		return nil
	}
	return &Error{
		Kind: StateUnsaved, What: "an earlier apply couldn't save the state; it is in " + filepath.Join(w.root, erroredFile),
		Hint: fmt.Sprintf("put it back and remove the file before anything else: cd %[1]s && terraform state push %[2]s && rm %[2]s", w.root, erroredFile),
	}
}

// kept is what Terraform made in the root, and needs again.
var kept = []string{".terraform", erroredFile}

func (w *Work) copySources() error {
	if err := os.RemoveAll(filepath.Join(w.o.Folder, "modules")); err != nil {
		return err
	}
	entries, err := os.ReadDir(w.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(kept, e.Name()) {
			if err := os.RemoveAll(filepath.Join(w.root, e.Name())); err != nil {
				return err
			}
		}
	}
	modules := filepath.Join(w.o.Infra, "modules")
	if _, err := os.Stat(modules); err == nil {
		if err := copyTree(modules, filepath.Join(w.o.Folder, "modules")); err != nil {
			return err
		}
	}
	return copyTree(w.source(), w.root)
}

func (w *Work) source() string { return filepath.Join(w.o.Infra, "environments", w.o.Environment) }

// copyTree copies regular files but for what Terraform left there. A link could
// lead anywhere, so it is an error.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir() && e.Name() == ".terraform":
			return fs.SkipDir
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case strings.Contains(e.Name(), ".tfstate") || strings.HasSuffix(e.Name(), ".tfplan"):
			return nil
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is not a file; write it out instead of linking", name)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, 0o600)
	})
}

// backend: the environment's own state.tfbackend, or a state in the work folder.
func (w *Work) backend() error {
	_, err := os.Stat(filepath.Join(w.source(), backendFile))
	w.local = errors.Is(err, fs.ErrNotExist)
	if !w.local {
		if err := w.backendSafe(); err != nil {
			return err
		}
		if resources(w.state()) > 0 {
			return &Error{
				Kind: StateUnsaved, What: fmt.Sprintf("%s names a state elsewhere, but the one here, %s, isn't empty", backendFile, w.state()),
				Hint: fmt.Sprintf("take it along, then move it away: cd %s && terraform init -reconfigure -backend-config=%s && terraform state push %s", w.root, backendFile, w.state()),
			}
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(w.state()), 0o700); err != nil {
		return err
	}
	quoted, err := json.Marshal(w.state()) // HCL reads a JSON string, but for ${ and %{
	if err != nil {
		return err
	}
	path := strings.NewReplacer("${", "$${", "%{", "%%{").Replace(string(quoted))
	text := "terraform {\n  backend \"local\" {\n    path = " + path + "\n  }\n}\n"
	return os.WriteFile(filepath.Join(w.root, overrideFile), []byte(text), 0o600)
}

// secretInBackend are settings of the azurerm backend that hold a secret.
var (
	secretInBackend = regexp.MustCompile(`(?m)^\s*(access_key|sas_token|client_secret|client_certificate_password)\s*=`)
	byIdentity      = regexp.MustCompile(`(?m)^\s*use_azuread_auth\s*=\s*true\b`)
)

// backendSafe: without use_azuread_auth the backend asks for the storage account's key.
func (w *Work) backendSafe() error {
	file := filepath.Join(w.source(), backendFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if m := secretInBackend.FindSubmatch(text); m != nil {
		return &Error{Kind: Configuration, Address: file, What: fmt.Sprintf("%s holds a secret", m[1]), Hint: "remove it; the one who deploys is known by az login, or by the pipeline's federated credential"}
	}
	if !byIdentity.Match(text) {
		return &Error{Kind: Configuration, Address: file, What: "the state would be read by the storage account's key", Hint: "write use_azuread_auth = true"}
	}
	return nil
}

// resources counts those of a state file, 0 if there is none.
func resources(file string) int {
	var state struct{ Resources []json.RawMessage }
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &state) != nil {
		return 0
	}
	return len(state.Resources)
}

// hide takes from others what Terraform wrote with the process's usual mode. The
// folder keeps them out already.
func (w *Work) hide() {
	files, _ := filepath.Glob(filepath.Join(w.o.Folder, "state", "*")) // the pattern is right
	for _, f := range append(files, w.plan(), filepath.Join(w.root, erroredFile)) {
		_ = os.Chmod(f, 0o600) // it may not be there
	}
}

// keepLock writes the providers' lock file back to the sources, where it is reviewed.
func (w *Work) keepLock() error {
	text, err := os.ReadFile(filepath.Join(w.root, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := filepath.Join(w.source(), lockFile)
	if had, err := os.ReadFile(to); err == nil && bytes.Equal(had, text) {
		return nil
	}
	return os.WriteFile(to, text, 0o644)
}
