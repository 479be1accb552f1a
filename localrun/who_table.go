package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate/localrun/events"
)

// most is how wide a column of free text may be where no terminal says more.
const most = 48

// writeWho is the table: callers, and all of them together.
func writeWho(w io.Writer, t *events.Tally, n names, on screen) error {
	if t.Total.Calls == 0 {
		_, err := fmt.Fprintln(w, "nobody called")
		return err
	}
	table := [][]string{{strings.ToUpper(t.By), "CALLS", "GRANTED", "REFUSED", "MOST OFTEN", "APIS", "FIRST", "LAST", "IN / OUT"}}
	for _, c := range t.Callers() {
		table = append(table, whoRow(n.caller(t.By, c), c))
	}
	table = append(table, whoRow("total", &t.Total))
	_, err := io.WriteString(w, aligned(table, on.width, "<>>><<<<<"))
	return err
}

func whoRow(name string, c *events.Caller) []string {
	code, n := events.Most(c.Codes)
	often := ""
	if n > 0 {
		often = fmt.Sprintf("%s (%d)", plain(code), n)
	}
	if c.Running > 0 {
		name += fmt.Sprintf(" [%d still run]", c.Running)
	}
	return []string{
		name, strconv.FormatInt(c.Calls, 10), strconv.FormatInt(c.Granted, 10), strconv.FormatInt(c.Refused, 10), often,
		plain(strings.Join(slices.Sorted(maps.Keys(c.APIs)), ", ")), short(c.First), short(c.Last), sized(c.Received) + " / " + sized(c.Sent),
	}
}

func short(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("01-02 15:04:05Z")
}

// aligned is a table whose first line is its heading: ranged as align says (< or >),
// free text cut, and on a terminal that is too narrow each line in several.
func aligned(table [][]string, width int, align string) string {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i := range row {
			row[i] = shortened(row[i], most)
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range table {
		for from := 0; from < len(row); {
			to, indent := fitting(widths, from, width), ""
			if from > 0 {
				indent = gap
			}
			b.WriteString(indent + line(row[from:to], widths[from:to], align[from:to]))
			from = to
		}
	}
	return b.String()
}

// fitting is where the columns end that fit from that one on: one at the least.
func fitting(widths []int, from, width int) int {
	used := 0
	for i := from; i < len(widths) && width > 0; i++ {
		if used += len(gap) + widths[i]; used > width && i > from {
			return i
		}
	}
	return len(widths)
}

func line(cells []string, widths []int, align string) string {
	var out []string
	for i, text := range cells {
		if align[i] == '>' {
			text = strings.Repeat(" ", max(0, widths[i]-columns(text))) + text
		}
		out = append(out, padded(text, widths[i]))
	}
	return strings.TrimRight(strings.Join(out, gap), " ") + "\n"
}
