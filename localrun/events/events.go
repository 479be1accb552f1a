// Package events reads the gateway's events wherever they are kept: the local
// run's file, lines that were exported from Application Insights or Log Analytics,
// a running file.
//
// A call is told once: an event that was delivered twice counts once, and the two
// events of a stream are one call. Memory is bounded whatever is read.
package events

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"time"

	"tollgate/shared/audit"
)

const (
	maxLine   = 1 << 20 // an event has 32 KB at the most; what wraps one escapes it, and adds columns
	maxSeen   = 1 << 18 // events that are remembered, twice, to tell those that come again
	maxOpen   = 1 << 16 // streams that wait for their end
	maxOutlet = 16      // outlets that report losses
)

// Stats is what was read, and what an answer made of it can't know.
type Stats struct {
	Lines     int64     `json:"lines"`
	Events    int64     `json:"events"`
	Skipped   int64     `json:"skipped"`                     // lines that are no events
	TooLong   int64     `json:"tooLong,omitempty"`           // of those: longer than any event
	Repeated  int64     `json:"repeated,omitempty"`          // delivered again
	Replays   int64     `json:"replays,omitempty"`           // the host sent the request again: calls of their own
	Unpaired  int64     `json:"unpaired,omitempty"`          // streams beyond those that can be kept in mind
	Lost      int64     `json:"lost,omitempty"`              // events that gateways say they couldn't write
	Elsewhere int64     `json:"otherEnvironments,omitempty"` // calls that another environment decided, left out by whoever asked
	Restarts  int64     `json:"truncated,omitempty"`         // times that a followed file began anew
	First     time.Time `json:"first,omitzero"`              // of all events, in the time asked for or not
	Last      time.Time `json:"last,omitzero"`
}

// Reader puts events together. Its zero value is ready.
type Reader struct {
	Stats Stats

	seen, before map[[16]byte]struct{}
	open         map[string]audit.Event
	lost         map[string]int64
}

// Line takes one line, and hands over the events that it holds: of a wrapped line
// one, of any other none.
func (r *Reader) Line(line []byte, yield func(audit.Event)) {
	r.Stats.Lines++
	e, ok := r.event(line)
	if !ok {
		r.Stats.Skipped++
		return
	}
	if r.again(&e) {
		r.Stats.Repeated++
		return
	}
	r.Stats.Events++
	if e.Replay {
		r.Stats.Replays++
	}
	if r.Stats.First.IsZero() || e.Time.Before(r.Stats.First) {
		r.Stats.First = e.Time
	}
	if e.Time.After(r.Stats.Last) {
		r.Stats.Last = e.Time
	}
	yield(e)
}

func (r *Reader) event(line []byte) (audit.Event, bool) {
	if len(line) > maxLine {
		r.Stats.TooLong++
		return audit.Event{}, false
	}
	raw := unwrap(line)
	e, err := audit.Parse(raw)
	if err != nil {
		r.loss(raw)
		return audit.Event{}, false
	}
	return e, e.Event != "" && e.Correlation != ""
}

// loss reads what a gateway says of events that it couldn't write.
func (r *Reader) loss(raw []byte) {
	var l struct {
		Event, Outlet string
		Lost          int64
	}
	if json.Unmarshal(raw, &l) != nil || l.Event != "audit_loss" || l.Lost <= 0 {
		return
	}
	if r.lost == nil {
		r.lost = map[string]int64{}
	}
	if _, known := r.lost[l.Outlet]; known || len(r.lost) < maxOutlet {
		r.lost[l.Outlet] += l.Lost
	}
	// The same event may be missing in each outlet: the worst of them is what counts.
	r.Stats.Lost = max(r.Stats.Lost, r.lost[l.Outlet])
}

// again tells an event that was handed over before. What its id is made of
// (metadata.uid) is the call's correlation and which of a stream's events it is.
func (r *Reader) again(e *audit.Event) bool {
	kind := ""
	if e.Event != audit.Decision {
		kind = e.Event
	}
	sum := sha256.Sum256([]byte(e.Correlation + "/" + kind))
	id := [16]byte(sum[:])
	if _, ok := r.seen[id]; ok {
		return true
	}
	if _, ok := r.before[id]; ok {
		return true
	}
	if r.seen == nil || len(r.seen) >= maxSeen {
		r.before, r.seen = r.seen, map[[16]byte]struct{}{}
	}
	r.seen[id] = struct{}{}
	return false
}

// Call takes one line for whoever counts calls. What only began is kept until its
// end comes, or Close.
func (r *Reader) Call(line []byte, yield func(audit.Event)) {
	r.Line(line, func(e audit.Event) {
		switch e.Event {
		case audit.Started:
			if r.open == nil {
				r.open = map[string]audit.Event{}
			}
			if _, ended := r.open[e.Correlation]; ended {
				delete(r.open, e.Correlation) // the end came first
			} else if len(r.open) >= maxOpen {
				r.Stats.Unpaired++
			} else {
				r.open[e.Correlation] = e
			}
		case audit.Ended:
			if _, began := r.open[e.Correlation]; began {
				delete(r.open, e.Correlation)
			} else if len(r.open) < maxOpen { // its beginning may come later: exports have no order
				if r.open == nil {
					r.open = map[string]audit.Event{}
				}
				r.open[e.Correlation] = e
			}
			yield(e)
		default:
			yield(e)
		}
	})
}

// Close hands over the streams whose end never came.
func (r *Reader) Close(yield func(audit.Event)) {
	for _, e := range r.open {
		if e.Event == audit.Started {
			yield(e)
		}
	}
	r.open = nil
}

// Calls reads everything there is, and hands over each call once.
func (r *Reader) Calls(ctx context.Context, in io.Reader, yield func(audit.Event)) error {
	return records(ctx, in, func(line []byte) { r.Call(line, yield) })
}

// Each reads everything there is, and hands over each event: of a stream both.
func (r *Reader) Each(ctx context.Context, in io.Reader, yield func(audit.Event)) error {
	return records(ctx, in, func(line []byte) { r.Line(line, yield) })
}

// errTooLong ends the reading of an array whose parts are larger than any event.
var errTooLong = errors.New("a part of the JSON array is larger than any event; export JSON lines instead")
