package storage

import (
	"encoding/json"
	"net/http"
	"time"

	"tollgate/localrun/faults"
)

// Faults that only a storage account has. Delay and Times are as with any other.
const (
	Busy     = "busy"      // 503 ServerBusy, as beyond the target of a partition
	TimedOut = "timed-out" // 500 OperationTimedOut; nothing was done
	Conflict = "conflict"  // 412 for a write, or a batch with one, that names an ETag other than "*"
	Lost     = "lost"      // a write is done, then the connection closed, or Status answered
)

// Counts is what was asked of the account. A request is counted once, as one of
// the first five; what was not let in isn't counted.
type Counts struct {
	Reads     int `json:"reads"`     // of one entity
	Writes    int `json:"writes"`    // of one entity, whatever the answer
	Queries   int `json:"queries"`   // pages of entities
	Batches   int `json:"batches"`   // entity group transactions
	Tables    int `json:"tables"`    // anything about tables and the service
	Conflicts int `json:"conflicts"` // of those, answers 409 and 412, also within a batch
	Throttled int `json:"throttled"` // of those, answers that Busy and TimedOut gave
}

// Total is the number of requests.
func (c Counts) Total() int { return c.Reads + c.Writes + c.Queries + c.Batches + c.Tables }

// Operations counts since the start, or since Reset.
func (s *Storage) Operations() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Reset counts from zero again.
func (s *Storage) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = Counts{}
}

// Clear makes the account as it was at first: no tables, no faults, no offset, no counts.
func (s *Storage) Clear() {
	s.Heal()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables, s.counts, s.offset, s.properties = map[string]*table{}, Counts{}, 0, nil
}

func (s *Storage) count(c call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.target.kind == batch:
		s.counts.Batches++
	case c.target.kind == service, c.target.kind == catalogue, c.query.Get("comp") != "":
		s.counts.Tables++
	case c.target.kind == entities && c.method == http.MethodGet:
		s.counts.Queries++
	case c.target.kind == one && c.method == http.MethodGet:
		s.counts.Reads++
	default:
		s.counts.Writes++
	}
}

// fails plays the faults that come before anything is done.
func (s *Storage) fails(w http.ResponseWriter, r *http.Request, c call) bool {
	if over, _ := s.Meet(w, r); over {
		return true
	}
	f, met := s.Take(Busy, TimedOut)
	if !met {
		return false
	}
	if !faults.Pause(r.Context(), f.Delay) {
		return true
	}
	s.mu.Lock()
	s.counts.Throttled++
	s.mu.Unlock()
	refused := serverBusy()
	if f.Kind == TimedOut {
		refused = timedOut()
	}
	s.date(w.Header())
	s.write(w, c, s.refuse(c, refused))
	return true
}

// loses plays the fault that comes after the write was done.
func (s *Storage) loses(w http.ResponseWriter, r *http.Request, c call) bool {
	f, met := s.Take(Lost)
	if !met {
		return false
	}
	if !faults.Pause(r.Context(), f.Delay) {
		return true
	}
	switch f.Status {
	case 0:
		faults.HangUp(w)
	case http.StatusServiceUnavailable:
		s.write(w, c, s.refuse(c, serverBusy()))
	case http.StatusInternalServerError:
		s.write(w, c, s.refuse(c, timedOut()))
	default:
		s.write(w, c, s.refuse(c, &refusal{f.Status, "InternalError", "This fault was asked for."}))
	}
	return true
}

func (s *Storage) serveControl() {
	s.Control(s.control)
	s.control.HandleFunc("GET /_control/operations", faults.Local(s.showOperations))
	s.control.HandleFunc("DELETE /_control/operations", faults.Local(func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	}))
	s.control.HandleFunc("DELETE /_control/tables", faults.Local(func(w http.ResponseWriter, _ *http.Request) {
		s.Clear()
		w.WriteHeader(http.StatusNoContent)
	}))
	s.control.HandleFunc("POST /_control/offset", faults.Local(s.controlOffset))
}

func (s *Storage) showOperations(w http.ResponseWriter, _ *http.Request) {
	text, _ := json.Marshal(s.Operations()) // numbers always marshal
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text) // the client may be gone
}

// controlOffset moves the account's clock: POST {"offset": "-3s"}.
func (s *Storage) controlOffset(w http.ResponseWriter, r *http.Request) {
	var o struct{ Offset string }
	if err := faults.Read(w, r, &o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d, err := time.ParseDuration(o.Offset)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.Offset(d)
	w.WriteHeader(http.StatusNoContent)
}
