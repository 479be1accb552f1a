package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"tollgate/localrun/child"
)

// handler is the app's one handler process through all its lives
// (functions-host.md §1).
type handler struct {
	command   command
	address   string // 127.0.0.1:port, the same through all restarts
	init      time.Duration
	budgets   Budgets
	transport *http.Transport
	report    *reporter
	now       func() time.Time

	mu      sync.Mutex
	state   state
	changed chan struct{} // closed and replaced whenever state changes
	quit    chan error    // asks the host to stop
}

// state is what waiting requests look at.
type state struct {
	life    *life
	ready   bool  // this life answered a probe
	opened  bool  // some life did: the host is running
	silent  bool  // this life ended with code 0, after which nothing happens
	stopped error // the host stopped; no life follows
}

// life is one run of the process, from its start until it is gone.
type life struct {
	process *child.Process
	restart chan string // asks for a kill and a new life, with the reason
}

// errRestartCount is why the host stops after the third failure (§1.3).
var errRestartCount = errors.New("the handler failed three times, which stops the host")

// maxFailures is the error with which the host gives up.
const maxFailures = 3

func newHandler(c command, address string, init time.Duration, transport *http.Transport, report *reporter, o Options) *handler {
	return &handler{
		command: c, address: address, init: init, budgets: o.Budgets,
		transport: transport, report: report, now: o.Now, changed: make(chan struct{}), quit: make(chan error, 1),
	}
}

func (h *handler) start() (*life, error) {
	p, err := startProcess(h.command, h.report)
	if err != nil {
		return nil, err
	}
	l := &life{process: p, restart: make(chan string, 1)}
	h.update(func(s *state) { s.life, s.ready, s.silent = l, false, false })
	h.report.event(EventStarted, p.PID(), h.command.exe)
	return l, nil
}

func (h *handler) update(change func(*state)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.state)
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *handler) look() (state, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state, h.changed
}

// until waits for a state that decides: done, with or without an error.
func (h *handler) until(ctx context.Context, decide func(state) (done bool, err error)) (state, error) {
	for {
		s, changed := h.look()
		if done, err := decide(s); done {
			return s, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s, context.Cause(ctx)
		}
	}
}

// supervise keeps the process alive by the host's rules. It returns nil when ctx
// ends and an error when the host must stop; by then the process is gone.
func (h *handler) supervise(ctx context.Context, l *life) error {
	var failures failures
	for {
		end := h.live(ctx, l)
		h.finish(l, end)
		if ctx.Err() != nil {
			h.update(func(s *state) { s.stopped = errClosed })
			return nil
		}
		if end.fatal != nil {
			return h.giveUp(end.fatal)
		}
		for counted := end.failure; ; {
			if counted {
				n := failures.add(h.now(), h.budgets.Forget)
				h.report.event(EventFailure, l.process.PID(), fmt.Sprintf("%d of %d: %s", n, maxFailures, end.reason))
				if n >= maxFailures {
					return h.giveUp(fmt.Errorf("%w; the last time: %s", errRestartCount, end.reason))
				}
			}
			next, err := h.start()
			if err == nil {
				l = next
				break
			}
			end, counted = ending{reason: err.Error(), failure: true}, true
		}
	}
}

func (h *handler) giveUp(reason error) error {
	err := fmt.Errorf("%w; %s", reason, h.report.lastLines())
	h.report.event(EventStopped, 0, reason.Error())
	h.update(func(s *state) { s.stopped = err })
	return err
}

// ending is how a life ended.
type ending struct {
	reason  string
	failure bool // counted
	exited  bool // by itself
	fatal   error
}

// live watches one life until it ended or must end.
func (h *handler) live(ctx context.Context, l *life) ending {
	probing, stop := context.WithTimeout(ctx, h.init)
	defer stop()
	probed := make(chan error, 1)
	go func() { probed <- probe(probing, h.transport, "http://"+h.address+"/", h.budgets.Probe) }()
	answer, gone := (<-chan error)(probed), (<-chan struct{})(l.process.Gone())
	defer func() {
		if answer != nil { // still probing
			stop()
			<-answer
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return ending{reason: "the host closes"}
		case err := <-h.quit:
			return ending{reason: err.Error(), fatal: err}
		case reason := <-l.restart:
			return ending{reason: reason}
		case err := <-answer:
			answer = nil
			if err != nil {
				if ctx.Err() != nil {
					continue
				}
				return ending{reason: fmt.Sprintf("no answer to GET / within %s (customHandler.initializationTimeout)", h.init), failure: true}
			}
			h.update(func(s *state) { s.ready, s.opened = true, true })
			h.report.event(EventReady, l.process.PID(), "")
		case <-gone:
			gone = nil
			if end, ended := h.exited(l); ended {
				return end
			}
		}
	}
}

// exited applies functions-host.md §1.3: code 0 changes nothing, code 200 is a
// wanted restart, any other a failure.
func (h *handler) exited(l *life) (ending, bool) {
	code := l.process.Code()
	reason := fmt.Sprintf("exit code %d", code)
	if code < 0 {
		reason = l.process.State()
	}
	h.report.event(EventExited, l.process.PID(), reason)
	if code == 0 {
		h.update(func(s *state) { s.silent = true })
		return ending{}, false
	}
	return ending{reason: reason, failure: code != 200, exited: true}, true
}

func (h *handler) finish(l *life, end ending) {
	h.update(func(s *state) { s.ready = false })
	if !l.process.Ended() && !end.exited {
		l.process.Kill()
		h.report.event(EventKilled, l.process.PID(), end.reason)
	}
	h.transport.CloseIdleConnections()
}

// ask has this life killed and another started, unless it has ended already.
func (l *life) ask(reason string) {
	select {
	case l.restart <- reason:
	default: // asked already
	}
}

// surrender stops the host (functions-host.md §1.4).
func (h *handler) surrender(reason error) {
	select {
	case h.quit <- reason:
	default: // asked already
	}
}

// failures remembers when the handler failed.
type failures struct{ times []time.Time }

// add counts a failure. functions-host.md §1.3: those older than memory since
// the previous one are forgotten, so after such a pause counting starts anew.
func (f *failures) add(now time.Time, memory time.Duration) int {
	if n := len(f.times); n > 0 && now.Sub(f.times[n-1]) > memory {
		f.times = f.times[:0]
	}
	f.times = append(f.times, now)
	return len(f.times)
}
