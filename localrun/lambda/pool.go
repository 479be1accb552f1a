package lambda

import (
	"context"
	"fmt"
	"time"
)

// Invoke hands an event to a process that is idle, or to a new one, and returns
// its answer: whole if it is buffered, from its first byte if it is streamed.
// When ctx ends it waits no longer; the invocation goes on.
func (l *Lambda) Invoke(ctx context.Context, id string, event []byte) (*Reply, error) {
	if int64(len(event)) > l.options.Limits.Payload {
		return nil, errTooLarge
	}
	in, err := l.take(ctx)
	if err != nil {
		return nil, err
	}
	return in.invoke(ctx, id, event)
}

// take is a process that waits for an invocation, thawed, and nobody else's.
func (l *Lambda) take(ctx context.Context) (*instance, error) {
	l.mu.Lock()
	for in, idle := range l.all {
		if idle && !in.process.Ended() {
			l.all[in] = false
			l.mu.Unlock()
			in.thaw()
			return in, nil
		}
	}
	if len(l.all)+l.starts >= l.options.Concurrency {
		l.mu.Unlock()
		return nil, errThrottled
	}
	l.starts++
	l.mu.Unlock()
	in, err := l.init(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starts--
	if err != nil {
		l.rest()
		return nil, err
	}
	if l.closed {
		go func() { in.end("the stand-in closes"); _ = in.api.Close() }()
		return nil, errClosed
	}
	l.all[in] = false
	l.serving.Go(func() { l.mourn(in) })
	return in, nil
}

// init starts a process. environment: an initialisation that fails or takes more
// than ten seconds is tried once more, within the time of the invocation.
func (l *Lambda) init(ctx context.Context) (*instance, error) {
	in, err := l.start(ctx, l.options.Budgets.Init)
	if err != nil && ctx.Err() == nil && l.ctx.Err() == nil {
		l.report.event(EventWarning, 0, "the initialisation is tried again: "+err.Error())
		in, err = l.start(ctx, l.options.Budgets.Function)
	}
	return in, err
}

// start runs a process up to its first next.
func (l *Lambda) start(ctx context.Context, within time.Duration) (*instance, error) {
	began := time.Now()
	in, err := l.spawn()
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	var failed *Failure
	select {
	case <-in.asked:
		in.l.report.event(EventReady, in.process.PID(), time.Since(began).Round(10*time.Microsecond).String())
		return in, nil
	case failed = <-in.initFailed:
	case <-in.process.Gone():
		l.report.event(EventExited, in.process.PID(), in.process.State())
		failed = exited(in)
	case <-timer.C:
		failed = &Failure{"Sandbox.Timedout", fmt.Sprintf("the initialisation took more than %s", within)}
	case <-ctx.Done():
		failed = &Failure{"Sandbox.Timedout", context.Cause(ctx).Error()}
	case <-l.ctx.Done():
		failed = &Failure{"Sandbox.Closed", errClosed.Error()}
	}
	in.kill("the initialisation failed: " + failed.Message)
	_ = in.api.Close()
	return nil, failed
}

// settle puts a process to rest until the next invocation.
func (l *Lambda) settle(in *instance) {
	in.freeze()
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.all[in]; known {
		l.all[in] = true
	}
	l.rest()
}

// rest tells whoever waits for that. The caller holds the lock.
func (l *Lambda) rest() {
	close(l.rested)
	l.rested = make(chan struct{})
}

// mourn forgets a process once it is gone.
func (l *Lambda) mourn(in *instance) {
	<-in.process.Gone()
	if !in.killed.Load() {
		l.report.event(EventExited, in.process.PID(), in.process.State())
	}
	l.mu.Lock()
	delete(l.all, in)
	l.rest()
	l.mu.Unlock()
	_ = in.api.Close()
}

// track runs something that Close waits for; not once it has begun to wait.
func (l *Lambda) track(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.serving.Go(f)
	}
	return !l.closed
}
