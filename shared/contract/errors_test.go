package contract_test

import (
	"testing"

	"tollgate/shared/contract"
)

func TestFaultsOfErrors(t *testing.T) {
	assertFault(t, faultsOf(estate(apiWith("errors: azure")...)), `orders.yaml:4:9: error: "azure" is not one of problem, apim`)
	assertFault(t, faultsOf(estate(gatewayWith("errors: [apim]")...)), `gateway.yaml:4:9: error: want text, got a list`)
}

func TestRefusalsAreWrittenAsTheAPISaysElseAsTheGateway(t *testing.T) {
	for name, c := range map[string]struct {
		edits        []string
		gateway, api string
	}{
		"neither says":     {nil, contract.ErrorsProblem, contract.ErrorsProblem},
		"the gateway says": {gatewayWith("errors: apim"), contract.ErrorsAPIM, contract.ErrorsAPIM},
		"the API says":     {apiWith("errors: apim"), contract.ErrorsProblem, contract.ErrorsAPIM},
		"both say":         {append(gatewayWith("errors: apim"), apiWith("errors: problem")...), contract.ErrorsAPIM, contract.ErrorsProblem},
	} {
		e, faults := contract.Load(estate(c.edits...))
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		p, faults := e.Plan("prod")
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		if p.Errors != c.gateway || p.APIs[0].Errors != c.api {
			t.Errorf("%s: got %q and %q, want %q and %q", name, p.Errors, p.APIs[0].Errors, c.gateway, c.api)
		}
	}
}
