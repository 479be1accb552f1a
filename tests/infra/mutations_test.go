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

	"tollgate/infra/guard"
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
			if folder == "environments/dev" || folder == "environments/staging" {
				continue // they switch things off; prod is what must hold
			}
			t.Run(filepath.Base(folder), func(t *testing.T) {
				slot(t)
				done := mutate(t, folder)
				mu.Lock()
				defer mu.Unlock()
				table = append(table, done...)
			})
		}
	})
	show(t, table)
}

// mutate tries each mutation of a folder by itself, and reports those that nobody notices.
func mutate(t *testing.T, folder string) (table []verdict) {
	t.Helper()
	root := copied(t)
	dir := filepath.Join(root, folder)
	text, err := os.ReadFile(filepath.Join(dir, "tests", "mutations.json"))
	if err != nil {
		t.Fatalf("%s has no table of mutations: %v", folder, err)
	}
	var all []mutation
	if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
		t.Fatalf("%s: tests/mutations.json: %d mutations, %v", folder, len(all), err)
	}
	notices := byItsTests(t, dir)
	if folder == "modules/estate" || folder == "environments/prod" {
		notices = byThePlanOfProd(t, root)
	}
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
		noticed, instead := notices(m.Fails)
		if !noticed {
			t.Errorf("%s: without %q, %q should fail; instead: %v", folder, m.Name, m.Fails, instead)
		}
		table = append(table, verdict{folder, m, noticed})
		if err := os.WriteFile(file, before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// notices tells whether what must notice does, or else what happened instead.
type notices func(what string) (noticed bool, instead any)

// byItsTests: the run of that name fails. In Terraform's words that is an error where an expected failure
// doesn't come, or where one assertion fails and another can't be judged.
func byItsTests(t *testing.T, dir string) notices {
	t.Helper()
	tf := in(t, dir)
	return func(name string) (bool, any) {
		restore := only(t, filepath.Join(dir, "tests"), name)
		defer restore()
		runs := tested(t, tf)
		return slices.ContainsFunc(runs, func(r run) bool {
			said := slices.ContainsFunc(r.Why, func(why string) bool {
				return strings.HasPrefix(why, "Missing expected failure") || strings.HasPrefix(why, "Test assertion failed")
			})
			return r.Name == name && (r.Status == "fail" || r.Status == "error" && said)
		}), runs
	}
}

// ears hear what a test would have failed with.
type ears struct {
	testing.TB
	said []string
}

func (e *ears) Errorf(format string, args ...any) {
	e.said = append(e.said, fmt.Sprintf(format, args...))
}

// byThePlanOfProd: the whole of prod with the example contracts is planned. Then Terraform
// refuses it with those words, or a rule of the guard does, or it no longer agrees with what the gateway enforces.
func byThePlanOfProd(t *testing.T, root string) notices {
	t.Helper()
	p := within(t, root, "prod")
	estate := example(t)
	return func(what string) (bool, any) {
		by, words, _ := strings.Cut(what, ": ")
		plan, err := p.try(t, estate)
		if err != nil {
			return by == "terraform" && strings.Contains(err.Error(), words), err
		}
		if by == "agreement" {
			heard := &ears{TB: t}
			agree(heard, plan, estate, bound(t, estate, "prod"))
			return strings.Contains(strings.Join(heard.said, "\n"), words), heard.said
		}
		found := guard.Check(plan, guard.Facts{Private: true})
		return by == "guard" && slices.ContainsFunc(found, func(f guard.Finding) bool { return f.Rule == words }), found
	}
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
