package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tollgate/localrun/events"
	"tollgate/shared/audit"
)

type watchFlags struct {
	eventFlags
	api, code, client string
	refused           bool
}

func watchCommand() *cobra.Command {
	f := &watchFlags{}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Calls as they are decided, one line for each",
		Long: `Follows the events of the local run, or of a file that grows (--events; - reads
standard input until it ends), from now on. A file that is cut or replaced is
followed on. A stream that runs for 10 s shows twice: when it began, and at its end.

Ctrl-C ends it. Prints lines for people in a terminal, and JSON lines elsewhere.`,
		Example: `  tollgate watch
  tollgate watch --refused --api orders
  tollgate watch --client billing-batch --json | jq .code`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.watch(cmd) },
	}
	f.add(cmd, "")
	f.addFormat(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.api, "api", "", "only calls of this API")
	fl.StringVar(&f.code, "code", "", "only calls with this code, such as rate_exceeded")
	fl.StringVar(&f.client, "client", "", "only calls of this client, by its contract's name or its id")
	fl.BoolVar(&f.refused, "refused", false, "only calls that were refused")
	return cmd
}

func (f *watchFlags) watch(cmd *cobra.Command) error {
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
	if note := namesOf(b.plan).strange(f.client); note != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), note)
	}
	if f.workspace != "" {
		return errors.New("events reach a workspace minutes late: watch a file, or a pipe (--events -)")
	}
	files, err := f.sources()
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return errors.New("one file can be watched, not several")
	}
	return f.follow(cmd, files[0], namesOf(b.plan), asJSON)
}

func (f *watchFlags) follow(cmd *cobra.Command, file string, n names, asJSON bool) (err error) {
	var failed error
	out := cmd.OutOrStdout()
	on := screenOf(out)
	show := func(e audit.Event) {
		if !f.keeps(&e, n) || failed != nil {
			return
		}
		if asJSON {
			failed = writeEvent(out, &e)
		} else {
			_, failed = io.WriteString(out, watchLine(&e, n, on))
		}
	}
	r := &events.Reader{}
	if file == "-" {
		err = r.Each(cmd.Context(), cmd.InOrStdin(), show)
	} else {
		err = r.Follow(cmd.Context(), file, func() { fmt.Fprintf(cmd.ErrOrStderr(), "watching %s; stop with Ctrl-C\n", file) }, show)
	}
	if cmd.Context().Err() != nil {
		err = nil // a person's Ctrl-C
	}
	return errors.Join(err, failed)
}

func (f *watchFlags) keeps(e *audit.Event, n names) bool {
	name, _ := n.client(e.App)
	return (f.api == "" || e.API == f.api) && (f.code == "" || e.Code == f.code) && (!f.refused || e.Verdict == audit.Refused) &&
		(f.client == "" || e.App == f.client || name == f.client)
}

func writeEvent(w io.Writer, e *audit.Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = w.Write(append(printable(line), '\n'))
	return err
}

// watchLine is a decision in one line, as wide as the screen.
func watchLine(e *audit.Event, n names, on screen) string {
	verdict := e.Verdict
	switch {
	case e.Verdict == audit.Refused:
		verdict = e.Code
	case e.Event == audit.Started:
		verdict = "stream began"
	case e.Code != audit.Granted:
		verdict += ", " + e.Code
	}
	operation := "-"
	if e.API != "" {
		operation = e.API + "/" + e.Operation
	}
	who := e.App
	if name, _ := n.client(e.App); name != "" {
		who = name
	}
	if who == "" && e.Subscription != "" {
		who = "key of " + e.Subscription
	}
	if e.User != "" && e.Principal == "user" {
		who += " for " + e.User
	}
	status := "  -"
	if e.Status != 0 {
		status = fmt.Sprintf("%3d", e.Status)
	}
	head := e.Time.UTC().Format("15:04:05.000") + " "
	// What one needs for why comes before what a narrow screen cuts off.
	rest := fmt.Sprintf(" %-7s %s  %s  %s  %s  %s  %s", shortened(plain(e.Method), 12), shortened(plain(e.Path), most), shortened(plain(verdict), most),
		shortened(plain(e.Correlation), most), shortened(plain(operation), most), spent(max(e.Duration, e.Own)), shortened(plain(who), 2*most))
	room := 8 * most
	if on.width > 0 {
		room = max(most, on.width-len(head)-len(status))
	}
	return head + on.paint(status, severity(e)) + bounded(shortened(strings.TrimRight(rest, " "), room)) + "\n"
}

// severity chooses the colour: granted, refused, and what failed.
func severity(e *audit.Event) float64 {
	switch {
	case e.Status >= 500 || e.Status == 0:
		return 1
	case e.Verdict == audit.Refused:
		return 0.9
	}
	return 0
}
