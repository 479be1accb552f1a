package infra

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"tollgate/tests/need"
	"tollgate/tests/terraform"
)

func TestEveryModuleAndEnvironmentIsFormattedValidAndTested(t *testing.T) {
	terraform.Mirror(t)
	dir := copied(t)
	for _, folder := range folders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			slot(t)
			tf := in(t, filepath.Join(dir, folder))
			if good, files, err := tf.FormatCheck(t.Context()); err != nil || !good {
				t.Errorf("terraform fmt would change %v (%v)", files, err)
			}
			said, err := tf.Validate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range said.Diagnostics {
				t.Errorf("terraform validate: %s: %s %s", d.Severity, d.Summary, d.Detail)
			}
			for _, r := range tested(t, tf) {
				if r.Status != "pass" {
					t.Errorf("%s, %q: %s\n%s", r.File, r.Name, r.Status, strings.Join(r.Why, "\n"))
				}
			}
		})
	}
}

// A validation that no test makes fail may be one that never fails.
func TestEveryValidationHasATestThatMakesItFail(t *testing.T) {
	for _, folder := range folders(t) {
		dir := filepath.Join(need.Root(t), "infra", folder)
		expected := map[string]int{}
		for _, f := range parsed(t, filepath.Join(dir, "tests", "*.tftest.hcl")) {
			for _, b := range blocks(f, "run") {
				if a := b.Body().GetAttribute("expect_failures"); a != nil {
					for _, name := range variable.FindAllStringSubmatch(string(a.Expr().BuildTokens(nil).Bytes()), -1) {
						expected[name[1]]++
					}
				}
			}
		}
		for _, f := range parsed(t, filepath.Join(dir, "*.tf")) {
			for _, v := range blocks(f, "variable") {
				rules := 0
				for _, b := range v.Body().Blocks() {
					if b.Type() == "validation" {
						rules++
					}
				}
				if got := expected[v.Labels()[0]]; got < rules {
					t.Errorf("%s: variable %s has %d validations, and tests make it fail %d times", folder, v.Labels()[0], rules, got)
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`var\s*\.\s*([a-z0-9_]+)`)

// Fifteen variables are what a reader takes in.
func TestAModuleHasFifteenVariablesAtTheMostAllDescribed(t *testing.T) {
	for _, folder := range folders(t) {
		n := 0
		for _, f := range parsed(t, filepath.Join(need.Root(t), "infra", folder, "*.tf")) {
			for _, b := range blocks(f, "variable") {
				n++
				if b.Body().GetAttribute("description") == nil || b.Body().GetAttribute("type") == nil {
					t.Errorf("%s: variable %s needs a type and a description", folder, b.Labels()[0])
				}
			}
		}
		if n > 15 {
			t.Errorf("%s has %d variables, want 15 at the most", folder, n)
		}
	}
}

func parsed(t testing.TB, pattern string) (all []*hclwrite.File) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		all = append(all, parse(t, name))
	}
	return all
}

func parse(t testing.TB, name string) *hclwrite.File {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, faults := hclwrite.ParseConfig(text, name, hcl.InitialPos)
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	return f
}

func blocks(f *hclwrite.File, kind string) (all []*hclwrite.Block) {
	for _, b := range f.Body().Blocks() {
		if b.Type() == kind {
			all = append(all, b)
		}
	}
	return all
}
