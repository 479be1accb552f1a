package host

import (
	"context"
	"errors"
	"time"
)

var errInactive = errors.New("no byte moved within the activity timeout")

// activity ends ctx when nothing was read or written for a while
// (functions-host.md §2c: 240 s, reset by every read and write).
type activity struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	budget time.Duration
}

func startActivity(ctx context.Context, budget time.Duration) *activity {
	a := &activity{budget: budget}
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	a.timer = time.AfterFunc(budget, func() { a.cancel(errInactive) })
	return a
}

func (a *activity) touch() { a.timer.Reset(a.budget) }

func (a *activity) stop() {
	a.timer.Stop()
	a.cancel(context.Canceled)
}
