package gateway

import (
	"net/http"
	"slices"

	"tollgate/shared/contract"
	"tollgate/shared/limit/guard"
	"tollgate/shared/pipeline"
	"tollgate/shared/subscription"
)

// keys gives each operation of an API the stage that looks at its key, behind the
// flood guard; nil where no key is looked at. What is known of keys is known to
// all of them.
func (g *Gateway) keys(flood *guard.Guard) func(contract.PlannedAPI) func(contract.PlannedOperation) pipeline.Stage {
	var source subscription.Source
	if g.parts.Subscriptions != nil && g.plan.Store != nil {
		source = g.parts.Subscriptions(*g.plan.Store)
	}
	register := subscription.NewRegister(g.plan, source, g.parts.Now)
	return func(api contract.PlannedAPI) func(contract.PlannedOperation) pipeline.Stage {
		known := register.Known(api)
		return func(op contract.PlannedOperation) pipeline.Stage {
			if op.Key == contract.KeyUnused {
				return nil
			}
			return flood.Around(known, register.Require(api, op))
		}
	}
}

// varyByKey: a shared cache keeps no answer to a request with Authorization (RFC
// 9111 §3.5), but knows nothing of keys. It must not hand to a caller without one
// what it got for a caller with one.
func varyByKey(answer http.Header, api contract.PlannedAPI) {
	if slices.ContainsFunc(api.Operations, func(op contract.PlannedOperation) bool { return op.Key != contract.KeyUnused }) {
		answer["Vary"] = append(slices.Clone(answer["Vary"]), api.Keys.Header)
	}
}
