package infra

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// mutation takes one security property away: text that is found once in a file, and what stands there instead.
type mutation struct {
	Name    string // the property, as a sentence
	File    string
	Find    string
	Replace string
	Fails   string // the run that must notice
}

type verdict struct {
	folder string
	mutation
	noticed bool
}

// A property that can be taken out without a test failing isn't held by any.
func TestEverySecurityPropertyIsMissedByATestWhenItIsGone(t *testing.T) {
	var mu sync.Mutex
	var table []verdict
	t.Run("mutations", func(t *testing.T) {
		for _, folder := range folders(t) {
			name := filepath.Join(copied(t), folder)
			text, err := os.ReadFile(filepath.Join(name, "tests", "mutations.json"))
			if err != nil {
				t.Errorf("%s: no table of mutations: %v", folder, err)
				continue
			}
			t.Run(filepath.ToSlash(folder), func(t *testing.T) {
				slot(t)
				done := mutate(t, folder, name, text)
				mu.Lock()
				defer mu.Unlock()
				table = append(table, done...)
			})
		}
	})
	show(t, table)
}

// mutate tries each mutation of a folder by itself, and reports those that nobody notices.
func mutate(t *testing.T, folder, dir string, text []byte) (table []verdict) {
	t.Helper()
	var all []mutation
	if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
		t.Fatalf("%s: tests/mutations.json: %d mutations, %v", folder, len(all), err)
	}
	tf := in(t, dir)
	for _, m := range all {
		file := filepath.Join(dir, m.File)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(before), m.Find); n != 1 {
			t.Errorf("%s: %q: its text stands in %s %d times, want once", folder, m.Name, m.File, n)
			continue
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(before), m.Find, m.Replace, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		restore := only(t, filepath.Join(dir, "tests"), m.Fails)
		runs := tested(t, tf)
		restore()
		noticed := slices.ContainsFunc(runs, func(r run) bool { return r.Name == m.Fails && r.Status == "fail" })
		if !noticed {
			t.Errorf("%s: without %q the run %q should fail; the runs were %v", folder, m.Name, m.Fails, runs)
		}
		table = append(table, verdict{folder, m, noticed})
		if err := os.WriteFile(file, before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// only leaves one run of a folder's tests, which saves the time of all others.
func only(t *testing.T, dir, name string) (restore func()) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tftest.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	before := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before[file] = text
		f := parse(t, file)
		for _, b := range blocks(f, "run") {
			if b.Labels()[0] != name {
				f.Body().RemoveBlock(b)
			}
		}
		if err := os.WriteFile(file, f.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for file, text := range before {
			_ = os.WriteFile(file, text, 0o644)
		}
	}
}

// show prints the table, which a reviewer reads.
func show(t *testing.T, table []verdict) {
	t.Helper()
	slices.SortStableFunc(table, func(a, b verdict) int { return strings.Compare(a.folder, b.folder) })
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "where\tproperty taken away\tnoticed by")
	for _, v := range table {
		by := v.Fails
		if !v.noticed {
			by = "NOBODY"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.folder, v.Name, by)
	}
	_ = w.Flush()
	t.Logf("%d mutations\n%s", len(table), out.String())
}
