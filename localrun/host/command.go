package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"tollgate/localrun/child"
)

// command is the handler's process before it is started.
type command struct {
	exe  string
	args []string
	dir  string
	env  environment
}

// newCommand applies functions-host.md §1.1 to customHandler.description. env
// already holds the injected variables.
func newCommand(root string, w worker, env environment) (command, error) {
	join := func(base, path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(base, path)
	}
	exe := expand(w.exe, env)
	if exe == "" {
		return command{}, fmt.Errorf("host.json: customHandler.description.defaultExecutablePath: %q is empty once its variables are filled in: name the handler's file", w.exe)
	}
	base := root
	if w.dir != "" {
		base = join(root, w.dir)
	}
	// Relative to the app root only if that file exists, else left for PATH.
	if full := join(base, exe); isFile(full) {
		exe = full
	}
	c := command{exe: exe, dir: root, env: env, args: splitArguments(argumentText(w, env))}
	if w.cwd != "" {
		c.dir = join(root, w.cwd)
	}
	return c, nil
}

// argumentText joins arguments with spaces and without quotes, as the host does:
// an argument with a space is two. Only defaultWorkerPath is quoted.
func argumentText(w worker, env environment) string {
	var text strings.Builder
	for _, arg := range w.args {
		text.WriteString(" " + expand(arg, env))
	}
	if w.path != "" {
		text.WriteString(` "` + expand(w.path, env) + `"`)
	}
	for _, arg := range w.tail {
		text.WriteString(" " + expand(arg, env))
	}
	// What is left between two percent signs is deleted, meant or not.
	return regexp.MustCompile(`%.+?%`).ReplaceAllString(text.String(), "")
}

// expand replaces each %NAME% of a known variable; others stay.
func expand(text string, env environment) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(text, '%')
		if start < 0 {
			break
		}
		end := strings.IndexByte(text[start+1:], '%')
		if end < 0 {
			break
		}
		end += start + 1
		if value, ok := env.values[text[start+1:end]]; ok {
			out.WriteString(text[:start] + value)
			text = text[end+1:]
			continue
		}
		out.WriteString(text[:end])
		text = text[end:]
	}
	return out.String() + text
}

// splitArguments cuts a command line as .NET's Process does on Unix: at spaces
// and tabs outside double quotes, with backslashes escaping quotes only.
func splitArguments(text string) []string {
	var args []string
	var arg strings.Builder
	inside, started := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			slashes := 1
			for i+slashes < len(text) && text[i+slashes] == '\\' {
				slashes++
			}
			started = true
			i += slashes - 1
			if i+1 >= len(text) || text[i+1] != '"' {
				arg.WriteString(strings.Repeat(`\`, slashes))
				continue
			}
			arg.WriteString(strings.Repeat(`\`, slashes/2))
			if slashes%2 == 1 {
				arg.WriteByte('"')
				i++
			}
		case c == '"':
			inside, started = !inside, true
		case (c == ' ' || c == '\t') && !inside:
			if started {
				args = append(args, arg.String())
				arg.Reset()
				started = false
			}
		default:
			arg.WriteByte(c)
			started = true
		}
	}
	if started {
		args = append(args, arg.String())
	}
	return args
}

// check finds the handler's file and refuses one that can't be started.
func (c *command) check(chmod bool) (warning string, err error) {
	if c.exe, err = lookPath(c.exe, c.env.values["PATH"]); err != nil {
		return "", err
	}
	info, err := os.Stat(c.exe)
	if err != nil {
		return "", fmt.Errorf("find the handler: %w", err)
	}
	if info.Mode()&0o111 != 0 {
		return "", nil
	}
	if !chmod {
		return "", fmt.Errorf("start the handler: %s has mode %#o, without the executable bit: run chmod +x on it and give its entry in the package mode 0755 (Options.ChmodHandler tries that at start, as Flex Consumption does)", c.exe, info.Mode().Perm())
	}
	// functions-host.md §1.1: a chmod that fails is only worth a warning.
	if err := os.Chmod(c.exe, info.Mode().Perm()|0o111); err != nil {
		return fmt.Sprintf("make the handler executable: %v", err), nil
	}
	return "", nil
}

func lookPath(exe, path string) (string, error) {
	if strings.Contains(exe, "/") || filepath.IsAbs(exe) {
		if isFile(exe) {
			return exe, nil
		}
		return "", fmt.Errorf("find the handler: no file %s: build it there, or correct customHandler.description.defaultExecutablePath in host.json", exe)
	}
	for _, dir := range filepath.SplitList(path) {
		if full := filepath.Join(dir, exe); filepath.IsAbs(full) && isExecutable(full) {
			return full, nil
		}
	}
	return "", fmt.Errorf("find the handler: no file %q in the app root and none on PATH: build it there, or correct customHandler.description.defaultExecutablePath in host.json", exe)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !errors.Is(err, fs.ErrPermission) && info.Mode()&0o111 != 0
}

// startProcess starts the command and hands each printed line to the reporter.
func startProcess(c command, report *reporter) (*child.Process, error) {
	return child.Start(child.Command{Exe: c.exe, Args: c.args, Dir: c.dir, Env: c.env.pairs(), Stdout: report.stdout, Stderr: report.stderr})
}
