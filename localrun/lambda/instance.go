package lambda

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/localrun/child"
)

// instance is one process and the runtime API that it talks to: an execution
// environment.
type instance struct {
	l       *Lambda
	process *child.Process
	api     *http.Server

	asked      chan struct{}    // one for each next that is asked for
	next       chan *invocation // hands one over to who asked
	initFailed chan *Failure
	extension  atomic.Bool // it registered one: SIGTERM comes before SIGKILL
	frozen     atomic.Bool
	killed     atomic.Bool // by Lambda

	mu      sync.Mutex
	current *invocation
}

// invocation is one event on its way through a process.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time

	taken  bool          // its answer has begun; guarded by the instance
	reply  chan *Reply   // one at the most
	failed chan *Failure // one at the most
}

// spawn starts a process with an API of its own, as each has its own loopback interface there.
func (l *Lambda) spawn() (*instance, error) {
	in := &instance{l: l, asked: make(chan struct{}, 1), next: make(chan *invocation), initFailed: make(chan *Failure, 1)}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	in.api = &http.Server{Handler: in.routes()}
	go func() { _ = in.api.Serve(at) }() // ends when it is closed
	pid := new(atomic.Int64)
	print := func(isError bool) func(string) {
		return func(text string) { l.report.line(Line{PID: int(pid.Load()), Error: isError, Text: text}) }
	}
	in.process, err = child.Start(child.Command{
		Exe: l.options.Bootstrap, Dir: filepath.Dir(l.options.Bootstrap),
		Env:    l.variables(at.Addr().String(), time.Now().UTC().Format("2006/01/02")+"/[$LATEST]"+newID()[:8]),
		Stdout: print(false), Stderr: print(true),
	})
	if err != nil {
		_ = in.api.Close()
		return nil, err
	}
	pid.Store(int64(in.process.PID()))
	l.report.event(EventStarted, in.process.PID(), l.options.Bootstrap)
	return in, nil
}

// invoke runs one event through the process, which must be waiting for it.
func (in *instance) invoke(ctx context.Context, id string, event []byte) (*Reply, error) {
	inv := &invocation{
		id: id, event: event, deadline: time.Now().Add(in.l.options.Budgets.Function),
		reply: make(chan *Reply, 1), failed: make(chan *Failure, 1),
	}
	if !in.l.track(func() { in.watch(inv) }) {
		return nil, errClosed
	}
	select {
	case reply := <-inv.reply:
		return reply, nil
	case failed := <-inv.failed:
		return nil, failed
	case <-ctx.Done():
		go inv.abandon()
		return nil, context.Cause(ctx)
	}
}

// abandon takes an answer that nobody waits for any more.
func (inv *invocation) abandon() {
	select {
	case reply := <-inv.reply:
		_ = reply.Body.Close()
	case <-inv.failed:
	}
}

// watch hands the event over and sees it through: answered, crashed or out of time.
func (in *instance) watch(inv *invocation) {
	pid := in.process.PID()
	timer := time.NewTimer(time.Until(inv.deadline))
	defer timer.Stop()
	next := in.next
	for {
		select {
		case next <- inv:
			next = nil
			in.l.report.event(EventInvoked, pid, inv.id)
		case <-in.asked: // environment: it freezes once the runtime asks for more
			in.l.settle(in)
			return
		case <-in.process.Gone():
			inv.fail(exited(in))
			return
		case <-timer.C: // environment: the process is reset, and the next invocation starts another
			failed := &Failure{"Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", inv.id, in.l.options.Budgets.Function.Seconds())}
			inv.fail(failed)
			in.kill(failed.Message)
			return
		}
	}
}

func (inv *invocation) fail(f *Failure) {
	select {
	case inv.failed <- f:
	default: // it has failed already
	}
}

// exited is what Lambda says of a runtime that is gone.
func exited(in *instance) *Failure {
	return &Failure{"Runtime.ExitError", "Runtime exited with error: " + in.process.State()}
}

func (in *instance) freeze() {
	if in.l.options.Awake {
		return
	}
	in.frozen.Store(true)
	if err := in.process.Freeze(); err != nil {
		in.l.report.event(EventWarning, in.process.PID(), err.Error())
	}
	in.l.report.event(EventFrozen, in.process.PID(), "")
}

func (in *instance) thaw() {
	if !in.frozen.Swap(false) {
		return
	}
	if err := in.process.Thaw(); err != nil {
		in.l.report.event(EventWarning, in.process.PID(), err.Error())
	}
	in.l.report.event(EventThawed, in.process.PID(), "")
}

func (in *instance) kill(why string) {
	if !in.process.Ended() && !in.killed.Swap(true) {
		in.l.report.event(EventKilled, in.process.PID(), why)
	}
	in.process.Kill()
}

// end is the shutdown phase (environment): with an extension there is SIGTERM
// and a moment for it, without one SIGKILL at once.
func (in *instance) end(why string) {
	if in.extension.Load() && !in.process.Ended() {
		in.thaw()
		_ = in.process.Terminate()
		timer := time.NewTimer(in.l.options.Budgets.Parting)
		defer timer.Stop()
		select {
		case <-in.process.Gone():
			return
		case <-timer.C:
		}
	}
	in.kill(why)
}
