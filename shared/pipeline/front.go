package pipeline

import (
	"context"
	"errors"
	"net/netip"
)

// ErrOutOfTime is the cause of a request's context where the platform ends the
// call: its caller is still there, and wants to hear why.
var ErrOutOfTime = errors.New("the platform's time for the call is over")

// ErrAnswerTooLarge is what writing fails with where the front end takes no more.
var ErrAnswerTooLarge = errors.New("the answer is larger than the front end takes")

// Retractable is a response writer that may hold the whole answer back.
type Retractable interface {
	// Retract takes back what was written, header included; false: some of it is out.
	Retract() bool
}

type clientKey struct{}

// WithClient notes where the call comes from, as the front end itself says beside the request.
func WithClient(ctx context.Context, client netip.Addr) context.Context {
	return context.WithValue(ctx, clientKey{}, client)
}

// Client is that; the zero Addr without it.
func Client(ctx context.Context) netip.Addr {
	client, _ := ctx.Value(clientKey{}).(netip.Addr)
	return client
}
