package audit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoEvent: the line is something else that stands in the stream.
var ErrNoEvent = errors.New("the line is no event of this gateway")

// Parse reads one line back. Durations are as exact as the line has them: of the
// whole call in milliseconds, of its parts in microseconds.
func Parse(line []byte) (Event, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrNoEvent, err)
	}
	if r.ClassUID != 6003 || r.Metadata.Product.Name != product {
		return Event{}, ErrNoEvent
	}
	at, err := time.Parse(time.RFC3339Nano, r.TimeDT)
	if err != nil {
		return Event{}, fmt.Errorf("%w: its time: %w", ErrNoEvent, err)
	}
	u := r.Unmapped
	e := Event{
		Event: u.Event, Time: at, Correlation: r.Metadata.CorrelationUID, Invocation: u.Invocation, Replay: u.Replay,
		Gateway: r.Metadata.LogProvider, Environment: u.Environment, Build: r.Metadata.Product.Version,
		Contract: r.API.Service.Version, API: named(r.API.Service.Name), Operation: named(r.API.Operation),
		Method: r.HTTPRequest.Method, Path: r.HTTPRequest.URL.Path,
		Verdict: u.Verdict, Code: r.StatusCode, Cause: r.StatusDetail, Marks: u.Marks,
		Principal: u.Principal, User: r.Actor.User.UID, App: r.Actor.AppUID, Subscription: u.Subscription, Product: u.Product,
		Client:        cmp.Or(r.SrcEndpoint.IP, named(r.SrcEndpoint.Name)),
		BackendStatus: u.BackendStatus, Received: r.HTTPRequest.BodyLength,
		Duration: time.Duration(r.Duration) * time.Millisecond, Own: time.Duration(u.GatewayUS) * time.Microsecond, Waited: time.Duration(u.BackendUS) * time.Microsecond,
		Omitted: u.Omitted, Pseudonyms: u.Pseudonyms, PseudonymKey: u.PseudonymKey,
	}
	r.parts(&e)
	return e, nil
}

// parts are those that may be absent as a whole.
func (r *record) parts(e *Event) {
	if r.Policy != nil {
		e.Rule = r.Policy.UID
	}
	if r.Trace != nil {
		e.Trace = r.Trace.UID
		if r.Trace.Span != nil {
			e.Span = r.Trace.Span.UID
		}
	}
	if r.Actor.User.Org != nil {
		e.Tenant = r.Actor.User.Org.UID
	}
	if r.Actor.Session != nil {
		e.Session, e.Issuer = named(r.Actor.Session.UID), r.Actor.Session.Issuer
	}
	if d := r.DstEndpoint; d != nil {
		e.Backend = d.Hostname
		if d.Port != 0 {
			e.Backend = net.JoinHostPort(strings.Trim(d.Hostname, "[]"), strconv.Itoa(d.Port))
		}
	}
	if r.HTTPResponse != nil {
		e.Status, e.Sent = r.HTTPResponse.Code, r.HTTPResponse.BodyLength
	}
	for _, l := range r.Unmapped.Limits {
		e.Limits = append(e.Limits, Limit{l.Name, l.Left, time.Duration(l.Reset) * time.Second})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Unmapped.Claims)) {
		e.Claims = append(e.Claims, Claim{name, r.Unmapped.Claims[name]})
	}
}

func named(s string) string {
	if s == none {
		return ""
	}
	return s
}
