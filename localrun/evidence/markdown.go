package evidence

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Markdown writes the document.
func (f *Facts) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the gateway %s shows\n\n%s\n\n", text(f.Gateway), Disclaimer)
	for _, line := range f.Head() {
		fmt.Fprintf(&b, "- %s: %s\n", line[0], text(line[1]))
	}
	for _, note := range f.Notes {
		fmt.Fprintf(&b, "- %s\n", text(note))
	}
	for _, framework := range Frameworks() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", framework.Name, framework.About)
		for _, c := range framework.Controls {
			f.Entry(c).markdown(&b)
		}
	}
	b.WriteString("\n## Appendix: the contracts' lines\n")
	for _, t := range Topics() {
		fmt.Fprintf(&b, "\n### %s\n\n", t)
		rules(&b, f.Rules[t], 0)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Head says of what, and of when, the document is.
func (f *Facts) Head() [][2]string {
	return [][2]string{
		{"Gateway", f.Gateway + ", environment " + f.Environment},
		{"Contracts", f.Folder + ", digest " + f.Digest},
		{"Observed", "from " + f.Since.UTC().Format(time.RFC3339) + " until " + f.Until.UTC().Format(time.RFC3339)},
		{"Made", f.Made.UTC().Format(time.RFC3339) + " by tollgate evidence"},
	}
}

func (e Entry) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s %s\n\n**Asks:** %s\n\n**Enforced here:**\n\n", e.ID, e.Title, e.Asks)
	rules(b, e.Rules, e.More)
	b.WriteString("\n**Observed:**\n\n")
	if len(e.Figures) == 0 {
		fmt.Fprintf(b, "- %s\n", NotShown)
	}
	for _, one := range e.Figures {
		fmt.Fprintf(b, "- %s\n", text(one.Says))
		if one.Query != "" {
			fmt.Fprintf(b, "  Query: %s\n", code(one.Query))
		}
	}
	b.WriteString("\n**Not covered by this gateway:**\n\n")
	for _, gap := range e.Gaps {
		fmt.Fprintf(b, "- %s\n", gap)
	}
}

func rules(b *strings.Builder, all []Rule, more int) {
	if len(all) == 0 {
		fmt.Fprintf(b, "- %s\n", NotShown)
	}
	for _, r := range all {
		fmt.Fprintf(b, "- %s (%s)\n", text(r.Says), code(r.Place))
	}
	if more > 0 {
		fmt.Fprintf(b, "- and %d more in the appendix\n", more)
	}
}

// text is a value in Markdown that stays text: no link, tag, table, heading or
// formula of a spreadsheet comes of it.
func text(s string) string {
	var b strings.Builder
	for _, r := range shown(s) {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&$=@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is a value as code: in more backticks than it holds in a row.
func code(s string) string {
	s = shown(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 || strings.HasPrefix(s, " ") {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// longest is how much of a value is shown.
const longest = 2000

// shown writes out what a screen would obey.
func shown(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > longest {
			b.WriteString("…")
			break
		}
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
