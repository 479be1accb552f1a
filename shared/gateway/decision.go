package gateway

import (
	"slices"

	"tollgate/shared/claims"
	"tollgate/shared/contract"
	"tollgate/shared/cors"
	"tollgate/shared/headers"
	"tollgate/shared/limit"
	"tollgate/shared/pipeline"
	"tollgate/shared/subscription"
)

// entrance is the stages that say who calls, and whether they were cut off.
type entrance struct {
	key, who pipeline.Stage // key: nil where none is looked at
	cutOff   []step
}

// decision is the operation's stages, in order.
func decision(plan *contract.Plan, api contract.PlannedAPI, op contract.PlannedOperation, in entrance, limits *limit.Set) []step {
	steps := demands(plan, api, op, in)
	if spend := limits.Spend(api, op); spend != nil {
		steps = append(steps, step{"limits", spend}) // last: a call that is refused for another reason costs nothing
	}
	return steps
}

// demands are all that come before limits.
func demands(plan *contract.Plan, api contract.PlannedAPI, op contract.PlannedOperation, in entrance) []step {
	steps := origin(plan, api)
	if demanded := slices.Concat(api.Headers, op.Headers); len(demanded) > 0 {
		steps = append(steps, step{"headers", headers.Require(demanded)})
	}
	if op.WebSocket && api.CORS != nil {
		steps = append(steps, step{"cors", cors.New(*api.CORS).Admit})
	}
	if op.Allow == nil {
		return steps
	}
	var bound []step
	if in.key != nil {
		steps, bound = append(steps, step{"key", in.key}), []step{{"binding", subscription.Bound(plan.Products)}}
	}
	if op.Key == contract.KeyAlone {
		return slices.Concat(steps, in.cutOff, bound)
	}
	steps = append(append(steps, step{"token", in.who}), in.cutOff...)
	steps = append(steps, []step{
		{"callers", claims.Admit(api.Callers)},
		{"allow", claims.Require(op.ID, *op.Allow, scopePrefix(api))},
	}...)
	steps = append(append(steps, bound...), step{"require", claims.Demand(api.Require)})
	if op.StepUp != "" {
		steps = append(steps, step{"stepUp", claims.StepUp(op.ID, op.StepUp, plan.SignIn)})
	}
	return append(steps, step{"forward", claims.Pass(plan.Forward)})
}

func chained(steps []step) pipeline.Stage {
	stages := make([]pipeline.Stage, len(steps))
	for i, s := range steps {
		stages[i] = s.stage
	}
	return pipeline.Chain(stages...)
}
