package terraform

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"
)

// Step is something that Terraform tells while it works.
type Step struct {
	Kind    StepKind
	Address string        // of the resource
	Action  string        // create, update, delete, read
	Took    time.Duration // so far, or in all
}

// StepKind is what happened.
type StepKind string

// The kinds of a step.
const (
	Began   StepKind = "began"
	Goes    StepKind = "goes" // still, every ten seconds
	Ended   StepKind = "ended"
	Errored StepKind = "errored"
	Reads   StepKind = "reads" // its real state is being read
)

// Diagnostic is what Terraform complains of.
type Diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    *struct {
		Filename string                     `json:"filename"`
		Start    struct{ Line, Column int } `json:"start"`
	} `json:"range"`
}

// message is one line of Terraform's machine-readable output. Values of resources and
// outputs stand in it too; nothing here reads them.
type message struct {
	Type       string      `json:"type"`
	Diagnostic *Diagnostic `json:"diagnostic"`
	Hook       struct {
		Resource struct {
			Addr string `json:"addr"`
		} `json:"resource"`
		Action  string  `json:"action"`
		Elapsed float64 `json:"elapsed_seconds"`
	} `json:"hook"`
}

var kinds = map[string]StepKind{
	"apply_start": Began, "apply_progress": Goes, "apply_complete": Ended, "apply_errored": Errored, "refresh_start": Reads,
}

// Printable leaves out what would steer a terminal: clouds repeat texts that others chose.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// listener reads the output of one command.
type listener struct {
	step     func(Step)
	rest     []byte
	errors   []Diagnostic
	warnings []Diagnostic
	begun    []Step // and not ended
	ended    []Step
	failed   []Step // also because of an interruption
}

func (l *listener) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		l.line(l.rest[:i])
		l.rest = l.rest[i+1:]
	}
}

func (l *listener) line(text []byte) {
	var m message
	if json.Unmarshal(text, &m) != nil {
		return // what a provider prints of its own accord
	}
	if d := m.Diagnostic; d != nil {
		if d.Severity == "error" {
			l.errors = append(l.errors, *d)
		} else {
			l.warnings = append(l.warnings, *d)
		}
		return
	}
	kind, ok := kinds[m.Type]
	if !ok {
		return
	}
	s := Step{Kind: kind, Address: m.Hook.Resource.Addr, Action: m.Hook.Action, Took: time.Duration(m.Hook.Elapsed * float64(time.Second))}
	l.note(s)
	l.step(s)
}

func (l *listener) note(s Step) {
	switch s.Kind {
	case Began:
		l.begun = append(l.begun, s)
	case Ended, Errored:
		for i, b := range l.begun {
			if b.Address == s.Address && b.Action == s.Action {
				l.begun = append(l.begun[:i], l.begun[i+1:]...)
				break
			}
		}
		if s.Kind == Ended {
			l.ended = append(l.ended, s)
		} else {
			l.failed = append(l.failed, s)
		}
	}
}
