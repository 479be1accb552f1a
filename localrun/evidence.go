package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/events"
	"tollgate/localrun/evidence"
)

type evidenceFlags struct {
	eventFlags
	html, out, probes string
}

func evidenceCommand() *cobra.Command {
	f := &evidenceFlags{}
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "What contracts and events show of SOC 2, ISO 27001, PCI DSS, HIPAA, GDPR and NIS2, for an auditor",
		Long: `Lays out, for each control that concerns access: what it asks, which lines of which
contract enforce something of it, what events of the time show, each figure with
the query that gives it again, and what this gateway doesn't cover. A control
without data says "not shown". It claims no compliance. --verify adds what probes
of the deployed estate showed, with their date.

Prints Markdown, or writes it to --out; --html writes a page to be printed.`,
		Example: `  tollgate evidence --since 90d --html evidence.html
  tollgate evidence --since 2026-10-01 --until 2027-01-01 --events traces.jsonl --environment prod --out evidence.md
  tollgate evidence --environment prod --workspace 8f0c2f4e-… --verify reports --html evidence.html`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.evidence(cmd) },
	}
	f.add(cmd, "90d")
	cmd.Flags().StringVar(&f.html, "html", "", "also write a page in HTML to this file")
	cmd.Flags().StringVar(&f.out, "out", "", "write the Markdown to this file instead of standard output")
	cmd.Flags().StringVar(&f.probes, "verify", "", "report of tollgate verify (JSON), or a folder of them, of which the newest of the environment is taken")
	return cmd
}

func (f *evidenceFlags) evidence(cmd *cobra.Command) error {
	b, err := f.book()
	if err != nil {
		return err
	}
	if b.plan == nil {
		return errors.New("evidence begins with contracts, and none are at hand; name them with --contracts and --environment")
	}
	now := time.Now().UTC().Truncate(time.Second)
	f.pin(now)
	facts, err := f.facts(cmd, b, now)
	if err != nil {
		return err
	}
	if f.html != "" {
		var page bytes.Buffer
		if err := facts.HTML(&page); err != nil {
			return err
		}
		if err := os.WriteFile(f.html, page.Bytes(), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s\n", f.html)
	}
	if f.out == "" && f.html != "" {
		return nil
	}
	var text bytes.Buffer
	if err := facts.Markdown(&text); err != nil {
		return err
	}
	if f.out == "" {
		_, err = text.WriteTo(cmd.OutOrStdout())
		return err
	}
	return os.WriteFile(f.out, text.Bytes(), 0o600)
}

// pin makes "the last 90 days" two dates: the queries in the document must give the
// same figures tomorrow.
func (f *evidenceFlags) pin(now time.Time) {
	if from, err := ago("--since", f.since, now); err == nil && !from.IsZero() {
		f.since = day(from)
	}
	if to, err := ago("--until", f.until, now); err == nil {
		if to.IsZero() {
			to = now.Add(time.Second)
		}
		f.until = day(to)
	}
}

func (f *evidenceFlags) facts(cmd *cobra.Command, b book, now time.Time) (*evidence.Facts, error) {
	seen, err := openProbes(f.probes, b.plan.Environment)
	if err != nil {
		return nil, err
	}
	o := observe(b)
	r, s, err := f.read(cmd, true, o.add)
	if err != nil {
		return nil, err
	}
	q := queries{since: day(s.from), until: day(s.to), source: f.source()}
	notes := append(o.uses.notes("", r.Stats, s), seen.note(b.plan.Version))
	figures := o.figures(q, b, r.Stats, now)
	seen.addTo(figures)
	return &evidence.Facts{
		Gateway: b.plan.Name, Environment: b.plan.Environment, Digest: b.plan.Version, Folder: filepath.Clean(b.source),
		Since: s.from, Until: s.to, Made: now, Notes: notes, Rules: enforcedBy(b), Figures: figures,
	}, nil
}

// source are the flags by which the same events are found again.
func (f *evidenceFlags) source() string {
	var b strings.Builder
	if f.run != defaultRunFile {
		b.WriteString(" --run " + quoted(f.run))
	}
	for _, file := range f.files {
		b.WriteString(" --events " + quoted(file))
	}
	if f.workspace != "" {
		b.WriteString(" --workspace " + quoted(f.workspace))
		if f.table != events.DefaultTable {
			b.WriteString(" --workspace-table " + quoted(f.table))
		}
	}
	if f.environment != "" {
		b.WriteString(" --environment " + quoted(f.environment))
		if f.contracts != "contracts" {
			b.WriteString(" --contracts " + quoted(f.contracts))
		}
	}
	return b.String()
}

// quoted is a word for a shell.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
