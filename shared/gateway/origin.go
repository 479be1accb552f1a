package gateway

import (
	"tollgate/shared/address"
	"tollgate/shared/contract"
)

// origin is what is asked of every call of the API, public ones too: where it comes from.
func origin(plan *contract.Plan, api contract.PlannedAPI) []step {
	if plan.Addresses.Empty() && api.Addresses.Empty() {
		return nil
	}
	return []step{{"addresses", address.Admit(plan.Addresses, api.Addresses)}}
}
