package gateway

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// health is the answer to GET /_gateway/health. Ages are whole seconds; what
// isn't known is left out.
type health struct {
	Status string `json:"status"`
	*facts        // nil where the contract keeps them back
}

type facts struct {
	Gateway     string       `json:"gateway"`
	Environment string       `json:"environment"`
	Contract    string       `json:"contract"` // the plan's version
	Build       string       `json:"build,omitempty"`
	KeySets     []keySetFact `json:"keySets,omitempty"`
	Store       *storeFact   `json:"store,omitempty"`
	Revocation  *listFact    `json:"revocation,omitempty"`
	Audit       []sinkFact   `json:"audit"`
}

type keySetFact struct {
	Issuer  string `json:"issuer"` // as contracts call it
	Age     *int64 `json:"age,omitempty"`
	Stale   bool   `json:"stale"`
	Failing bool   `json:"failing"`
	Usable  bool   `json:"usable"`
}

type storeFact struct {
	Answered *int64 `json:"answered,omitempty"`
	Outage   bool   `json:"outage"`
}

type listFact struct {
	Age    *int64 `json:"age,omitempty"`
	Usable bool   `json:"usable"`
}

type sinkFact struct {
	Sink    string `json:"sink"`
	Waiting int    `json:"waiting"`
	Oldest  int64  `json:"oldest"`
	Lost    int64  `json:"lost"`
	Full    bool   `json:"full"`
}

// addHealth makes the route. It asks for no token and looks at no list of
// addresses, for it tells nothing that a caller couldn't find out, unless the
// contract says so. Its calls leave no event: nothing is decided, and probes
// would be most of what there is to read.
func (g *Gateway) addHealth() {
	t := contract.Template{Method: http.MethodGet, Segments: []contract.Segment{{Literal: "_gateway"}, {Literal: "health"}}}
	g.root.add(t, &route{operation: "health", quiet: true, decide: pipeline.Chain(), deliver: g.health})
}

// health does no network: a probe must not wait for what it asks about.
func (g *Gateway) health(_ context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
	state, status := g.State(), http.StatusOK
	said := health{Status: "ok"}
	if !state.OK {
		said.Status, status = "unavailable", http.StatusServiceUnavailable
	}
	if g.plan.HealthDetail {
		said.facts = g.facts(state)
	}
	body, err := json.Marshal(said)
	if err != nil { // texts and numbers always marshal
		return refusal.New(refusal.Internal, "gateway_failed", "The gateway failed.").Because(err)
	}
	h := w.Header()
	c.Announce(h)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set(forward.CorrelationHeader, c.Correlation)
	w.WriteHeader(status)
	c.Outcome.Status = status
	if c.Request.Method != http.MethodHead {
		_, _ = w.Write(body) // whoever asked may be gone
	}
	return nil
}

func (g *Gateway) facts(s State) *facts {
	f := &facts{Gateway: g.plan.Name, Environment: g.plan.Environment, Contract: g.plan.Version, Build: g.parts.Build, Audit: []sinkFact{}}
	for _, k := range s.KeySets {
		f.KeySets = append(f.KeySets, keySetFact{k.Name, ageIf(k.Known, k.Age), k.Stale, k.Failing, k.Usable})
	}
	if s.Store != nil {
		f.Store = &storeFact{ageIf(s.Store.Known, s.Store.Answer), s.Store.Failing}
	}
	if s.Revocation != nil {
		f.Revocation = &listFact{ageIf(s.Revocation.Known, s.Revocation.Age), s.Revocation.Usable}
	}
	for _, o := range s.Sinks {
		f.Audit = append(f.Audit, sinkFact{o.Name, o.Waiting, whole(o.Oldest), o.Lost, o.Full})
	}
	return f
}

func ageIf(known bool, d time.Duration) *int64 {
	if !known {
		return nil
	}
	s := whole(d)
	return &s
}

func whole(d time.Duration) int64 { return int64(math.Round(d.Seconds())) }
