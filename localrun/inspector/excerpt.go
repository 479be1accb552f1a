package inspector

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"tollgate/shared/audit"
)

// around is how many lines of a contract are shown before and after the one that decided.
const around = 5

// excerpt is a piece of a contract.
type excerpt struct {
	Rule  string
	File  string // as a person finds it
	Line  int
	Lines []sourceLine
}

type sourceLine struct {
	Number  int
	Text    string
	Decides bool
}

// decided is the line that refused the call, or for a granted one the line that let it in; nil: none did.
func (in *Inspector) decided(e *audit.Event) *excerpt {
	rule := e.Rule
	if rule == "" && e.Verdict == audit.Granted && e.API != "" && e.Operation != "" {
		rule = "operations." + e.Operation + ".allow"
	}
	if rule == "" {
		return nil
	}
	file, line := in.options.Plan.Place(e.API, rule)
	if line == 0 {
		return nil
	}
	return &excerpt{rule, filepath.Join(in.options.Source, file), line, in.lines(file, line)}
}

// lines are those around the one, of the copy that is enforced: the original may have been edited since.
func (in *Inspector) lines(file string, line int) []sourceLine {
	root, err := os.OpenRoot(in.options.Dir)
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }() // it was only read
	f, err := root.Open(file)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	var out []sourceLine
	for n := max(1, line-around); n <= min(len(all), line+around); n++ {
		out = append(out, sourceLine{n, strings.TrimRight(all[n-1], "\r"), n == line})
	}
	return out
}
