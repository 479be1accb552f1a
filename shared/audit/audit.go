// Package audit leaves one event for each decision, granted or refused.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Event is one decision. It never holds a token, a key, a query or a claim's value.
type Event struct {
	Event        string    `json:"event"` // always "decision": tells events from other lines of the stream
	Time         time.Time `json:"time"`  // when the request arrived
	Correlation  string    `json:"correlationId"`
	Invocation   string    `json:"invocationId,omitempty"` // the host's name for the request
	Client       string    `json:"client,omitempty"`       // the caller's address, read as the contract says; "" where it is unknown
	API          string    `json:"api,omitempty"`
	Operation    string    `json:"operation,omitempty"`
	Subscription string    `json:"subscription,omitempty"` // whose key was sent, by its id
	Product      string    `json:"product,omitempty"`      // the subscription's
	Contract     string    `json:"contract"`               // digest of the contracts that decided
	Method       string    `json:"method"`
	Path         string    `json:"path"` // raw, without the query; at most 1 KiB
	Verdict      string    `json:"verdict"`
	Status       int       `json:"status"` // 0 if the client left before an answer
	Code         string    `json:"code"`
	Rule         string    `json:"rule,omitempty"`  // what in the contract decided
	Cause        string    `json:"cause,omitempty"` // for operators; at most 1 KiB
	Marks        []string  `json:"marks,omitempty"` // what an operator should see of a granted call too, such as "revocation_stale" or "limit_outage:NAME:allow"
}

// Verdicts of an event.
const (
	Granted = "granted"
	Refused = "refused"
)

// Sink takes events. Record must not block for longer than a local write.
type Sink interface {
	Record(ctx context.Context, e *Event) error
}

// Lines writes each event as one line of JSON.
type Lines struct {
	mu sync.Mutex
	w  io.Writer
}

var _ Sink = (*Lines)(nil)

// NewLines writes to w, one Write for each event.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Record writes one printable line, whatever the request held.
func (l *Lines) Record(_ context.Context, e *Event) error {
	e.Event = "decision"
	e.Method, e.Path, e.Cause = printable(e.Method, 32), printable(e.Path, 1<<10), printable(e.Cause, 1<<10)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", e.Correlation, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write event %s: %w", e.Correlation, err)
	}
	return nil
}

// printable escapes what a terminal or a log viewer would obey (ANSI, C1
// controls, line separators), as Go writes it in a string, and cuts what is too long.
func printable(s string, most int) string {
	s = s[:min(len(s), most+1)] // enough to know whether it is longer
	if strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e }) >= 0 {
		quoted := strconv.QuoteToASCII(s)
		s = quoted[1 : len(quoted)-1]
	}
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
