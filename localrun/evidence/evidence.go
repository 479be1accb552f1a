// Package evidence lays out what auditors ask to see of a gateway: for each
// control what it asks, which lines of which contract enforce something of it,
// what events show, and what the gateway doesn't cover.
//
// It never says that a control is met: that is for whoever reads it to judge. What
// nothing is known of says so in two words, NotShown.
package evidence

import (
	"slices"
	"time"
)

// NotShown stands where there is no data.
const NotShown = "not shown"

// Topic is what rules and figures are about; a control is about several.
type Topic string

// The topics.
const (
	Identify    Topic = "Who is calling is known and verified"
	Authorise   Topic = "Who may call what"
	Least       Topic = "No more than is needed"
	Privileged  Topic = "What is asked of the strongest permissions"
	Lifecycle   Topic = "Access is given, kept up and taken away"
	Credentials Topic = "What callers prove themselves by"
	Boundary    Topic = "From where, and how much"
	Backends    Topic = "The way to what lies behind"
	Record      Topic = "What is recorded"
	Watch       Topic = "What is watched"
	Minimise    Topic = "No more is told than is needed"
	Change      Topic = "Which rules were in force"
)

// Topics are all of them, in the order of the appendix.
func Topics() []Topic {
	return []Topic{Identify, Authorise, Least, Privileged, Lifecycle, Credentials, Boundary, Backends, Record, Watch, Minimise, Change}
}

// Rule is a line of a contract that enforces something.
type Rule struct{ Says, Place string }

// Figure is something observed, and the query that gives it again.
type Figure struct{ Says, Query string }

// Facts are what is known of a gateway.
type Facts struct {
	Gateway, Environment, Digest, Folder string
	Since, Until, Made                   time.Time
	Notes                                []string // how far the figures reach
	Rules                                map[Topic][]Rule
	Figures                              map[Topic][]Figure
}

// Control is one requirement of a framework.
type Control struct {
	ID, Title string
	Asks      string // in one sentence of our own
	Topics    []Topic
	Gaps      []string // what the gateway doesn't cover of it
}

// Framework is a set of controls.
type Framework struct {
	Name, About string
	Controls    []Control
}

// most is how many rules of a topic stand below a control; all are in the appendix.
const most = 6

// Entry is a control with what is known of it.
type Entry struct {
	Control
	Rules   []Rule
	More    int // rules that only the appendix has
	Figures []Figure
}

// Entry gathers what is known of a control.
func (f *Facts) Entry(c Control) Entry {
	e := Entry{Control: c}
	for _, t := range c.Topics {
		n := min(len(f.Rules[t]), most)
		e.Rules = append(e.Rules, f.Rules[t][:n]...)
		e.More += len(f.Rules[t]) - n
		for _, one := range f.Figures[t] {
			if !slices.Contains(e.Figures, one) { // topics share some
				e.Figures = append(e.Figures, one)
			}
		}
	}
	return e
}

// Disclaimer stands at the head of every document.
const Disclaimer = "This document claims no compliance with anything. It shows what the contracts of one gateway enforce and what its events recorded; " +
	"whether a control is met is for its reader to judge, with much that no gateway knows. The sentences about controls are ours and are no substitute for the texts of the standards."
