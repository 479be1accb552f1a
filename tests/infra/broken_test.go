package infra

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/tests/terraform"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
)

// broken is one way to break the first block that can be broken so.
type broken struct {
	name string
	want string // what Terraform says, or a part of it
	do   func(*hclwrite.Body, []demand) bool
}

// demand is what a block may or must hold.
type demand struct {
	name     string
	required bool
	typed    bool // a value of any type won't do
}

var ways = []broken{
	{"a wrong attribute", "Unsupported argument", func(b *hclwrite.Body, _ []demand) bool {
		b.SetAttributeRaw("no_such_attribute", hclwrite.TokensForIdentifier("true"))
		return true
	}},
	{"a missing required attribute", "Missing required argument", func(b *hclwrite.Body, all []demand) bool {
		for _, d := range all {
			if d.required && b.GetAttribute(d.name) != nil {
				b.RemoveAttribute(d.name)
				return true
			}
		}
		return false
	}},
	{"a wrong type", "", func(b *hclwrite.Body, all []demand) bool {
		for _, d := range all {
			if d.typed && b.GetAttribute(d.name) != nil {
				// No attribute here is an object that holds a list under this name.
				b.SetAttributeRaw(d.name, hclwrite.TokensForIdentifier(`{ wrong = [["type"]] }`))
				return true
			}
		}
		return false
	}},
}

// Terraform's checks of a module are only worth what they find: a copy of each, broken
// on purpose, must fail to validate, and for that reason.
func TestABrokenCopyOfEachModuleAndEnvironmentFails(t *testing.T) {
	terraform.Mirror(t)
	for _, folder := range folders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			slot(t)
			root := copied(t)
			dir := filepath.Join(root, folder)
			tf := bare(t, dir)
			if kind, name := filepath.Split(folder); kind == "environments/" {
				tf = within(t, root, name).tf // the schemas can't be asked for without the backend
			} else if err := tf.Init(t.Context(), tfexec.Backend(false)); err != nil {
				t.Fatal(err)
			}
			known, err := tf.ProvidersSchema(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, way := range ways {
				restore := breakCopy(t, dir, known, way)
				said, err := tf.Validate(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if said.Valid || !slices.ContainsFunc(said.Diagnostics, func(d tfjson.Diagnostic) bool { return strings.Contains(d.Summary, way.want) }) {
					t.Errorf("with %s, terraform validate says %+v, want an error: %s", way.name, said.Diagnostics, way.want)
				}
				restore()
			}
		})
	}
}

// breakCopy breaks the first file that has a block to break, and returns how to mend it.
func breakCopy(t *testing.T, dir string, known *tfjson.ProviderSchemas, way broken) (restore func()) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "main*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f := parse(t, name)
		for _, b := range append(blocks(f, "resource"), blocks(f, "module")...) {
			before, _ := os.ReadFile(name)
			if !way.do(b.Body(), demands(t, dir, b, known)) {
				continue
			}
			if err := os.WriteFile(name, f.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			return func() { _ = os.WriteFile(name, before, 0o644) }
		}
	}
	t.Fatalf("%s has nothing that can be broken by %s", dir, way.name)
	return nil
}

func demands(t *testing.T, dir string, b *hclwrite.Block, known *tfjson.ProviderSchemas) (all []demand) {
	t.Helper()
	if b.Type() == "module" {
		source := strings.Trim(strings.TrimSpace(string(b.Body().GetAttribute("source").Expr().BuildTokens(nil).Bytes())), `"`)
		for _, f := range parsed(t, filepath.Join(dir, source, "*.tf")) {
			for _, v := range blocks(f, "variable") {
				kind := strings.TrimSpace(string(v.Body().GetAttribute("type").Expr().BuildTokens(nil).Bytes()))
				all = append(all, demand{v.Labels()[0], v.Body().GetAttribute("default") == nil, !strings.Contains(kind, "any")})
			}
		}
		return all
	}
	for _, p := range known.Schemas {
		if s := p.ResourceSchemas[b.Labels()[0]]; s != nil {
			for name, a := range s.Block.Attributes {
				all = append(all, demand{name, a.Required, true})
			}
		}
	}
	slices.SortFunc(all, func(a, b demand) int { return strings.Compare(a.name, b.name) })
	return all
}
