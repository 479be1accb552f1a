// Package summary tells what a plan of Terraform does to somebody who doesn't know
// Terraform: what goes first, then API by API and client by client. It is pure.
package summary

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
)

// Facts are what the plan itself doesn't say.
type Facts struct {
	Environment string
	Uses        []planned.Use // by the contracts
}

// Summary is what a plan does. It holds no value that is sensitive.
type Summary struct {
	Environment string   `json:"environment"`
	Nothing     bool     `json:"nothing"` // there is nothing to do
	Counts      Counts   `json:"counts"`
	Destroyed   []Line   `json:"destroyed"` // also what is made anew
	Changes     []Line   `json:"changes"`   // by API and client, then the rest
	Small       int      `json:"small"`     // changes that need no words
	Outside     []Line   `json:"outside"`   // changed by others since the last apply
	Requests    []string `json:"requests,omitempty"`
	Accepted    []string `json:"accepted,omitempty"` // findings that somebody waved through, with their reasons
}

// Counts are Terraform's own: by resources.
type Counts struct {
	Add     int `json:"add"`
	Change  int `json:"change"`
	Replace int `json:"replace"`
	Destroy int `json:"destroy"`
}

// Line is one thing that happens.
type Line struct {
	About   string `json:"about"` // the API or client by its name, or network, gateway, vault and so on
	Text    string `json:"text"`
	Address string `json:"address"`

	gone bool // something that somebody may use, though its resource stays
}

func (l Line) String() string { return l.About + ": " + l.Text }

// Of is what the plan does.
func Of(plan *tfjson.Plan, facts Facts) *Summary {
	r := newReader(plan, facts)
	s := &Summary{Environment: facts.Environment, Destroyed: []Line{}, Changes: []Line{}, Outside: []Line{}}
	for i := range r.all {
		c := &r.all[i]
		if c.Nothing() {
			continue
		}
		s.count(c)
		switch lines := r.lines(c); {
		case len(lines) == 0:
			s.Small++
		case c.Removed() || c.Forgotten() || c.Replaced():
			s.Destroyed = append(s.Destroyed, lines...)
		default:
			s.tell(lines)
		}
	}
	drift := planned.Drift(plan)
	for i := range drift {
		if l := r.outside(&drift[i]); l.Text != "" {
			s.Outside = append(s.Outside, l)
		}
	}
	s.Changes, s.Destroyed = r.sorted(s.Changes), r.sorted(s.Destroyed)
	s.Nothing = s.Counts == Counts{} && len(s.Outside) == 0
	return s
}

func (s *Summary) tell(lines []Line) {
	for _, l := range lines {
		if l.gone {
			s.Destroyed = append(s.Destroyed, l)
		} else {
			s.Changes = append(s.Changes, l)
		}
	}
}

func (s *Summary) count(c *planned.Change) {
	switch {
	case c.Created():
		s.Counts.Add++
	case c.Updated():
		s.Counts.Change++
	case c.Replaced():
		s.Counts.Replace++
	default:
		s.Counts.Destroy++
	}
}

// rank puts APIs and clients first, by name, and the rest behind.
func (r *reader) rank(about string) int {
	if r.names[about] {
		return 0
	}
	return 1 + slices.Index(areas, about)
}

// later puts a registration before what is in it.
func later(l Line) int {
	if strings.HasPrefix(l.Text, "registration") {
		return 0
	}
	return 1
}

func (r *reader) sorted(lines []Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(r.rank(a.About), r.rank(b.About)), cmp.Compare(a.About, b.About), cmp.Compare(later(a), later(b)))
	})
	// Two resources may come to the same: a permission asked for, and granted.
	seen := map[string]bool{}
	return slices.DeleteFunc(lines, func(l Line) bool {
		had := seen[l.String()]
		seen[l.String()] = true
		return had
	})
}

// Write tells it to a person.
func (s *Summary) Write(w io.Writer) {
	if s.Nothing && len(s.Requests) == 0 {
		fmt.Fprintf(w, "%s: nothing to do; all is as the contracts and the configuration say\n", s.Environment)
		return
	}
	fmt.Fprintf(w, "%s: %s\n", s.Environment, s.Counts)
	if len(s.Destroyed) > 0 {
		fmt.Fprintf(w, "\nGOES, or is made anew:\n")
		write(w, "  ! ", s.Destroyed)
	}
	if len(s.Outside) > 0 {
		fmt.Fprintf(w, "\nChanged by others since the last apply:\n")
		write(w, "  ", s.Outside)
	}
	about := ""
	for _, l := range s.Changes {
		if l.About != about {
			fmt.Fprintln(w)
		}
		about = l.About
		fmt.Fprintf(w, "  %s\n", l)
	}
	if s.Small > 0 {
		fmt.Fprintf(w, "\n  also %s\n", plural(s.Small, "small change"))
	}
	if len(s.Requests) > 0 {
		fmt.Fprintf(w, "\nRequests to Entra, beside Terraform:\n")
		for _, r := range s.Requests {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(r, "\n", "\n    "))
		}
	}
	for _, a := range s.Accepted {
		fmt.Fprintf(w, "\nACCEPTED: %s\n", a)
	}
}

func write(w io.Writer, before string, lines []Line) {
	for _, l := range lines {
		fmt.Fprintf(w, "%s%s\n", before, l)
	}
}

func (c Counts) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.Add, "to add"}, {c.Change, "to change"}, {c.Replace, "to make anew"}, {c.Destroy, "to destroy"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return "nothing to change"
	}
	return strings.Join(parts, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
