package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const matrixHead = `# Who may call what, as the compiled contracts say; made by ` + "`tollgate matrix`" + `.
# A caller's token holds what stands above the column and nothing else.
`

const matrixKeys = "# Where there is a column key, users and applications send a good subscription key too.\n"

// writeTable is one aligned table for each API: plain text, so that a diff of it
// can be read.
func (m *matrix) writeTable(w io.Writer) error {
	var b strings.Builder
	b.WriteString(matrixHead)
	if slices.ContainsFunc(m.APIs, func(a matrixAPI) bool {
		return slices.ContainsFunc(a.callers, func(c caller) bool { return c.principal == "key" })
	}) {
		b.WriteString(matrixKeys)
	}
	for _, api := range m.APIs {
		fmt.Fprintf(&b, "\n%s (%s)\n\n", api.API, api.File)
		writeAligned(&b, api.table())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table has two lines of headings: who calls, and what they hold.
func (a matrixAPI) table() [][]string {
	who, holds := []string{"operation", "match"}, []string{"", ""}
	for _, c := range a.callers {
		who, holds = append(who, c.principal), append(holds, c.holds)
	}
	out := [][]string{who, holds}
	for _, row := range a.Rows {
		line := []string{row.Operation, row.Match}
		for _, c := range row.Cells {
			line = append(line, c.String())
		}
		out = append(out, line)
	}
	return out
}

func writeAligned(b *strings.Builder, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, row := range table {
		var line strings.Builder
		for i, text := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], text)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
