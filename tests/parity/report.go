package parity

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

func (f *Fleet) count(name, way, sample string) {
	if f.Found[name] == nil {
		f.Found[name] = &Tally{At: map[string]int{}, Like: map[string]string{}}
	}
	f.Found[name].Count++
	f.Found[name].At[way]++
	f.Found[name].Like[way] = sample
}

// Report prints the table of differences that were met.
func (f *Fleet) Report(t *testing.T) {
	t.Helper()
	var out strings.Builder
	fmt.Fprintf(&out, "%d cases, %d transports, each held to the bare gateway\n", f.Cases, len(f.Transports))
	for _, r := range Retellings() {
		f.tell(&out, r.Name, r.Why)
	}
	for _, d := range Differences() {
		f.tell(&out, d.Name, d.Why)
	}
	t.Log(out.String())
}

func (f *Fleet) tell(out io.Writer, name, why string) {
	tally := f.Found[name]
	if tally == nil {
		return
	}
	var where []string
	for _, way := range slices.Sorted(maps.Keys(tally.At)) {
		where = append(where, fmt.Sprintf("%s %d", way, tally.At[way]))
	}
	fmt.Fprintf(out, "%5d  %s (%s)\n       %s\n", tally.Count, name, strings.Join(where, ", "), why)
}

// Table is every permitted difference as docs/fronts.md has it.
func Table() string {
	var out strings.Builder
	out.WriteString("| difference | behind | why |\n| --- | --- | --- |\n")
	row := func(name string, at []string, why string) {
		where := "every front"
		if len(at) > 0 {
			where = strings.Join(at, ", ")
		}
		out.WriteString("| " + name + " | " + where + " | " + why + " |\n")
	}
	for _, r := range Retellings() {
		row(r.Name, r.At, r.Why)
	}
	for _, d := range Differences() {
		row(d.Name, d.At, d.Why)
	}
	return out.String()
}

// Unmet are the differences that no case of these fleets showed.
func Unmet(fleets ...*Fleet) (names []string) {
	met := func(name string) bool {
		return slices.ContainsFunc(fleets, func(f *Fleet) bool { return f.Found[name] != nil })
	}
	for _, r := range Retellings() {
		if !met(r.Name) {
			names = append(names, r.Name)
		}
	}
	for _, d := range Differences() {
		if !met(d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}
