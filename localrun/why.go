package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/events"
	"tollgate/shared/audit"
)

// maxAlike bounds what is counted of other refusals while the event is looked for.
const maxAlike = 1 << 16

type whyFlags struct{ eventFlags }

func whyCommand() *cobra.Command {
	f := &whyFlags{}
	cmd := &cobra.Command{
		Use:   "why CORRELATION-ID",
		Short: "What was decided of one call, and which line of which contract decided",
		Long: `Finds the event of a call by the id that its answer had in X-Correlation-Id, and
tells what was decided and why: the rule with its file and line, who called, the
stages, the claims that rules read, limits, the backend, times, and how many other
calls were refused the same way within a day of it.

Lines are those of the contracts at hand. If others decided, it says so.

Exits 0 if the call was granted, 1 if it was refused, 2 if it could not be found.`,
		Example: `  tollgate why 4f9c…
  tollgate why 4f9c… --events traces.jsonl --environment prod`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.why(cmd, strings.TrimSpace(args[0])) },
	}
	f.add(cmd, "")
	f.addFormat(cmd)
	return verdictsOnly(cmd)
}

func (f *whyFlags) why(cmd *cobra.Command, id string) error {
	if id == "" {
		return errors.New("say which call: the X-Correlation-Id of its answer")
	}
	asJSON, err := f.json(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	b, err := f.book()
	if err != nil {
		return err
	}
	var found finding
	f.holding = id // a workspace is asked for the call alone, not for all others
	r, _, err := f.eventFlags.read(cmd, false, func(e *audit.Event) { found.look(e, id) })
	if err != nil {
		return err
	}
	if found.event == nil {
		return notFound(id, r.Stats)
	}
	a := reasonOf(found, b, f.workspace == "")
	if asJSON {
		err = writeMachine(cmd.OutOrStdout(), a)
	} else {
		err = a.write(cmd.OutOrStdout())
	}
	if err == nil && found.event.Verdict == audit.Refused {
		err = errSaid
	}
	return err
}

func notFound(id string, s events.Stats) error {
	if s.Events == 0 {
		return fmt.Errorf("there is no event of %q: no events were found at all", plain(id))
	}
	return fmt.Errorf("there is no event of %q; events reach from %s to %s, %d of them", plain(id), when(s.First), when(s.Last), s.Events)
}

// finding is the event looked for, and refusals to compare it with.
type finding struct {
	event *audit.Event
	only  bool // that a stream began; nothing of its end
	alike map[likeness]int64
}

// likeness is what refusals have in common; client "" counts those of everybody.
type likeness struct {
	api, operation, code, client string
	hour                         int64
}

func (f *finding) look(e *audit.Event, id string) {
	if e.Correlation == id {
		// The end of a stream says everything that its beginning does.
		if f.event == nil || f.only {
			kept := *e
			f.event, f.only = &kept, e.Event == audit.Started
		}
		return
	}
	if e.Verdict != audit.Refused {
		return
	}
	if f.alike == nil {
		f.alike = map[likeness]int64{}
	}
	like := likeness{e.API, e.Operation, e.Code, "", e.Time.Unix() / 3600}
	f.count(like)
	if like.client = whose(e); like.client != "" {
		f.count(like)
	}
}

func (f *finding) count(like likeness) {
	if _, known := f.alike[like]; known || len(f.alike) < maxAlike {
		f.alike[like]++
	}
}

// whose is the caller, as far as a refusal tells.
func whose(e *audit.Event) string {
	for _, id := range []string{e.App, e.Subscription, e.Client} {
		if id != "" {
			return id
		}
	}
	return ""
}

// similar counts other refusals of the kind within a day of it, by hours.
func (f *finding) similar(client string) (n int64) {
	e := f.event
	like := likeness{e.API, e.Operation, e.Code, client, 0}
	for hour := -24; hour <= 24; hour++ {
		like.hour = e.Time.Unix()/3600 + int64(hour)
		n += f.alike[like]
	}
	return n
}

// reason is the answer, as --json prints it. Its names are kept.
type reason struct {
	Event     audit.Event `json:"event"`
	Running   bool        `json:"running,omitempty"` // only that it began is known
	Place     string      `json:"place,omitempty"`   // file:line of the rule
	Source    string      `json:"source,omitempty"`  // that line
	Contracts string      `json:"contracts"`         // whether the contracts at hand are those that decided: same, other or unknown
	Stages    []stageSaid `json:"stages,omitempty"`
	Client    string      `json:"clientName,omitempty"`
	Owner     string      `json:"clientOwner,omitempty"`
	Similar   *int64      `json:"similar,omitempty"` // other refusals of the same operation and code, within a day; absent: not asked
	ByCaller  int64       `json:"similarByCaller,omitempty"`

	folder, line string
}

const (
	sameContracts  = "same"
	otherContracts = "other"
	noContracts    = "unknown"
)

func reasonOf(f finding, b book, all bool) *reason {
	e := f.event
	a := &reason{Event: *e, Running: f.only, Contracts: noContracts, folder: b.source}
	if e.Verdict == audit.Refused && all {
		n := f.similar("")
		a.Similar = &n
		if id := whose(e); id != "" {
			a.ByCaller = f.similar(id)
		}
	}
	if b.plan == nil {
		return a
	}
	a.Client, a.Owner = namesOf(b.plan).client(e.App)
	a.Contracts = otherContracts
	if e.Contract == b.plan.Version {
		a.Contracts = sameContracts
	}
	a.Stages = stagesOf(b, e)
	if file, line := b.plan.Place(e.API, e.Rule); e.Rule != "" && line > 0 {
		a.Place = fmt.Sprintf("%s:%d", filepath.Join(b.source, file), line)
		a.Source, a.line = sourceLine(filepath.Join(b.dir, file), line), fmt.Sprint(line)
	}
	return a
}

// spent is a duration as people read it.
func spent(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.String()
}
