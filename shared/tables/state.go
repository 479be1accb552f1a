package tables

import (
	"sync/atomic"
	"time"
)

// State is what is known of the store.
type State struct {
	Asked   bool          // since the start
	Known   bool          // it has answered
	Answer  time.Duration // since it did last
	Failing bool          // it didn't when it was asked last
}

// seen is what became of requests.
type seen struct {
	answered atomic.Pointer[Moment] // nil: never
	asked    atomic.Bool
	failing  atomic.Bool
}

func (s *seen) note(at Moment, answered bool) {
	s.asked.Store(true)
	s.failing.Store(!answered)
	if answered {
		s.answered.Store(&at)
	}
}

// State does no network.
func (a *Account) State() State {
	out := State{Asked: a.seen.asked.Load(), Failing: a.seen.failing.Load()}
	if at := a.seen.answered.Load(); at != nil {
		now := a.clock.Moment()
		out.Known, out.Answer = true, max(now.passed-at.passed, now.wall.Sub(at.wall), 0)
	}
	return out
}
