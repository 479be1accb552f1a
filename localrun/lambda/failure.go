package lambda

import "errors"

// Failure is a function that ended an invocation without an answer.
type Failure struct {
	Type    string // such as Runtime.ExitError, Sandbox.Timedout, or the runtime's own
	Message string
}

func (f *Failure) Error() string { return f.Type + ": " + f.Message }

// errThrottled: as many processes as there may be are at work. Lambda doesn't queue.
var errThrottled = errors.New("throttled: every process that may run is at work")

// errTooLarge: an event above the quota.
var errTooLarge = errors.New("the event is too large")
