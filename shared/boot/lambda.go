package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
}

// Lambda makes the gateway for AWS Lambda. Why it can't, it has said on stderr.
func Lambda(stdout, stderr io.Writer) (*Function, error) {
	run, err := assemble(os.Getenv, onLambda, stdout, stderr)
	if err != nil {
		newLog(stdout, stderr).Error("the gateway doesn't start: " + err.Error())
		return nil, err
	}
	return &Function{
		Gateway: run.gateway, Stream: run.config.Stream, Report: run.parts.Report,
		Refresh: refresh(run.gateway, run.outlets, run.telling, newLog(stdout, stderr)),
		After: func(ctx context.Context) error {
			return errors.Join(run.outlets.flush(ctx), run.telling.Flush(ctx))
		},
	}, nil
}

// settle binds the plan to the platform that runs it. What is before the gateway
// tells the address in a header on Azure and in the event on AWS, so host means the latter there.
func settle(plan *contract.Plan, on platform) error {
	source := &plan.ClientAddress.Source
	if on == onAzure && *source == contract.SourceEvent {
		return fmt.Errorf("clientAddress says that callers' addresses are read from the source event, which %s doesn't have; say host or frontDoor", on)
	}
	if on == onLambda && *source == contract.SourceHost {
		*source = contract.SourceEvent
	}
	return nil
}
