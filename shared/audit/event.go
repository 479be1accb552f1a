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
// absent.
type Event struct {
	Event       string    // Decision, Started or Ended
	Time        time.Time // when the request arrived
	Correlation string
	Invocation  string // the host's name for the request
	Replay      bool   // the host sent the request again, after this instance had broken its connection
	Trace, Span string // W3C trace context: the caller's trace, or a new one, and this gateway's step in it

	Gateway     string // its name in the contract
	Environment string
	Build       string // the gateway's own version
	Contract    string // digest of the contracts that decided

	API, Operation string
	Method         string
	Path           string // raw, without the query

	Verdict string
	Status  int      // as sent; 0 if the client left before an answer
	Code    string   // the stable reason
	Rule    string   // what in the contract decided
	Cause   string   // for operators
	Marks   []string // what an operator should see of a granted call too, such as "revocation_stale"

	Client       string // the caller's address, read as the contract says
	Principal    string // "user" (an app acts for a person) or "application"
	User         string // object id, or else the subject
	Tenant       string
	App          string // the client application's id
	Session      string // the token's own id
	Issuer       string
	Subscription string  // whose key was sent, by its id
	Product      string  // the subscription's
	Claims       []Claim // those that some rule of the API reads

	Limits []Limit // those consulted

	Backend       string // host, with its port if the contract names one
	BackendStatus int    // what it answered

	Duration time.Duration // of the whole call
	Own      time.Duration // of that, the gateway's own work
	Waited   time.Duration // until the backend's answer began, other targets and their pauses included
	Received int64         // bytes of the request's body
	Sent     int64         // bytes of the answer's body

	Omitted      []string // what the contract keeps out, or what could not be made a pseudonym, of what was there
	Pseudonyms   []string // which of the above are pseudonyms
	PseudonymKey string   // name and version of the secret that they were made with

	// Reserved tells a sink that a place was reserved for it.
	Reserved bool
}

// Claim is one claim of the caller's token.
type Claim struct {
	Name   string
	Values []string
}

// Limit is one that the call was counted by.
type Limit struct {
	Name  string
	Left  int64
	Reset time.Duration // until there is more; 0: never, or not known
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
