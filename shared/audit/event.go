// Package audit leaves one event for each decision, granted or refused.
//
// An event is written as one line of JSON, an OCSF 1.6.0 API Activity (class
// 6003); docs/audit.md says which attribute is what. Parse reads a line back, so
// that whoever asks the events (the command, tests, tools) has one reader.
package audit

import (
	"context"
	"time"
)

// What an event is about.
const (
	Decision = "decision" // a request, from its arrival to its end: its only event
	Started  = "started"  // a stream that has run for LongStream: what was decided when it began
	Ended    = "ended"    // the end of such a stream: everything
)

// LongStream is how long an answer may run before it leaves two events: whoever
// watches must hear of a stream while it runs.
const LongStream = 10 * time.Second

// Verdicts of an event.
const (
	Granted = "granted"
	Refused = "refused"
)

// Event is one decision. It never holds a token, a key or a query. Everything
// but Event, Time, Correlation, Contract, Method, Path, Verdict and Code may be
// absent. Its own JSON is flat, for tools and their output; a stream holds lines of
// OCSF, see Append.
type Event struct {
	Event       string    `json:"event"` // Decision, Started or Ended
	Time        time.Time `json:"time"`  // when the request arrived
	Correlation string    `json:"correlationId"`
	Invocation  string    `json:"invocationId,omitempty"` // the host's name for the request
	Replay      bool      `json:"replay,omitempty"`       // the host sent the request again, after this instance had broken its connection
	Trace       string    `json:"trace,omitempty"`        // W3C trace context: the caller's trace, or a new one, and this gateway's step in it
	Span        string    `json:"span,omitempty"`

	Gateway     string `json:"gateway,omitempty"` // its name in the contract
	Environment string `json:"environment,omitempty"`
	Build       string `json:"build,omitempty"` // the gateway's own version
	Contract    string `json:"contract"`        // digest of the contracts that decided

	API       string `json:"api,omitempty"`
	Operation string `json:"operation,omitempty"`
	Method    string `json:"method"`
	Path      string `json:"path"` // raw, without the query

	Verdict string   `json:"verdict"`
	Status  int      `json:"status"`          // as sent; 0 if the client left before an answer
	Code    string   `json:"code"`            // the stable reason
	Rule    string   `json:"rule,omitempty"`  // what in the contract decided
	Cause   string   `json:"cause,omitempty"` // for operators
	Marks   []string `json:"marks,omitempty"` // what an operator should see of a granted call too, such as "revocation_stale"

	Client       string  `json:"client,omitempty"`    // the caller's address, read as the contract says
	Principal    string  `json:"principal,omitempty"` // "user" (an app acts for a person) or "application"
	User         string  `json:"user,omitempty"`      // object id, or else the subject
	Tenant       string  `json:"tenant,omitempty"`
	App          string  `json:"app,omitempty"`     // the client application's id
	Session      string  `json:"session,omitempty"` // the token's own id
	Issuer       string  `json:"issuer,omitempty"`
	Subscription string  `json:"subscription,omitempty"` // whose key was sent, by its id
	Product      string  `json:"product,omitempty"`      // the subscription's
	Claims       []Claim `json:"claims,omitempty"`       // those that some rule of the API reads

	Limits []Limit `json:"limits,omitempty"` // those consulted

	Backend       string `json:"backend,omitempty"`       // host, with its port if the contract names one
	BackendStatus int    `json:"backendStatus,omitempty"` // what it answered

	Duration time.Duration `json:"duration,omitempty"` // of the whole call
	Own      time.Duration `json:"own,omitempty"`      // of that, the gateway's own work
	Waited   time.Duration `json:"waited,omitempty"`   // until the backend's answer began, other targets and their pauses included
	Received int64         `json:"received,omitempty"` // bytes of the request's body
	Sent     int64         `json:"sent,omitempty"`     // bytes of the answer's body

	Omitted      []string `json:"omitted,omitempty"`      // what the contract keeps out, or what could not be made a pseudonym, of what was there
	Pseudonyms   []string `json:"pseudonyms,omitempty"`   // which of the above are pseudonyms
	PseudonymKey string   `json:"pseudonymKey,omitempty"` // name and version of the secret that they were made with

	// Reserved tells a sink that a place was reserved for it.
	Reserved bool `json:"-"`
}

// Claim is one claim of the caller's token.
type Claim struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Limit is one that the call was counted by.
type Limit struct {
	Name  string        `json:"name"`
	Left  int64         `json:"left"`
	Reset time.Duration `json:"reset,omitempty"` // until there is more; 0: never, or not known
}

// Sink takes events. It must not hold up whoever calls it: what can't be
// written soon waits in a place of bounded size, or is lost and counted.
type Sink interface {
	// Reserve keeps a place for one event of a call that is about to be delivered;
	// false: there is none.
	Reserve() bool
	// Record takes the event; one that is Reserved gives its place up. The error is
	// for an operator, and says how many events were lost since the last one that
	// said so.
	Record(ctx context.Context, e *Event) error
}
