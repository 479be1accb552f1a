package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate/localrun/faults"
)

// What a fault can stand in the way of.
const (
	onDiscovery = "discovery"
	onKeys      = "keys"
)

const (
	// redirectedMark in the query tells the target of a redirect fault from the request that met it.
	redirectedMark = "redirected"

	slowByDefault = 30 * time.Second // longer than any gateway should wait
	hugeBytes     = 32 << 20
)

// Fault is one way in which discovery or the keys can fail.
//
//	status    answers Status (default 503)
//	slow      answers rightly after Delay (default 30 s)
//	huge      answers with the right document padded to 32 MiB: only a size limit refuses it
//	html      answers 200 with a web page, as a captive portal does
//	issuer    discovery names another issuer
//	refuse    closes the connection without an answer (Go's client tries a GET once more on a kept-alive connection)
//	redirect  answers 302 to an address with the right document: only a client that doesn't follow refuses it
//
// With any kind, Delay passes first.
type Fault struct {
	On     string        // "discovery", "keys" or "" for both
	Kind   string        // one of the above
	Status int           // for status
	Delay  time.Duration // JSON: a Go duration string
	Times  int           // requests it hits; 0 = until cleared
}

// wireFault is a Fault as JSON has it.
type wireFault struct {
	On     string   `json:"on,omitempty"`
	Kind   string   `json:"kind"`
	Status int      `json:"status,omitempty"`
	Delay  duration `json:"delay,omitempty"`
	Times  int      `json:"times,omitempty"`
}

// MarshalJSON writes what UnmarshalJSON reads.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireFault{f.On, f.Kind, f.Status, duration(f.Delay), f.Times})
}

// UnmarshalJSON is as strict as Token's.
func (f *Fault) UnmarshalJSON(text []byte) error {
	var wire wireFault
	if err := decodeStrict(text, &wire); err != nil {
		return err
	}
	*f = Fault{On: wire.On, Kind: wire.Kind, Status: wire.Status, Delay: time.Duration(wire.Delay), Times: wire.Times}
	return nil
}

func (f Fault) check() error {
	kinds := []string{"status", "slow", "huge", "html", "issuer", "refuse", "redirect"}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is unknown; known: %s", f.Kind, strings.Join(kinds, ", "))
	case f.On != "" && f.On != onDiscovery && f.On != onKeys:
		return fmt.Errorf("a fault on %q is unknown; known: %s, %s or empty for both", f.On, onDiscovery, onKeys)
	case f.Kind == "issuer" && f.On == onKeys:
		return fmt.Errorf("a fault of kind issuer is for %s only", onDiscovery)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not from 200 to 599", f.Status)
	case f.Delay < 0 || f.Times < 0:
		return errors.New("delay and times can't be negative")
	}
	return nil
}

// Fail adds a fault. The latest one that fits a request answers it, and those
// before it come back when its Times are used up. A Fault that makes no sense
// answers 500 and says why, so that a test can't pass by a spelling mistake.
func (i *Issuer) Fail(f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = slices.Insert(i.faults, 0, &f)
}

// Heal removes every fault.
func (i *Issuer) Heal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = nil
}

// fault takes the one that this request meets, if any.
func (i *Issuer) fault(what string) (Fault, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.IndexFunc(i.faults, func(f *Fault) bool { return f.fits(what) })
	if at < 0 {
		return Fault{}, false
	}
	fault := i.faults[at]
	met := *fault
	switch fault.Times {
	case 0: // until cleared
	case 1:
		i.faults = slices.Delete(i.faults, at, at+1)
	default:
		fault.Times--
	}
	return met, true
}

func (f *Fault) fits(what string) bool {
	if f.Kind == "issuer" && f.On == "" {
		return what == onDiscovery // the key set is answered rightly: only the document is about another issuer
	}
	return f.On == "" || f.On == what
}

// answer writes what the fault makes of a document.
func (f Fault) answer(w http.ResponseWriter, r *http.Request, members map[string]any) {
	if err := f.check(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if f.Kind == "slow" && f.Delay == 0 {
		f.Delay = slowByDefault
	}
	if !faults.Pause(r.Context(), f.Delay) {
		return
	}
	switch f.Kind {
	case "slow":
		writeDocument(w, members)
	case "status":
		if f.Status == 0 {
			f.Status = http.StatusServiceUnavailable
		}
		http.Error(w, "This fault was asked for.", f.Status)
	case "huge":
		writeHuge(w, members)
	case "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><p>Please accept the terms of this network.")
	case "issuer":
		members["issuer"] = "https://issuer.invalid/" + r.PathValue("tid") + "/v2.0"
		writeDocument(w, members)
	case "refuse":
		faults.HangUp(w)
	case "redirect":
		http.Redirect(w, r, r.URL.Path+"?"+redirectedMark+"=1", http.StatusFound)
	}
}

// writeHuge puts the padding first, so that a reader without a limit takes all of it.
func writeHuge(w http.ResponseWriter, members map[string]any) {
	text, err := json.Marshal(members)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	chunk := strings.Repeat("x", 64<<10)
	_, err = io.WriteString(w, `{"padding":"`)
	for sent := 0; sent < hugeBytes && err == nil; sent += len(chunk) {
		_, err = io.WriteString(w, chunk) // stops when the client has had enough
	}
	_, _ = io.WriteString(w, `",`+string(text[1:]))
}
