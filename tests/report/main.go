// Command report reads `go test -json` and prints what a person wants to know:
// a line for each package, the output of what failed, each skip, and the counts.
// With CI=true, a skip that tests/allowed-skips doesn't name is a failure.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

type report struct {
	out                     io.Writer
	output                  map[string][]string // of a test, until it ended
	skips                   []string
	passed, failed, skipped int
	broken                  bool // a package that didn't build, or failed outside any test
}

func main() {
	allowed, err := readAllowed("tests/allowed-skips")
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	r := &report{out: os.Stdout, output: map[string][]string{}}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			r.take(line)
		}
		if err != nil {
			break
		}
	}
	if !r.close(allowed, os.Getenv("CI") == "true") {
		os.Exit(1)
	}
}

// readAllowed is each line of the file that isn't a comment.
func readAllowed(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out, nil
}

func (r *report) take(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil { // go itself speaks, not a test
		fmt.Fprintf(r.out, "%s", line)
		return
	}
	e.Package = strings.TrimPrefix(e.Package, "tollgate/")
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "fail", "skip":
		r.ended(e, key)
		delete(r.output, key)
	}
}

func (r *report) ended(e event, key string) {
	if e.Test == "" {
		r.packageEnded(e, key)
		return
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		fmt.Fprint(r.out, strings.Join(r.output[key], ""))
	case "skip":
		r.skipped++
		r.skips = append(r.skips, key)
		fmt.Fprint(r.out, strings.Join(r.output[key], ""))
	}
}

func (r *report) packageEnded(e event, key string) {
	switch e.Action {
	case "fail":
		r.broken = true
		fmt.Fprintf(r.out, "%sFAIL %s\n", strings.Join(r.output[key], ""), e.Package)
	case "pass":
		fmt.Fprintf(r.out, "ok   %-28s %.1fs\n", e.Package, e.Elapsed)
	}
}

// close prints the counts and tells whether all is well.
func (r *report) close(allowed []string, ci bool) bool {
	well := r.failed == 0 && !r.broken
	for _, s := range r.skips {
		if ci && !slices.Contains(allowed, s) {
			well = false
			fmt.Fprintf(r.out, "skipped, but not named in tests/allowed-skips: %s\n", s)
		}
	}
	if r.passed+r.failed == 0 {
		well = false
		fmt.Fprintln(r.out, "no test ran")
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	return well
}
