package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/events"
	"tollgate/shared/audit"
)

type whoFlags struct {
	eventFlags
	api, by string
}

func whoCommand() *cobra.Command {
	f := &whoFlags{}
	cmd := &cobra.Command{
		Use:   "who",
		Short: "Who called, and what came of it",
		Long: `Reads the events of the local run, or of a file (--events), and tells who called in
the last 24 hours: how often, granted and refused, when first and last, which APIs,
what was refused most often, and bytes of both bodies.

A file holds one event on each line, as the gateway writes them, or as they are
exported from Application Insights or Log Analytics. Other lines are skipped and
counted. Clients go by the names of their contracts, where they have one.

Whoever was refused before it was verified is nobody: events say nothing of who a
forged token claims to be. Prints a table in a terminal and JSON elsewhere.`,
		Example: `  tollgate who
  tollgate who --since 7d --api orders --by user
  tollgate who --events traces.jsonl --environment prod --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.who(cmd) },
	}
	f.add(cmd, "24h")
	f.addFormat(cmd)
	cmd.Flags().StringVar(&f.api, "api", "", "only calls of this API")
	cmd.Flags().StringVar(&f.by, "by", events.ByClient, "whom to tell apart: client, user, tenant or subscription")
	return cmd
}

func (f *whoFlags) who(cmd *cobra.Command) error {
	if !slices.Contains(events.Kinds(), f.by) {
		return fmt.Errorf("--by %q: it is one of %s", f.by, strings.Join(events.Kinds(), ", "))
	}
	asJSON, err := f.json(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	b, err := f.book()
	if err != nil {
		return err
	}
	if err := knownAPI(b.plan, f.api); err != nil {
		return err
	}
	t := &events.Tally{By: f.by}
	r, s, err := f.read(cmd, true, func(e *audit.Event) {
		if f.api == "" || e.API == f.api {
			t.Add(e)
		}
	})
	if err != nil {
		return err
	}
	out, n := cmd.OutOrStdout(), namesOf(b.plan)
	if asJSON {
		return writeMachine(out, whoReport(t, n, s, r.Stats))
	}
	if err := writeWho(out, t, n, screenOf(out)); err != nil {
		return err
	}
	return writeReach(out, r.Stats, s)
}

// shownWho is the answer, as --json prints it. Its names are kept.
type shownWho struct {
	Since   time.Time     `json:"since"`
	Until   *time.Time    `json:"until,omitempty"`
	By      string        `json:"by"`
	Callers []shownCaller `json:"callers"`
	Total   shownCaller   `json:"total"`
	Events  events.Stats  `json:"events"` // what was read
}

type shownCaller struct {
	ID       string           `json:"id,omitempty"` // absent: nobody known
	Name     string           `json:"name,omitempty"`
	Owner    string           `json:"owner,omitempty"`
	Realm    string           `json:"realm,omitempty"` // tenant or issuer; key: the id is a subscription's
	Kind     string           `json:"kind,omitempty"`
	Others   bool             `json:"others,omitempty"`
	Calls    int64            `json:"calls"`
	Granted  int64            `json:"granted"`
	Refused  int64            `json:"refused"`
	Running  int64            `json:"running,omitempty"`
	First    time.Time        `json:"first,omitzero"`
	Last     time.Time        `json:"last,omitzero"`
	APIs     []string         `json:"apis"`
	Refusals map[string]int64 `json:"refusals,omitempty"` // by code
	Received int64            `json:"receivedBytes"`
	Sent     int64            `json:"sentBytes"`
}

func whoReport(t *events.Tally, n names, s span, stats events.Stats) shownWho {
	out := shownWho{Since: s.from, Until: known(s.to), By: t.By, Callers: []shownCaller{}, Total: shownCallerOf(&t.Total), Events: stats}
	out.Total.Kind = ""
	for _, c := range t.Callers() {
		one := shownCallerOf(c)
		if t.By == events.ByClient && c.Realm != "key" {
			one.Name, one.Owner = n.client(c.ID)
		}
		out.Callers = append(out.Callers, one)
	}
	return out
}

func shownCallerOf(c *events.Caller) shownCaller {
	return shownCaller{
		ID: c.ID, Realm: c.Realm, Kind: c.Kind, Others: c.Others, Calls: c.Calls, Granted: c.Granted, Refused: c.Refused, Running: c.Running,
		First: c.First, Last: c.Last, APIs: append([]string{}, slices.Sorted(maps.Keys(c.APIs))...), Refusals: c.Codes, Received: c.Received, Sent: c.Sent,
	}
}

// writeReach says what was read, and what an answer from it can't know.
func writeReach(w io.Writer, s events.Stats, asked span) error {
	var b strings.Builder
	b.WriteByte('\n')
	if s.Events == 0 {
		fmt.Fprintf(&b, "No events were found.")
	} else {
		fmt.Fprintf(&b, "Events reach from %s to %s.", when(s.First), when(s.Last))
		if s.First.After(asked.from.Add(time.Minute)) && !asked.from.IsZero() {
			b.WriteString(" Nothing is known of the time before.")
		}
	}
	for _, c := range []struct {
		n         int64
		one, many string
	}{
		{s.Skipped, "line is no event", "lines are no events"},
		{s.Repeated, "event came twice", "events came twice"},
		{s.Lost, "event was lost, as gateways say", "events were lost, as gateways say"},
		{s.Elsewhere, "call of another environment was left out", "calls of other environments were left out"},
		{s.Unpaired, "stream was left out: too many run", "streams were left out: too many run"},
	} {
		if c.n == 1 {
			fmt.Fprintf(&b, " 1 %s.", c.one)
		} else if c.n > 1 {
			fmt.Fprintf(&b, " %d %s.", c.n, c.many)
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}
