package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with a contract, and where.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`              // from 1; 0 where the fault is the file as a whole
	Column  int    `json:"column"`            // from 1, in characters
	Width   int    `json:"width"`             // how many characters of the line it is about
	Message string `json:"message"`           // what is wrong and what to do
	Warning bool   `json:"warning,omitempty"` // the contract can be enforced all the same
}

func (f Fault) String() string {
	level := "error"
	if f.Warning {
		level = "warning"
	}
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", f.File, level, f.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, level, f.Message)
}

// Faults are all that is wrong, in the order of the files.
type Faults []Fault

// Errors are the faults that stop the start.
func (fs Faults) Errors() Faults {
	return slices.DeleteFunc(slices.Clone(fs), func(f Fault) bool { return f.Warning })
}

// Err is all errors as one, nil if there are only warnings or none.
func (fs Faults) Err() error {
	bad := fs.Errors()
	if len(bad) == 0 {
		return nil
	}
	lines := make([]string, len(bad))
	for i, f := range bad {
		lines[i] = f.String()
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// sorted puts faults in reading order and drops repetitions: two environments
// can find the same fault in one contract.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(fs)
}

// nearest is the known name that was probably meant, "" if none is close.
func nearest(name string, known []string) string {
	best, bestDistance := "", len(name)/3+2
	for _, k := range slices.Sorted(slices.Values(known)) {
		d := distance(strings.ToLower(name), strings.ToLower(k))
		if d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// suggest is " (did you mean …?)" where something is near, else the whole choice.
func suggest(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if len(known) == 0 {
		return ""
	}
	return "; known: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// shown is a text short enough for a message. A long one may be a key that strayed here.
func shown(s string) string {
	if len(s) > 512 || strings.ContainsRune(s, '\n') {
		return "the same text"
	}
	return s
}
