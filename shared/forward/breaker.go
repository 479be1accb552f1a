package forward

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/wire"
)

// errExcluded is the verdict on a call that says nothing of its target.
var errExcluded = errors.New("not the target's doing")

var errFailing = errors.New("the target answered that it can't")

// steps is in how many steps a breaker's window moves on.
const steps = 10

// breaker leaves a target alone after too many failures.
type breaker struct {
	cb    *gobreaker.TwoStepCircuitBreaker[struct{}]
	until atomic.Int64 // when it half-opens, in Unix nanoseconds

	patience time.Duration // with a call that tries it half-open
}

// newBreaker is that of one target. A call that tries it has a second more than
// the target has to answer: a client that sends its body slowly must not keep
// the target from being tried by another.
func newBreaker(p *contract.PlannedBreaker, timeout time.Duration, now func() time.Time) *breaker {
	if p == nil {
		return nil
	}
	b := &breaker{patience: timeout + time.Second}
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1, Interval: p.Window, BucketPeriod: p.Window / steps, Timeout: p.Open,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.TotalFailures) >= p.Failures },
		IsExcluded:  func(err error) bool { return errors.Is(err, errExcluded) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.until.Store(now().Add(p.Open).UnixNano())
			}
		},
	})
	return b
}

// allow asks whether a call may go there. report must be called once, with the verdict.
//
// gobreaker counts a failure as of when its call began, so one that took as long
// as the window would never count, and a time-out does. While the breaker is
// closed a failure is therefore entered as a call of its own when it is known;
// the call that tries a half-open breaker is reported as what it was.
func (b *breaker) allow() (report func(error), ok bool) {
	if b == nil {
		return func(error) {}, true
	}
	closed := b.cb.State() == gobreaker.StateClosed
	done, err := b.cb.Allow()
	switch {
	case err != nil:
		return nil, false
	case !closed:
		return b.bounded(done), true
	}
	return func(verdict error) {
		if verdict == nil || errors.Is(verdict, errExcluded) {
			done(verdict)
			return
		}
		done(errExcluded)
		if b.cb.State() != gobreaker.StateClosed {
			return
		}
		if fail, err := b.cb.Allow(); err == nil {
			fail(verdict)
		}
	}, true
}

// bounded reports the verdict if it comes in time, and none if it doesn't.
func (b *breaker) bounded(done func(error)) func(error) {
	var once sync.Once
	timer := time.AfterFunc(b.patience, func() { once.Do(func() { done(errExcluded) }) })
	return func(verdict error) {
		timer.Stop()
		once.Do(func() { done(verdict) })
	}
}

// verdict on the target, for its breaker. That a client left, or that its request
// is no good, says nothing of it.
func (got *attempt) verdict(c *pipeline.Call, resp *http.Response) error {
	switch {
	case resp != nil && (resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout):
		return errFailing
	case got.err == nil:
		return nil
	case c.Request.Context().Err() != nil, errors.Is(got.err, wire.ErrUnsendable),
		got.sent != nil && (got.sent.tooLong.Load() || got.sent.broken.Load()):
		return errExcluded
	}
	return got.err
}
