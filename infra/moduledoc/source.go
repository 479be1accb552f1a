package main

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// source is a file's text, of which expressions are shown as they stand there.
type source struct{ file []byte }

// lead is the comment that the file begins with, as paragraphs of one line each.
func (s source) lead() string {
	var paragraphs []string
	var words []string
	end := func() {
		if len(words) > 0 {
			paragraphs, words = append(paragraphs, strings.Join(words, " ")), nil
		}
	}
	for line := range strings.Lines(string(s.file)) {
		comment, is := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !is {
			break
		}
		if comment = strings.TrimSpace(comment); comment == "" {
			end()
			continue
		}
		words = append(words, comment)
	}
	end()
	return strings.Join(paragraphs, "\n\n")
}

// raw is an attribute's expression as it is written; "" without one.
func (s source) raw(body *hclsyntax.Body, name string) string {
	a := body.Attributes[name]
	if a == nil {
		return ""
	}
	return dedent(string(a.Expr.Range().SliceBytes(s.file)))
}

// text is an attribute that holds a text; what is not a fixed one is shown as it is written.
func (s source) text(body *hclsyntax.Body, name string) string {
	a := body.Attributes[name]
	if a == nil {
		return ""
	}
	v, faults := a.Expr.Value(nil)
	if !faults.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return strings.TrimSpace(v.AsString())
	}
	return strings.Trim(s.raw(body, name), `"`)
}

func (s source) variable(b *hclsyntax.Block) variable {
	v := variable{
		name: b.Labels[0], about: s.text(b.Body, "description"), kind: s.raw(b.Body, "type"), fallback: s.raw(b.Body, "default"),
		sensitive: s.raw(b.Body, "sensitive") == "true",
	}
	for _, rule := range b.Body.Blocks {
		if rule.Type == "validation" {
			v.rules = append(v.rules, s.text(rule.Body, "error_message"))
		}
	}
	return v
}

// made is a resource, data source or module call, and how many there are of it.
func (s source) made(b *hclsyntax.Block) string {
	out := "`" + strings.Join(b.Labels, ".") + "`"
	switch b.Type {
	case "data":
		out = "reads `data." + strings.Join(b.Labels, ".") + "`"
	case "module":
		out = "`module." + b.Labels[0] + "` (" + s.text(b.Body, "source") + ")"
	}
	for _, of := range []string{"for_each", "count"} {
		if many := s.raw(b.Body, of); many != "" {
			out += ", " + of + " " + code(oneLine(many))
		}
	}
	return out
}

// dedent takes the indentation of an expression's last line from all but the first.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	last := lines[len(lines)-1]
	indent := last[:len(last)-len(strings.TrimLeft(last, " "))]
	for i := range lines[1:] {
		lines[i+1] = strings.TrimPrefix(lines[i+1], indent)
	}
	return strings.Join(lines, "\n")
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// code is text in backquotes, one more of them than it has in a row.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}
