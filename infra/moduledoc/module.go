package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// module is what a folder of Terraform files says of itself.
type module struct {
	name      string
	about     string // the comment that main.tf begins with
	terraform string // the version it asks for
	providers []string
	parts     []part
	variables []variable
	outputs   []output
	held      []string // sentences of tests/mutations.json
}

// part is one file, and what it makes.
type part struct {
	file, about string
	makes       []string
}

type variable struct {
	name, kind, fallback, about string
	rules                       []string
	sensitive                   bool
}

type output struct {
	name, about string
	sensitive   bool
}

// load reads a folder's *.tf files, by name, and what its tests hold.
func load(dir string) (*module, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(names, byImportance)
	m := &module{name: filepath.Base(dir)}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		parsed, faults := hclsyntax.ParseConfig(text, filepath.Base(name), hcl.InitialPos)
		if faults.HasErrors() {
			return nil, fmt.Errorf("read %s: %w", name, faults)
		}
		m.add(source{text}, filepath.Base(name), parsed.Body.(*hclsyntax.Body))
	}
	m.held, err = held(filepath.Join(dir, "tests", "mutations.json"))
	return m, err
}

// byImportance is by name, main.tf first.
func byImportance(a, b string) int {
	first := func(s string) int {
		if filepath.Base(s) == "main.tf" {
			return 0
		}
		return 1
	}
	if d := first(a) - first(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

func (m *module) add(s source, name string, body *hclsyntax.Body) {
	p := part{file: name, about: s.lead()}
	if name == "main.tf" {
		m.about, p.about = p.about, ""
	}
	for _, b := range body.Blocks {
		switch b.Type {
		case "terraform":
			m.needs(s, b.Body)
		case "variable":
			m.variables = append(m.variables, s.variable(b))
		case "output":
			m.outputs = append(m.outputs, output{b.Labels[0], s.text(b.Body, "description"), s.raw(b.Body, "sensitive") == "true"})
		case "resource", "module", "data":
			p.makes = append(p.makes, s.made(b))
		}
	}
	if len(p.makes) > 0 {
		m.parts = append(m.parts, p)
	}
}

func (m *module) needs(s source, body *hclsyntax.Body) {
	m.terraform = s.text(body, "required_version")
	for _, b := range body.Blocks {
		if b.Type != "required_providers" {
			continue
		}
		for name, a := range b.Body.Attributes {
			of, _ := a.Expr.Value(nil)
			m.providers = append(m.providers, strings.TrimSpace(member(of, "source", name)+" "+member(of, "version", "")))
		}
	}
	slices.Sort(m.providers)
}

func member(of cty.Value, name, fallback string) string {
	if of.IsWhollyKnown() && of.Type().IsObjectType() && of.Type().HasAttribute(name) {
		return of.GetAttr(name).AsString()
	}
	return fallback
}

// held is "" for a module that has no such file.
func held(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []struct{ Name string }
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Name)
	}
	return names, nil
}
