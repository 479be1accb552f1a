// Package gateway compiles a plan into one immutable http.Handler. It knows no
// cloud and no store: what it needs from the world comes in Parts.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"tollgate/shared/address"
	"tollgate/shared/assertion"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
	"tollgate/shared/token"
)

// Parts is what a gateway needs from the world.
type Parts struct {
	Now      func() time.Time
	NewID    func() string                               // a fresh, unguessable name for a call
	Keys     http.RoundTripper                           // carries requests to identity providers
	Backends func(contract.PlannedAPI) http.RoundTripper // carries requests to an API's backend
	Provers  func(contract.PlannedAPI) []pipeline.Prover // how the gateway proves itself to it; nil: not at all
	Events   audit.Sink

	Limits        func(contract.PlannedStore) limit.Store         // where calls are counted; nil: each limit does what it does during an outage
	Subscriptions func(contract.PlannedStore) subscription.Source // where keys are kept; nil: every call that needs one is refused
	Revocations   func(*contract.Plan) revocation.Lists           // who was cut off; nil: with a store, every call that could be is refused
	Chores        func(*contract.Plan) []Chore                    // what Refresh does besides; nil: nothing

	AssertionRoot func(contract.PlannedAssertionKey) assertion.Root // the key behind assertions; nil: every call that needs one is refused

	Secrets audit.Secrets // reads the secret behind pseudonyms; nil: what would be one is left out
	Build   string        // this gateway's version, for events

	Store    func() StoreState // what is known of the store; nil: nothing
	Observer Observer          // watches every call from outside; nil: nobody does

	Report   func(error) // told of lost events and of panics; nil drops them
	Identity token.Options
}

func (p Parts) provers(api contract.PlannedAPI) []pipeline.Prover {
	if p.Provers == nil {
		return nil
	}
	return p.Provers(api)
}

// Gateway answers every request by the plan it was compiled from.
type Gateway struct {
	plan   *contract.Plan
	parts  Parts
	trust  *token.Trust
	client func(*http.Request) netip.Addr
	root   node
	own    manners // of answers that belong to no API

	signer *assertion.Signer // of assertions; nil where no API asks for them

	revocations stateful // nil: there is no list, or nothing is known of it

	cloak   *audit.Cloak
	aborted aborted
}

var _ http.Handler = (*Gateway)(nil)

// route is one operation, compiled.
type route struct {
	api, operation string
	reads          []string // the claims that rules of the API read
	metadata       string   // address of the API's metadata; "" where there is none
	encodedSlash   bool     // a parameter may hold one
	quiet          bool     // calls that are granted leave no event: nothing is decided
	stages         []step
	decide         pipeline.Stage // the stages, chained, but for limits
	spend          pipeline.Stage // limits; nil: none
	deliver        pipeline.Delivery
}

// Step is what one stage said of a call.
type Step struct {
	Stage   string           // "route", "cors" (of a preflight or a WebSocket), "addresses", "headers", "key", "token", "revocation", "callers", "allow", "binding", "require", "stepUp", "forward" or "limits"
	Refused *refusal.Refusal // nil: the call may go on
	Took    time.Duration    // by Parts.Now
}

// Compile turns the plan into a handler. No request parses or looks up by name after it.
func Compile(plan *contract.Plan, parts Parts) *Gateway {
	g := &Gateway{
		plan: plan, parts: parts, trust: token.NewTrust(plan, parts.Keys, parts.Now, parts.Identity),
		client: address.From(plan.ClientAddress), own: newManners(plan.Answer, nil, ownStyle(plan)),
		cloak: audit.NewCloak(plan.Audit, parts.Secrets, parts.Now),
	}
	g.addAssertions()
	g.addHealth()
	decisions := g.decisions()
	for _, api := range plan.APIs {
		decide, deliver := decisions.of(api), g.deliveries(api)
		for _, op := range api.Operations {
			rt := &route{api: api.Name, operation: op.ID, reads: api.Reads, metadata: metadataURL(plan, api), encodedSlash: op.EncodedSlash, deliver: deliver(op), stages: g.observed(decide(op))}
			rt.chain()
			g.root.add(op.Template, rt)
		}
		if metadataURL(plan, api) != "" {
			t, rt := metadataRoute(plan, api)
			g.root.add(t, rt)
		}
		g.addManners(api)
	}
	return g
}

// Snapshot is every issuer's key set as it is published now, as files by name.
func (g *Gateway) Snapshot(ctx context.Context) (map[string][]byte, error) {
	return g.trust.Snapshot(ctx)
}

// NewCall is the request as the stages see it.
func (g *Gateway) NewCall(r *http.Request) *pipeline.Call {
	return &pipeline.Call{Request: r, Path: rawPath(r), Correlation: g.parts.NewID(), Client: g.client(r), Answer: g.own.answer, Style: g.own.style}
}

// Decide gives the verdict on a call without forwarding it; nil grants it.
func (g *Gateway) Decide(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
	rt, refused := g.route(c)
	if refused != nil {
		return refused
	}
	if refused = rt.decide(ctx, c); refused == nil && rt.spend != nil {
		refused = rt.spend(ctx, c)
	}
	return refused
}

// Explain is Decide with what each stage said and how long it took, up to the one that refused. api
// and operation are "" if no route was found.
func (g *Gateway) Explain(ctx context.Context, c *pipeline.Call) (api, operation string, steps []Step) {
	began := g.parts.Now()
	took := func() time.Duration {
		last := began
		began = g.parts.Now()
		return began.Sub(last)
	}
	rt, refused := g.route(c)
	steps = append(steps, Step{"route", refused, took()})
	if refused != nil {
		return "", "", steps
	}
	for _, s := range rt.stages {
		refused := s.stage(ctx, c)
		steps = append(steps, Step{s.name, refused, took()})
		if refused != nil {
			break
		}
	}
	return rt.api, rt.operation, steps
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := g.NewCall(r)
	v := g.visit(r.Context(), call)
	ctx := v.ctx
	refused := v.run(w)
	if refused == nil {
		refused = g.retract(w, call)
	}
	if refused != nil {
		g.refuse(w, call, v.route, refused)
	}
	g.afterwards(context.WithoutCancel(ctx), call, refused)
	// A probe that is told of a fault leaves an event: the sink whose failure it may be is tried by it.
	if v.route == nil || !v.route.quiet || refused != nil || call.Outcome.Status >= http.StatusInternalServerError {
		v.record(refused)
	}
	if call.Outcome.Broken != "" || call.Outcome.ClientGone {
		// Returning would end the answer as if it were whole, or make one up. A server
		// of http.Handler knows this one way to break the connection instead.
		panic(http.ErrAbortHandler)
	}
}

// afterwards is what stages still have to do. The answer is out: what fails now
// costs nobody theirs, nor the event.
func (g *Gateway) afterwards(ctx context.Context, c *pipeline.Call, refused *refusal.Refusal) {
	defer func() {
		if fault := recover(); fault != nil {
			g.fault(c, fmt.Errorf("panic after call %s: %v\n%s", c.Correlation, fault, debug.Stack()))
		}
	}()
	for _, do := range c.Afterwards {
		do(ctx, c, refused)
	}
}

func (g *Gateway) refuse(w http.ResponseWriter, c *pipeline.Call, rt *route, refused *refusal.Refusal) {
	about := refusal.About{Realm: g.plan.Name, Correlation: c.Correlation, Head: c.Request.Method == http.MethodHead, Style: c.Style}
	if rt != nil {
		about.Metadata = rt.metadata
	}
	c.Announce(w.Header())
	c.Outcome.Status = refusal.Write(w, about, refused)
}

// run finds the operation, decides and delivers; without w it only decides. A fault of ours is
// answered with 500 and leaves its event; without an answer the host would send the request again,
// up to ten times (functions-host.md §2c).
func (v *visit) run(w http.ResponseWriter) (refused *refusal.Refusal) {
	c := v.call
	defer func() {
		fault := recover()
		switch {
		case fault == nil:
			return
		case c.Outcome.Status != 0:
			c.Outcome.Broken, c.Outcome.Code = "panic; see the log", "gateway_failed"
		default:
			if w != nil {
				clear(w.Header()) // a delivery may have begun to say what the backend said
			}
			refused = refusal.New(refusal.Internal, "gateway_failed", "The gateway failed.").Because(errors.New("panic; see the log"))
		}
		v.fault(c, fmt.Errorf("panic in call %s: %v\n%s", c.Correlation, fault, debug.Stack()))
	}()
	if refused = v.admit(); refused == nil && w != nil {
		c.Passing = v.passing
		refused = v.route.deliver(v.ctx, w, c)
	}
	return refused
}

// admit finds the operation and decides.
func (v *visit) admit() (refused *refusal.Refusal) {
	ctx, c := v.ctx, v.call
	if v.route, refused = v.Gateway.route(c); refused != nil {
		return refused
	}
	rt := v.route
	c.Operation = rt.operation
	if refused = rt.decide(ctx, c); refused != nil {
		return refused
	}
	// Before limits: a call that can't be told of costs nothing.
	if !rt.quiet {
		refused = v.reserve()
	}
	if refused == nil && rt.spend != nil {
		refused = rt.spend(ctx, c)
	}
	return refused
}

func (g *Gateway) report(err error) {
	if g.parts.Report != nil {
		g.parts.Report(err)
	}
}
