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

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"tollgate/infra/guard"
	"tollgate/shared/contract"
	"tollgate/tests/terraform"
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
	terraform.Mirror(t)
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
	notice := byItsTests
	if folder == "modules/estate" || folder == "environments/prod" {
		notice = byThePlanOfProd
	}
	for i, heard := range notice(t, root, dir, all) {
		if !heard.noticed {
			t.Errorf("%s: without %q, %q should fail; instead: %v", folder, all[i].Name, all[i].Fails, heard.instead)
		}
		table = append(table, verdict{folder, all[i], heard.noticed})
	}
	return table
}

// heard is whether what must notice a mutation did, or else what happened instead.
type heard struct {
	noticed bool
	instead any
}

// change does what a mutation says to a copy of the folder's files.
func (m mutation) change(t *testing.T, dir string) (restore func()) {
	t.Helper()
	file := filepath.Join(dir, m.File)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(before), m.Find); n != 1 {
		t.Fatalf("%s: %q: its text stands in %s %d times, want once", dir, m.Name, m.File, n)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(before), m.Find, m.Replace, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.WriteFile(file, before, 0o644) }
}

// byItsTests: the run of that name fails. Each mutant is a copy beside the module, and a test file
// of its own runs that one run against it, so that Terraform starts once for all of them.
func byItsTests(t *testing.T, _, dir string, all []mutation) []heard {
	t.Helper()
	originals := parsedByName(t, filepath.Join(dir, "tests", "*.tftest.hcl"))
	for name := range originals {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	whole := t.TempDir()
	if err := copyTree(dir, whole); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(whole, "tests")); err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		mutant := fmt.Sprintf("mutant%03d", i)
		if err := copyTree(whole, filepath.Join(dir, mutant)); err != nil {
			t.Fatal(err)
		}
		m.change(t, filepath.Join(dir, mutant))
		if err := os.WriteFile(filepath.Join(dir, "tests", mutant+".tftest.hcl"), against(t, originals, m.Fails, "./"+mutant), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	runs := tested(t, in(t, dir))
	out := make([]heard, len(all))
	for i, m := range all {
		for _, r := range runs {
			if filepath.Base(r.File) == fmt.Sprintf("mutant%03d.tftest.hcl", i) && r.Name == m.Fails {
				out[i] = heard{r.failed(), r}
			}
		}
	}
	return out
}

// failed: in Terraform's words it is an error too where an expected failure doesn't come, or where one
// assertion fails and another can't be judged.
func (r run) failed() bool {
	said := slices.ContainsFunc(r.Why, func(why string) bool {
		return strings.HasPrefix(why, "Missing expected failure") || strings.HasPrefix(why, "Test assertion failed")
	})
	return r.Status == "fail" || r.Status == "error" && said
}

// against is a test file with one run of another, which is about the module at source.
func against(t *testing.T, originals map[string][]byte, name, source string) []byte {
	t.Helper()
	for file, text := range originals {
		f, faults := hclwrite.ParseConfig(text, file, hcl.InitialPos)
		if faults.HasErrors() {
			t.Fatal(faults)
		}
		found := false
		for _, b := range blocks(f, "run") {
			if b.Labels()[0] != name {
				f.Body().RemoveBlock(b)
				continue
			}
			found = true
			b.Body().AppendNewBlock("module", nil).Body().SetAttributeValue("source", cty.StringVal(source))
		}
		if found {
			return f.Bytes()
		}
	}
	t.Fatalf("there is no run %q", name)
	return nil
}

func parsedByName(t *testing.T, pattern string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = text
	}
	return out
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
func byThePlanOfProd(t *testing.T, root, dir string, all []mutation) (out []heard) {
	t.Helper()
	p := within(t, root, "prod")
	estate := example(t)
	for _, m := range all {
		restore := m.change(t, dir)
		out = append(out, judged(t, p, estate, m.Fails))
		restore()
	}
	return out
}

func judged(t *testing.T, p *place, estate *contract.Estate, what string) heard {
	t.Helper()
	by, words, _ := strings.Cut(what, ": ")
	plan, err := p.try(t, estate)
	if err != nil {
		return heard{by == "terraform" && strings.Contains(err.Error(), words), err}
	}
	if by == "agreement" {
		e := &ears{TB: t}
		agree(e, plan, estate, bound(t, estate, "prod"))
		return heard{strings.Contains(strings.Join(e.said, "\n"), words), e.said}
	}
	found := guard.Check(plan, guard.Facts{Private: true})
	return heard{by == "guard" && slices.ContainsFunc(found, func(f guard.Finding) bool { return f.Rule == words }), found}
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
