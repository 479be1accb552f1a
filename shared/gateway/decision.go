package gateway

import (
	"slices"

	"tollgate/shared/claims"
	"tollgate/shared/contract"
	"tollgate/shared/cors"
	"tollgate/shared/headers"
	"tollgate/shared/limit"
	"tollgate/shared/limit/guard"
	"tollgate/shared/limit/memory"
	"tollgate/shared/pipeline"
	"tollgate/shared/subscription"
)

// step is a stage by its name.
type step struct {
	name  string
	stage pipeline.Stage
}

func chained(steps []step) pipeline.Stage {
	stages := make([]pipeline.Stage, len(steps))
	for i, s := range steps {
		stages[i] = s.stage
	}
	return pipeline.Chain(stages...)
}

// chain puts the stages into one, and limits, which come last, into one of their own.
func (rt *route) chain() {
	steps := rt.stages
	if n := len(steps); n > 0 && steps[n-1].name == limits {
		rt.spend, steps = steps[n-1].stage, steps[:n-1]
	}
	rt.decide = chained(steps)
}

// limits is the name of the last stage.
const limits = "limits"

// decisions makes the stages of operations from what they share.
type decisions struct {
	*Gateway
	flood  *guard.Guard
	keys   func(contract.PlannedAPI) func(contract.PlannedOperation) pipeline.Stage
	cutOff []step
	limits *limit.Set
}

func (g *Gateway) decisions() decisions {
	flood := guard.New(g.plan.FloodGuard)
	var shared limit.Store
	if g.parts.Limits != nil && g.plan.Store != nil {
		shared = g.parts.Limits(*g.plan.Store)
	}
	limits := limit.NewSet(g.plan, limit.Stores{Shared: shared, Local: memory.New(g.parts.Now)})
	return decisions{g, flood, g.keys(flood), g.cutOff(), limits}
}

// of gives each operation of the API its stages, in order.
func (d decisions) of(api contract.PlannedAPI) func(contract.PlannedOperation) []step {
	who := d.flood.Around(d.trust.Known(api.Accepts, api.Proof), d.trust.Verify(api.Accepts, api.Proof))
	key := d.keys(api)
	return func(op contract.PlannedOperation) []step {
		steps := append(d.request(api, op), d.caller(api, op, key(op), who)...)
		if spend := d.limits.Spend(api, op); spend != nil {
			steps = append(steps, step{limits, spend}) // last: a call that is refused for another reason costs nothing
		}
		return steps
	}
}

// request is what is asked of every request, whoever sent it.
func (d decisions) request(api contract.PlannedAPI, op contract.PlannedOperation) []step {
	steps := origin(d.plan, api)
	if demanded := slices.Concat(api.Headers, op.Headers); len(demanded) > 0 {
		steps = append(steps, step{"headers", headers.Require(demanded)})
	}
	if op.WebSocket && api.CORS != nil {
		steps = append(steps, step{"cors", cors.New(*api.CORS).Admit})
	}
	return steps
}

// caller is what is asked of whoever sent it.
func (d decisions) caller(api contract.PlannedAPI, op contract.PlannedOperation, key, who pipeline.Stage) []step {
	if op.Allow == nil {
		return nil
	}
	var steps, bound []step
	if key != nil {
		steps, bound = []step{{"key", key}}, []step{{"binding", subscription.Bound(d.plan.Products)}}
	}
	if op.Key == contract.KeyAlone {
		return slices.Concat(steps, d.cutOff, bound)
	}
	steps = append(append(steps, step{"token", who}), d.cutOff...)
	steps = append(steps, []step{
		{"callers", claims.Admit(api.Callers)},
		{"allow", claims.Require(op.ID, *op.Allow, scopePrefix(api))},
	}...)
	steps = append(append(steps, bound...), step{"require", claims.Demand(api.Require)})
	if op.StepUp != "" {
		steps = append(steps, step{"stepUp", claims.StepUp(op.ID, op.StepUp, d.plan.SignIn)})
	}
	return append(steps, step{"forward", claims.Pass(d.plan.Forward)})
}
