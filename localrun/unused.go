package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/events"
	"tollgate/shared/contract"
	"tollgate/shared/subscription"
)

// storeTime is how long unused waits for the list of subscriptions.
const storeTime = 30 * time.Second

type unusedFlags struct {
	eventFlags
	within  string
	noStore bool
}

func unusedCommand() *cobra.Command {
	f := &unusedFlags{}
	cmd := &cobra.Command{
		Use:   "unused",
		Short: "What nobody used: scopes, roles, clients, operations, products, keys; and credentials about to expire",
		Long: `Holds the contracts, and the subscriptions in the store, against the events of the
last 90 days: which operations, scopes, roles, clients, permissions of a client,
products and subscriptions no granted call used. A scope or a role counts as used
where an operation asks for it and the token held it.

Absence from events is not proof: it says how far back they reach, and what they
keep out. Which of a subscription's two keys was sent, no event says.`,
		Example: `  tollgate unused
  tollgate unused --since 30d --within 60d
  tollgate unused --events traces.jsonl --environment prod`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.unused(cmd) },
	}
	f.add(cmd, "90d")
	f.addFormat(cmd)
	cmd.Flags().StringVar(&f.within, "within", "30d", "which credentials are about to expire: those that end in this time")
	cmd.Flags().BoolVar(&f.noStore, "no-store", false, "don't ask the store for subscriptions")
	return cmd
}

func (f *unusedFlags) unused(cmd *cobra.Command) error {
	asJSON, err := f.json(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	b, err := f.book()
	if err != nil {
		return err
	}
	if b.plan == nil {
		return errors.New("what could have been used stands in contracts, and none are at hand; name them with --contracts and --environment")
	}
	now := time.Now()
	before, err := ahead(f.within, now)
	if err != nil {
		return err
	}
	u := usesBy(b.plan)
	r, s, err := f.read(cmd, true, u.add)
	if err != nil {
		return err
	}
	keys, note := f.keys(cmd, b.plan)
	answer := shownUnused{
		Since: s.from, Until: known(s.to), Unused: append(append([]idle{}, u.idle(b)...), u.idleKeys(keys, now)...),
		Expiring: expiringIn(b, keys, now, before), Notes: u.notes(note, r.Stats, s), Events: r.Stats,
	}
	if asJSON {
		return writeMachine(cmd.OutOrStdout(), answer)
	}
	return answer.write(cmd.OutOrStdout(), screenOf(cmd.OutOrStdout()))
}

// ahead reads --within.
func ahead(text string, now time.Time) (time.Time, error) {
	back, err := ago("--within", text, now)
	if err != nil || back.IsZero() || !back.Before(now) {
		return time.Time{}, fmt.Errorf("--within %q: write 30d", text)
	}
	return now.Add(now.Sub(back)), nil
}

// keys are the subscriptions of the store; note says why there are none to judge.
func (f *unusedFlags) keys(cmd *cobra.Command, plan *contract.Plan) (keys []*subscription.Record, note string) {
	if f.noStore {
		return nil, "subscriptions were not looked at (--no-store)"
	}
	if len(plan.Products) == 0 || plan.Store == nil {
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), storeTime)
	defer cancel()
	in := storeFlags{run: f.run, environment: f.environment, contracts: f.contracts}
	store, err := in.open(cmd)
	if err == nil {
		keys, err = keysOf(ctx, store)
	}
	if err != nil {
		return nil, "subscriptions were not looked at, as the store can't be asked: " + err.Error()
	}
	return keys, ""
}

// notes are what the answer can't know.
func (u *uses) notes(store string, s events.Stats, asked span) []string {
	out := []string{}
	switch {
	case s.Events == 0:
		out = append(out, "no events were found: nothing is known of any use")
	case s.First.After(asked.from.Add(time.Minute)):
		out = append(out, fmt.Sprintf("events reach back to %s only, not to %s: what was used before that isn't known", when(s.First), when(asked.from)))
	}
	if s.Elsewhere > 0 {
		out = append(out, fmt.Sprintf("%d call(s) of other environments were left out", s.Elsewhere))
	}
	if s.Lost > 0 {
		out = append(out, fmt.Sprintf("%d event(s) were lost, as gateways say", s.Lost))
	}
	for _, kind := range []string{useScope, useRole, useClient, useClientsOwn, useProduct, useKey} {
		if name := u.blind(kind); name != "" {
			out = append(out, fmt.Sprintf("of each %s nothing is said: some events keep %s out, or hold a pseudonym of it", kind, plain(name)))
		}
	}
	if u.cut {
		out = append(out, "some events hold cut claims: a scope or a role beyond the cut isn't seen")
	}
	if store != "" {
		out = append(out, store)
	}
	for _, c := range u.plan.Clients {
		if c.ID == "" {
			out = append(out, fmt.Sprintf("of the client %s nothing is said: the environment %s binds no id to it", c.Name, u.plan.Environment))
		}
	}
	return append(out, "absence here is not proof: what happened in other environments, or left no event in what was read, isn't seen")
}

// shownUnused is the answer, as --json prints it. Its names are kept.
type shownUnused struct {
	Since    time.Time    `json:"since"`
	Until    *time.Time   `json:"until,omitempty"`
	Unused   []idle       `json:"unused"`
	Expiring []expiring   `json:"expiring"`
	Notes    []string     `json:"notes"`
	Events   events.Stats `json:"events"`
}

func (a shownUnused) write(w io.Writer, on screen) error {
	var b strings.Builder
	if len(a.Unused) == 0 {
		b.WriteString("Everything was used.\n")
	} else {
		table := [][]string{{"NOT USED", "API", "NAME", "OWNER", "WHERE", ""}}
		for _, i := range a.Unused {
			table = append(table, []string{i.Kind, plain(i.API), plain(i.Name), plain(i.Owner), i.Place, plain(i.Note)})
		}
		b.WriteString(aligned(table, on.width, "<<<<<<"))
	}
	if len(a.Expiring) > 0 {
		table := [][]string{{"EXPIRES", "WHAT", "NAME", "OWNER", "WHERE"}}
		for _, e := range a.Expiring {
			ends := when(e.Ends)
			if e.Over {
				ends += " (over)"
			}
			table = append(table, []string{ends, e.Kind, plain(e.Name), plain(e.Owner), e.Place})
		}
		b.WriteString("\n" + aligned(table, on.width, "<<<<<"))
	}
	b.WriteByte('\n')
	for _, note := range a.Notes {
		fmt.Fprintf(&b, "- %s\n", plain(note))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
