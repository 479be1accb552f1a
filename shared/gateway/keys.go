package gateway

import (
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
