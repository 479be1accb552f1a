package bundle

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tollgate/localrun/host"
	"tollgate/shared/contract"
)

// Handler is the handler's file in a package: what host.json names.
const Handler = "azure-handler"

// Open is the app's folder: name itself, or a fresh copy of the zip that it
// is. Call done when it is no longer needed.
func Open(name string) (dir string, done func(), err error) {
	if !inZip(name) {
		return name, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", "tollgate-app-"); err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(dir) } // a temporary folder; nothing is lost if it stays
	if err := Unpack(name, dir); err != nil {
		done()
		return "", nil, err
	}
	return dir, done, nil
}

// Check reports everything for which a real host would not load the app, or
// would call the handler in another way than it was tested. A package with a
// bootstrap is one for AWS Lambda.
func Check(name string) error {
	dir, done, err := Open(name)
	if err != nil {
		return err
	}
	defer done()
	if _, err := os.Stat(filepath.Join(dir, Bootstrap)); err == nil {
		return checkLambda(dir)
	}
	faults := []error{checkFiles(dir), checkContracts(filepath.Join(dir, "contracts"))}
	app, err := host.Load(dir)
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	return errors.Join(append(faults, checkFunctions(app), checkHandler(app))...)
}

// checkFiles: what is deployed is what was tested, and nothing else.
func checkFiles(dir string) error {
	var faults []error
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		parts := strings.Split(name, "/")
		last := parts[len(parts)-1]
		switch {
		case last == "function.json" && len(parts) != 2:
			faults = append(faults, fmt.Errorf("%s: the host looks for function.json exactly one folder below host.json; move it to %s/function.json", name, parts[max(len(parts)-2, 0)]))
		case last == "host.json" && len(parts) != 1:
			faults = append(faults, fmt.Errorf("%s: host.json must stand at the package's root", name))
		case parts[0] == "contracts", parts[0] == "snapshot" && len(parts) == 2, len(parts) == 2 && last == "function.json", len(parts) == 1 && (last == "host.json" || last == Handler):
		default:
			faults = append(faults, fmt.Errorf("%s: doesn't belong into the package; it holds host.json, the handler, function folders, contracts and a snapshot", name))
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}

func checkContracts(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return errors.New("contracts: the package holds none; the gateway wouldn't start")
	}
	estate, faults := contract.Load(os.DirFS(dir))
	if estate == nil {
		return fmt.Errorf("contracts: %w", faults.Err())
	}
	environments := estate.Environments()
	var bad []error
	for _, e := range environments {
		if _, faults := estate.Plan(e); faults.Err() != nil {
			bad = append(bad, fmt.Errorf("contracts: %w", faults.Err()))
		}
	}
	if len(environments) == 0 {
		bad = append(bad, errors.New("contracts/environments: the package holds none; TOLLGATE_ENVIRONMENT could name nothing"))
	}
	return errors.Join(bad...)
}

// checkFunctions: every path in proxy mode to one function that asks no key.
func checkFunctions(app *host.App) error {
	var faults []error
	caught := false
	for _, f := range app.Functions {
		file := f.Name + "/function.json"
		if f.Trigger != "httpTrigger" {
			continue
		}
		if f.Mode != host.Proxy {
			faults = append(faults, fmt.Errorf("%s: the host would call it in %s mode, which buffers and loses headers: give it one httpTrigger and one http output and nothing else, and set customHandler.enableProxyingHttpRequest in host.json", file, f.Mode))
		}
		if f.AuthLevel != "anonymous" {
			faults = append(faults, fmt.Errorf("%s: authLevel is %q: the host would ask for its own key; say anonymous, the gateway decides", file, f.AuthLevel))
		}
		if f.Route == "{*path}" {
			caught = true
			faults = append(faults, checkMethods(file, f.Methods))
		}
	}
	if !caught {
		faults = append(faults, errors.New(`no function takes every path: one needs "route": "{*path}", and host.json "extensions": {"http": {"routePrefix": ""}}`))
	}
	return errors.Join(faults...)
}

// checkMethods: functions-host.md §3: a method that isn't listed is 404 before
// the gateway could say 405.
func checkMethods(file string, methods []string) error {
	if len(methods) == 0 {
		return nil
	}
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		if !slices.Contains(methods, m) {
			return fmt.Errorf("%s: methods lacks %q; the host would answer 404 for it", file, strings.ToLower(m))
		}
	}
	return nil
}

// checkHandler: functions-host.md §6: linux, x86-64, statically linked, executable.
func checkHandler(app *host.App) error {
	file := filepath.Join(app.Root, Handler)
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("%s: the package doesn't hold the handler: %w", Handler, err)
	}
	var faults []error
	if exe := app.Executable(); exe != Handler {
		// The tools that publish a package give the executable bit to the entry of exactly this name.
		faults = append(faults, fmt.Errorf("host.json: defaultExecutablePath is %q, want %q, spelt as the package's entry is", exe, Handler))
	}
	return errors.Join(append(faults, checkProgram(file, info.Mode(), "the host runs x86-64 (GOARCH=amd64)", elf.EM_X86_64))...)
}

// checkProgram: executable, static, and for a machine that there is.
func checkProgram(file string, mode fs.FileMode, wanted string, machines ...elf.Machine) error {
	name := filepath.Base(file)
	var faults []error
	if mode&0o111 == 0 {
		faults = append(faults, errors.New(name+": has no executable bit; its zip entry needs mode 0755 and the Unix creator"))
	}
	f, err := elf.Open(file)
	if err != nil {
		return errors.Join(append(faults, fmt.Errorf("%s: isn't a Linux program: %w", name, err))...)
	}
	defer f.Close()
	if !slices.Contains(machines, f.Machine) {
		faults = append(faults, fmt.Errorf("%s: is built for %s; %s", name, f.Machine, wanted))
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		faults = append(faults, errors.New(name+": is dynamically linked; build it with CGO_ENABLED=0"))
	}
	return errors.Join(faults...)
}
