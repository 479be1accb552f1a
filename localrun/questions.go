package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/estate"
	"tollgate/localrun/events"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// eventFlags say where events are, which of them are meant, and by which
// contracts they are read.
type eventFlags struct {
	workspaceFlags
	run, contracts, environment string
	files                       []string
	since, until                string
	asJSON, asTable             bool
	holding                     string // of a workspace, only events with this text are asked for
}

func (f *eventFlags) add(cmd *cobra.Command, since string) {
	fl := cmd.Flags()
	addRunFlag(cmd, &f.run)
	f.workspaceFlags.add(cmd)
	fl.StringArrayVar(&f.files, "events", nil, "file of events instead of the local run's, also .gz; - is standard input; repeat for several")
	fl.StringVar(&f.contracts, "contracts", "contracts", "folder of the contracts that --environment is of")
	fl.StringVar(&f.environment, "environment", "", "only events of this environment, read by its contracts (default: the local run's); why takes any")
	if since != "" {
		fl.StringVar(&f.since, "since", since, "how far back, such as 24h or 90d, or from when: 2026-11-01 or 2026-11-01T12:00:00Z")
		fl.StringVar(&f.until, "until", "", "until when, written the same way (default: now)")
	}
}

func (f *eventFlags) addFormat(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON also in a terminal")
	cmd.Flags().BoolVar(&f.asTable, "table", false, "print the table also where the output is no terminal")
}

// json decides the format: people read terminals, programs read pipes.
func (f *eventFlags) json(out io.Writer) (bool, error) {
	if f.asJSON && f.asTable {
		return false, errors.New("--json and --table contradict each other")
	}
	return f.asJSON || !f.asTable && !isTerminal(out), nil
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// theRun is the local run; of one that has ended, what it left.
func (f *eventFlags) theRun() (run, error) {
	r, err := readRun(f.run)
	if err == nil {
		return r, nil
	}
	dir := filepath.Dir(f.run)
	left := run{Contracts: filepath.Join(dir, "contracts"), Source: "contracts", Environment: estate.Name, Events: filepath.Join(dir, "events.jsonl")}
	if _, gone := os.Stat(f.run); errors.Is(gone, os.ErrNotExist) {
		if _, there := os.Stat(left.Events); there == nil {
			return left, nil
		}
	}
	return r, fmt.Errorf("%w. For other events, say --events FILE", err)
}

// sources are the files to read.
func (f *eventFlags) sources() ([]string, error) {
	if len(f.files) > 0 {
		return f.files, nil
	}
	r, err := f.theRun()
	return []string{r.Events}, err
}

// book is the contracts that events are read by. Its plan is nil where there are
// none to be had and nobody named any.
type book struct {
	plan   *contract.Plan
	dir    string // where they are read
	source string // where a person finds them
}

func (f *eventFlags) book() (book, error) {
	if f.environment != "" {
		plan, err := planIn(f.contracts, f.environment)
		return book{plan, f.contracts, f.contracts}, err
	}
	r, err := f.theRun()
	if err != nil {
		return book{}, nil
	}
	plan, err := planOf(r)
	if err != nil && len(f.files) > 0 {
		return book{}, nil
	}
	return book{plan, r.Contracts, r.Source}, err
}

// place is where a rule stands, for people; "" where the contracts don't know it.
func (b book) place(api, rule string) string {
	if b.plan == nil {
		return ""
	}
	file, line := b.plan.Place(api, rule)
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Join(b.source, file), line)
}

// read hands over each call of the time asked for, or each event.
func (f *eventFlags) read(cmd *cobra.Command, calls bool, yield func(*audit.Event)) (*events.Reader, span, error) {
	s, err := f.span(time.Now())
	if err != nil {
		return nil, s, err
	}
	r := &events.Reader{}
	within := func(e audit.Event) {
		switch {
		case !s.holds(e.Time):
		case calls && f.environment != "" && e.Environment != "" && e.Environment != f.environment:
			r.Stats.Elsewhere++ // a workspace may hold several; contracts of one say nothing of another
		default:
			yield(&e)
		}
	}
	if f.workspace != "" {
		err := f.readWorkspace(cmd, r, s, f.holding, calls, within)
		r.Close(within)
		return r, s, err
	}
	files, err := f.sources()
	if err != nil {
		return nil, s, err
	}
	for _, name := range files {
		if err := readFile(cmd.Context(), cmd.InOrStdin(), name, r, calls, within); err != nil {
			return nil, s, err
		}
	}
	if calls {
		r.Close(within)
	}
	return r, s, nil
}

func readFile(ctx context.Context, stdin io.Reader, name string, r *events.Reader, calls bool, yield func(audit.Event)) error {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("read the events: %w", err)
		}
		defer file.Close()
		in = file
		if strings.HasSuffix(name, ".gz") {
			if in, err = gzip.NewReader(file); err != nil {
				return fmt.Errorf("read the events of %s: %w", name, err)
			}
		}
	}
	if calls {
		return r.Calls(ctx, in, yield)
	}
	return r.Each(ctx, in, yield)
}

// span is a time, its end outside.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool {
	return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}

func (f *eventFlags) span(now time.Time) (s span, err error) {
	if s.from, err = ago("--since", f.since, now); err != nil {
		return s, err
	}
	if s.to, err = ago("--until", f.until, now); err != nil {
		return s, err
	}
	if !s.to.IsZero() && !s.to.After(s.from) {
		return s, errors.New("--until is not after --since")
	}
	return s, nil
}

var backwards = regexp.MustCompile(`^([0-9]{1,5})([smhdw])$`)

// ago reads how far back, or since when; the zero time for nothing.
func ago(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if m := backwards.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits, and few
		unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
		return now.Add(-time.Duration(n) * unit).UTC(), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q: write 24h, 90d, 2026-11-01 or 2026-11-01T12:00:00Z", flag, text)
}
