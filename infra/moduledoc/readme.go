package main

import (
	"bytes"
	"fmt"
	"strings"
)

// readme is a folder's README.
func readme(dir string) ([]byte, error) {
	m, err := load(dir)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!-- make infra-docs wrote this out of the files beside it; change those. -->\n\n# %s\n", m.name)
	if m.about != "" {
		fmt.Fprintf(&b, "\n%s\n", m.about)
	}
	if m.terraform != "" {
		needs := append([]string{"Terraform " + m.terraform}, m.providers...)
		fmt.Fprintf(&b, "\nIt needs %s.\n", strings.Join(needs, ", "))
	}
	m.writeParts(&b)
	m.writeVariables(&b)
	m.writeOutputs(&b)
	if len(m.held) > 0 {
		b.WriteString("\n## What its tests hold\n\nFor each, `tests/mutations.json` has a change that makes a named test fail.\n\n")
		for _, name := range m.held {
			fmt.Fprintf(&b, "- %s\n", name)
		}
	}
	return b.Bytes(), nil
}

func (m *module) writeParts(b *bytes.Buffer) {
	if len(m.parts) == 0 {
		return
	}
	b.WriteString("\n## What it makes\n")
	for _, p := range m.parts {
		fmt.Fprintf(b, "\n**%s**", p.file)
		if p.about != "" {
			fmt.Fprintf(b, ": %s", oneLine(p.about))
		}
		b.WriteString("\n\n")
		for _, one := range p.makes {
			fmt.Fprintf(b, "- %s\n", one)
		}
	}
}

func (m *module) writeVariables(b *bytes.Buffer) {
	if len(m.variables) == 0 {
		return
	}
	b.WriteString("\n## Variables\n\n| name | type | default | what, and what is refused |\n|---|---|---|---|\n")
	for _, v := range m.variables {
		kind, _, _ := strings.Cut(v.kind, "({")
		fallback := "**required**"
		if v.fallback != "" {
			fallback = code(oneLine(v.fallback))
		}
		about := []string{v.about}
		for _, r := range v.rules {
			about = append(about, "*"+r+"*")
		}
		if v.sensitive {
			about = append(about, "Sensitive.")
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", v.name, cell(code(oneLine(kind))), cell(fallback), cell(strings.Join(about, "\n")))
	}
	b.WriteString(m.shapes())
}

// shapes are the types that have members.
func (m *module) shapes() string {
	var b strings.Builder
	for _, v := range m.variables {
		if strings.Contains(v.kind, "({") {
			fmt.Fprintf(&b, "%s = %s\n\n", v.name, v.kind)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n```hcl\n" + strings.TrimSuffix(b.String(), "\n") + "```\n"
}

func (m *module) writeOutputs(b *bytes.Buffer) {
	if len(m.outputs) == 0 {
		return
	}
	b.WriteString("\n## Outputs\n\n| name | what |\n|---|---|\n")
	for _, o := range m.outputs {
		about := o.about
		if o.sensitive {
			about += " Sensitive."
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", o.name, cell(about))
	}
}

// cell is text in a table: a line end and a bar would end the cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", "<br>").Replace(strings.TrimSpace(text))
}
