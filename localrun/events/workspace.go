package events

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tollgate/shared/audit"
)

const (
	// DefaultWorkspaces is where Log Analytics is asked; other clouds have addresses of their own.
	DefaultWorkspaces = "https://api.loganalytics.io"
	// DefaultTable is where the Functions host leaves what the gateway prints.
	DefaultTable = "AppTraces"

	// DefaultRows keeps an answer below what the service gives at once: 500,000 rows, 100 MB.
	DefaultRows = 20_000

	maxAnswer = 256 << 20 // bytes of one answer
)

// Workspace is a workspace of Log Analytics, asked by its query API.
type Workspace struct {
	Endpoint string // without a slash at its end
	ID       string
	Table    string // AppTraces, or the one that the data collection rule fills
	Token    func(ctx context.Context) (string, error)
	Client   *http.Client
	Rows     int // the most of one answer; DefaultRows if it isn't given
}

// errTooMany: the answer would hold more than is taken at once.
var errTooMany = errors.New("too many events at once")

// Read hands over the events that were written in that time, in pieces of it that
// are small enough. holding keeps only events with that text; "" keeps all.
func (w *Workspace) Read(ctx context.Context, from, to time.Time, holding string, yield func(line []byte)) error {
	lines, err := w.piece(ctx, from, to, holding)
	if errors.Is(err, errTooMany) {
		half := to.Sub(from) / 2
		if half < time.Second {
			return fmt.Errorf("more than %d events were written in a second at %s; ask for less", w.most(), from.UTC().Format(time.RFC3339))
		}
		if err := w.Read(ctx, from, from.Add(half), holding, yield); err != nil {
			return err
		}
		return w.Read(ctx, from.Add(half), to, holding, yield)
	}
	for _, line := range lines {
		yield(line)
	}
	return err
}

func (w *Workspace) most() int { return cmp.Or(w.Rows, DefaultRows) }

// ticks is a time as exactly as Kusto knows it: its datetime counts 100 ns.
const ticks = "2006-01-02T15:04:05.9999999Z07:00"

// query is KQL. What is put into it is escaped: an id may be anything that a person typed.
func (w *Workspace) query(from, to time.Time, holding string) string {
	text := func(s string) string {
		out, _ := json.Marshal(s) // a string of KQL is escaped as one of JSON
		return string(out)
	}
	q := fmt.Sprintf("['%s'] | where TimeGenerated >= datetime(%s) and TimeGenerated < datetime(%s)", w.Table, upTo(from), upTo(to))
	if w.Table == DefaultTable {
		q += " | where Message startswith " + text(`{"class_uid":6003,`) + " or Message startswith " + text(`{"event":"audit_loss"`)
		if holding != "" {
			q += " | where Message contains_cs " + text(holding)
		}
		return q + fmt.Sprintf(" | project Message | take %d", w.most()+1)
	}
	if holding != "" {
		q += " | where tostring(metadata) contains_cs " + text(holding)
	}
	return q + fmt.Sprintf(" | take %d", w.most()+1)
}

// upTo is the first tick that isn't before t: of pieces that meet between two ticks,
// none is asked for what another holds, and nothing is left out.
func upTo(t time.Time) string {
	const tick = 100 * time.Nanosecond
	return t.Add(tick - 1).Truncate(tick).UTC().Format(ticks)
}

func (w *Workspace) piece(ctx context.Context, from, to time.Time, holding string) ([][]byte, error) {
	body, err := json.Marshal(map[string]string{"query": w.query(from, to, holding)})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Endpoint+"/v1/workspaces/"+w.ID+"/query", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	token, err := w.Token(ctx)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the workspace %s: %w", w.ID, err)
	}
	defer resp.Body.Close()
	return w.rows(resp)
}

// answer is what the query API gives.
type answer struct {
	Tables []struct {
		Columns []struct{ Name string }
		Rows    [][]json.RawMessage
	}
	Error *struct{ Code, Message string }
}

func (w *Workspace) rows(resp *http.Response) ([][]byte, error) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the workspace's answer: %w", err)
	}
	if len(text) > maxAnswer {
		return nil, errTooMany
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil && resp.StatusCode == http.StatusOK {
		return nil, fmt.Errorf("read the workspace's answer: %w", err)
	}
	switch {
	case a.Error != nil && (a.Error.Code == "PartialError" || strings.Contains(a.Error.Message, "ResponseSizeError")):
		return nil, errTooMany // it holds a part of the rows only
	case a.Error != nil:
		return nil, fmt.Errorf("the workspace %s says %d %s: %q", w.ID, resp.StatusCode, a.Error.Code, a.Error.Message)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the workspace %s says %s", w.ID, resp.Status)
	case len(a.Tables) == 0:
		return nil, errors.New("the workspace's answer has no table")
	case len(a.Tables[0].Rows) > w.most():
		return nil, errTooMany
	}
	var out [][]byte
	for _, values := range a.Tables[0].Rows {
		row := map[string]json.RawMessage{}
		for i, c := range a.Tables[0].Columns {
			if i < len(values) {
				row[c.Name] = values[i]
			}
		}
		line, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

// Workspace reads of a workspace what Calls and Each read of a stream.
func (r *Reader) Workspace(ctx context.Context, w *Workspace, from, to time.Time, holding string, calls bool, yield func(audit.Event)) error {
	take := r.Line
	if calls {
		take = r.Call
	}
	return w.Read(ctx, from, to, holding, func(line []byte) { take(line, yield) })
}
