package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/gateway"
)

// Function is the gateway with what an AWS Lambda function needs of it. The loop
// that asks for events is main's: the handler for Azure must not link it.
type Function struct {
	Gateway *gateway.Gateway
	Stream  bool                        // the function's URL streams answers
	After   func(context.Context) error // sends what waits, before the process may be frozen
	Refresh func(context.Context) error // what Azure's timer does; a schedule may ask for it
	Report  func(error)
	Now     func() time.Time
	Thawed  func() // gives up connections that may have been closed meanwhile

	// As an authorizer.
	Policy              bool     // an HTTP API wants policies
	Headers, Parameters []string // by which callers prove themselves, folded
	ByAddress           bool     // what is granted depends on where a call comes from
}

// Lambda makes the gateway for AWS Lambda. Why it can't, it has said on stderr.
func Lambda(stdout, stderr io.Writer) (*Function, error) {
	f, err := function(os.Getenv, stdout, stderr)
	if err != nil {
		newLog(stdout, stderr).Error("the gateway doesn't start: " + err.Error())
	}
	return f, err
}

func function(getenv func(string) string, stdout, stderr io.Writer) (*Function, error) {
	run, err := assemble(getenv, OnLambda, stdout, stderr)
	if err != nil {
		return nil, err
	}
	headers, parameters := credentials(run.plan)
	return &Function{
		Policy: run.config.Policy, Headers: headers, Parameters: parameters, ByAddress: byAddress(run.plan),
		Gateway: run.gateway, Stream: run.config.Stream, Report: run.parts.Report, Now: run.parts.Now, Thawed: run.pools.empty,
		Refresh: refresh(run.gateway, run.outlets, run.telling, newLog(stdout, stderr)),
		After:   run.after(),
	}, nil
}

// deaf is how long a collector that failed isn't told anything: each call would
// pay for its silence. What is measured meanwhile waits, or is dropped and counted.
const deaf = 30 * time.Second

func (run *assembled) after() func(context.Context) error {
	var until atomic.Int64 // Unix nanoseconds
	return func(ctx context.Context) error {
		err := run.outlets.flush(ctx)
		if run.parts.Now().UnixNano() < until.Load() {
			return err
		}
		failed := run.telling.Flush(ctx)
		if failed != nil {
			until.Store(run.parts.Now().Add(deaf).UnixNano())
			failed = fmt.Errorf("telemetry: %w", failed)
		}
		return errors.Join(err, failed)
	}
}

// credentials are the headers and parameters of tokens and of subscription keys.
func credentials(plan *contract.Plan) (headers, parameters []string) {
	headers = []string{"authorization", "dpop"}
	for _, api := range plan.APIs {
		headers, parameters = append(headers, api.KeyNames.Headers...), append(parameters, api.KeyNames.Parameters...)
	}
	return headers, parameters
}

func byAddress(plan *contract.Plan) bool {
	return !plan.Addresses.Empty() || slices.ContainsFunc(plan.APIs, func(a contract.PlannedAPI) bool { return !a.Addresses.Empty() })
}

// settle binds the plan to the platform that runs it. What is before the gateway
// tells the address in a header on Azure and in the event on AWS, so host means the latter there.
func settle(plan *contract.Plan, on Platform) error {
	source := &plan.ClientAddress.Source
	if on == OnAzure && *source == contract.SourceEvent {
		return fmt.Errorf("clientAddress says that callers' addresses are read from the source event, which %s doesn't have; say host or frontDoor", on)
	}
	if on == OnLambda && *source == contract.SourceHost {
		*source = contract.SourceEvent
	}
	return nil
}

// provable tells whether a gateway on AWS can prove itself to what it needs. Without a
// registration that trusts its role it is nobody there: each call would end with 503.
func provable(plan *contract.Plan, getenv func(string) string) error {
	needs := ""
	switch a := plan.Audit; {
	case plan.Store != nil && plan.Store.Identity == "" && getenv(Tables) == "":
		needs = "its tables"
	case (a.Logs != nil || a.EventHub != nil) && a.Identity == "":
		needs = "where its events go"
	}
	if needs == "" {
		return nil
	}
	return fmt.Errorf("the environment %s names no registration as which the gateway proves itself to %s; on %s it must: identities: { gateway: CLIENT-ID } (docs/lambda.md)", plan.Environment, needs, OnLambda)
}
