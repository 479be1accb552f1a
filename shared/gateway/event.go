package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// visit is one request from its arrival to its event.
type visit struct {
	*Gateway
	ctx      context.Context
	watch    Watch // nil: nobody watches
	began    time.Time
	call     *pipeline.Call
	route    *route // nil: none was found
	reserved bool   // a place for its event
	replay   bool
	started  atomic.Bool // the event of a stream that runs was left
}

func (g *Gateway) visit(ctx context.Context, c *pipeline.Call) *visit {
	c.Trace = forward.Trace(c.Request.Header, c.Correlation)
	v := &visit{Gateway: g, ctx: ctx, began: g.parts.Now(), call: c}
	if g.parts.Observer != nil {
		v.ctx, v.watch = g.parts.Observer.Arrived(ctx, c, v.began)
	}
	v.replay = g.aborted.has(pipeline.Invocation(ctx))
	return v
}

// reserve keeps a place for the event of a call that would be granted: whatever
// the backend does for a caller must be told.
func (v *visit) reserve() *refusal.Refusal {
	v.reserved = v.parts.Events.Reserve()
	switch {
	case v.reserved:
	case !v.plan.Audit.Allow:
		return refusal.New(refusal.Unavailable, "audit_unavailable", "No record of the call could be kept now.").By("gateway.audit.unavailable").Retry(time.Second)
	default:
		v.call.Marks = append(v.call.Marks, "audit_unavailable:allow")
	}
	return nil
}

// passing is called while bytes of a granted call pass. No goroutine waits for
// the ten seconds: whoever passes the first bytes after them leaves the event.
func (v *visit) passing() {
	if v.started.Load() || v.parts.Now().Sub(v.began) < audit.LongStream || !v.started.CompareAndSwap(false, true) {
		return
	}
	e := v.event(audit.Started, nil)
	e.Duration, e.Sent, e.Received, e.Own = 0, 0, 0, 0 // not known yet
	v.write(e)
}

// record leaves the one event of this request, or the last one of a stream.
func (v *visit) record(refused *refusal.Refusal) {
	kind := audit.Decision
	if v.started.Load() {
		kind = audit.Ended
	}
	e := v.event(kind, refused)
	e.Reserved = v.reserved
	if v.watch != nil {
		v.watch.Ended(e)
	}
	if e.Invocation != "" && (v.call.Outcome.ClientGone || v.call.Outcome.Broken != "") {
		v.aborted.add(e.Invocation)
	}
	v.write(e)
}

func (v *visit) write(e *audit.Event) {
	ctx := context.WithoutCancel(v.ctx) // the client may have left
	v.cloak.Apply(ctx, e)
	if err := v.parts.Events.Record(ctx, e); err != nil {
		v.fault(v.call, fmt.Errorf("events are lost: %w", err))
	}
}

// event is what is known now.
func (v *visit) event(kind string, refused *refusal.Refusal) *audit.Event {
	c, o := v.call, &v.call.Outcome
	e := &audit.Event{
		Event: kind, Time: v.began.UTC(), Correlation: c.Correlation, Invocation: pipeline.Invocation(v.ctx), Replay: v.replay,
		Trace: c.Trace.ID, Span: c.Trace.Span, Gateway: v.plan.Name, Environment: v.plan.Environment, Build: v.parts.Build, Contract: v.plan.Version,
		Method: c.Request.Method, Path: told(c.Path),
		Verdict: audit.Granted, Code: audit.Granted, Status: o.Status, Cause: o.Broken, Marks: c.Marks,
		Backend: o.Backend, BackendStatus: o.BackendStatus, Waited: o.Waited, Received: o.Received, Sent: o.Bytes,
		Duration: v.parts.Now().Sub(v.began),
	}
	e.Own = e.Duration - o.Delivering
	switch {
	case refused != nil:
		e.Verdict, e.Code, e.Rule, e.Cause = audit.Refused, refused.Code, refused.Rule, refused.Cause()
	case o.ClientGone:
		e.Code = "client_gone"
	case o.Broken != "":
		e.Code = o.Code
	}
	if v.route != nil {
		e.API, e.Operation = v.route.api, v.route.operation
	}
	v.who(e)
	for _, l := range c.Limits() {
		e.Limits = append(e.Limits, audit.Limit{Name: l.Name, Left: l.Units, Reset: l.Reset})
	}
	return e
}

// told is a path without what is none: a fragment, or the user information of a
// target that has no path. Either may hold a secret, and neither is ever granted.
func told(path string) string {
	path, _, _ = strings.Cut(path, "#")
	if strings.HasPrefix(path, "/") {
		return path
	}
	if host := strings.LastIndexByte(path, '@'); host >= 0 {
		return path[host+1:]
	}
	return path
}

// who called, as far as it was verified: of a token that was refused nothing is told.
func (v *visit) who(e *audit.Event) {
	c := v.call
	if c.Client.IsValid() {
		e.Client = c.Client.String()
	}
	if c.Subscription != nil {
		e.Subscription, e.Product = c.Subscription.ID, c.Subscription.Product
	}
	if c.Identity == nil {
		return
	}
	id := c.Identity
	e.Principal, e.Issuer = id.Principal.String(), id.Issuer
	e.User = first(id.Claims, "oid", "sub")
	e.Tenant = first(id.Claims, "tid")
	e.App = first(id.Claims, "azp", "appid", "client_id")
	e.Session = first(id.Claims, "uti", "jti")
	if v.route != nil {
		e.Claims = read(id.Claims, v.route.reads)
	}
}

func first(c pipeline.Claims, names ...string) string {
	for _, name := range names {
		if s, ok := c[name].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// read picks the claims that rules of the API read, where they are texts.
func read(c pipeline.Claims, names []string) []audit.Claim {
	out := make([]audit.Claim, 0, len(names))
	room := make([]string, 0, len(names)) // of claims with one value
	for _, name := range names {
		if s, ok := c[name].(string); ok {
			room = append(room, s)
			out = append(out, audit.Claim{Name: name, Values: room[len(room)-1 : len(room) : len(room)]})
			continue
		}
		if values, ok := c.Texts(name); ok {
			out = append(out, audit.Claim{Name: name, Values: values})
		}
	}
	return out
}
