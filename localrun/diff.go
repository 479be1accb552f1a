package main

import (
	"fmt"
	"strings"
)

// around is how many unchanged lines are shown on each side of a change.
const around = 3

// edit is one line of a diff: " " stays, "-" goes, "+" comes.
type edit struct {
	sign string
	line string
}

// diff is how was became is, in the hunks of diff -u.
func diff(was, is string) string {
	edits := edits(lines(was), lines(is))
	var b strings.Builder
	before, after := 1, 1 // line numbers at edits[i]
	for i := 0; i < len(edits); {
		end := hunk(edits, i)
		if end == i {
			before, after, i = before+1, after+1, i+1
			continue
		}
		gone, come := 0, 0
		var body strings.Builder
		for _, e := range edits[i:end] {
			if e.sign != "+" {
				gone++
			}
			if e.sign != "-" {
				come++
			}
			body.WriteString(e.sign + e.line + "\n")
		}
		fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@\n%s", before, gone, after, come, body.String())
		before, after, i = before+gone, after+come, end
	}
	return b.String()
}

// hunk is where the hunk that starts at i ends; i if none starts there.
func hunk(edits []edit, i int) (end int) {
	end = i
	for at := i; at < len(edits) && at <= end+2*around; at++ {
		if edits[at].sign != " " {
			if end == i && at > i+around {
				return i
			}
			end = at + 1
		}
	}
	if end == i {
		return i
	}
	return min(end+around, len(edits))
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// edits keeps the longest common subsequence. The tables are small, so it may take their product.
func edits(was, is []string) (out []edit) {
	length := make([][]int, len(was)+1) // of what the rests from i and j have in common
	for i := range length {
		length[i] = make([]int, len(is)+1)
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			if was[i] == is[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			out = append(out, edit{" ", was[i]})
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && length[i+1][j] >= length[i][j+1]:
			out = append(out, edit{"-", was[i]})
			i++
		default:
			out = append(out, edit{"+", is[j]})
			j++
		}
	}
	return out
}
