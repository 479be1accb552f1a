package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tollgate/infra/verify"
	"tollgate/localrun/events"
	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

const (
	probeTokenTime = 10 * time.Minute
	skewed         = 15 * time.Minute // clocks of a workspace and of this machine may differ
)

// tokenFor mints a token that the API understands, with every role that it has.
func (r run) tokenFor(ctx context.Context, api *contract.PlannedAPI) (string, error) {
	return mint(ctx, r, issuer.Token{API: api.Name, Roles: api.Roles, Lifetime: probeTokenTime})
}

// eventsOf looks for events in files, or in a workspace, until all are there or the
// time for it is over. They are written after the answer was sent.
func (f *verifyFlags) eventsOf(files []string) func(context.Context, []string) (map[string]audit.Event, error) {
	return func(ctx context.Context, ids []string) (map[string]audit.Event, error) {
		wait, every, look := 5*time.Second, 50*time.Millisecond, func(ctx context.Context, ids []string, found map[string]audit.Event) error {
			return eventsIn(ctx, files, ids, found)
		}
		switch {
		case f.workspace != "":
			w, err := f.open()
			if err != nil {
				return nil, err
			}
			wait, every = 5*time.Minute, 20*time.Second
			look = func(ctx context.Context, ids []string, found map[string]audit.Event) error {
				return eventsAt(ctx, w, ids, found)
			}
		case len(files) == 0:
			return nil, errNoSource
		}
		if f.wait > 0 {
			wait = f.wait
		}
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		found := map[string]audit.Event{}
		for {
			err := look(ctx, ids, found)
			if err != nil && ctx.Err() == nil {
				return found, err
			}
			if len(found) == len(ids) {
				return found, nil
			}
			select {
			case <-ctx.Done():
				return found, nil
			case <-time.After(every):
			}
		}
	}
}

func eventsIn(ctx context.Context, files, ids []string, found map[string]audit.Event) error {
	r := &events.Reader{}
	for _, name := range files {
		if err := readFile(ctx, bytes.NewReader(nil), name, r, true, keep(ids, found)); err != nil {
			return err
		}
	}
	return nil
}

func eventsAt(ctx context.Context, w *events.Workspace, ids []string, found map[string]audit.Event) error {
	now := time.Now()
	for _, id := range ids {
		r := &events.Reader{}
		if err := r.Workspace(ctx, w, now.Add(-time.Hour), now.Add(skewed), id, true, keep(ids, found)); err != nil {
			return err
		}
	}
	return nil
}

func keep(ids []string, found map[string]audit.Event) func(audit.Event) {
	return func(e audit.Event) {
		for _, id := range ids {
			if e.Correlation == id && e.Event != audit.Started {
				found[id] = e
			}
		}
	}
}

// saveReport writes both forms, for this user only: a report says what is open.
func saveReport(info io.Writer, dir string, r *verify.Report) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var md, machine bytes.Buffer
	if err := r.Markdown(&md); err != nil {
		return err
	}
	if err := writeMachine(&machine, r); err != nil {
		return err
	}
	name := filepath.Join(dir, fmt.Sprintf("verify-%s-%s", r.Environment, r.Began.Format("20060102T150405Z")))
	for ending, text := range map[string][]byte{".md": md.Bytes(), ".json": machine.Bytes()} {
		if err := os.WriteFile(name+ending, text, 0o600); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(info, "wrote %s.md and .json\n", name)
	return err
}
