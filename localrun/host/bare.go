package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"tollgate/localrun/child"
)

// Bare is the handler with nothing in front of it: it is started as the host
// would start it, but on the public port, and not started again.
type Bare struct {
	url       string
	process   *child.Process
	report    *reporter
	init      time.Duration
	every     time.Duration
	transport *http.Transport
}

// StartBare starts the app's handler on the port of o.Addr. Of the other
// options it takes Root, Settings, Environ, Log, Events and ChmodHandler.
func StartBare(o Options) (*Bare, error) {
	o = o.withDefaults()
	env := newEnvironment(o.Environ, o.Settings)
	app, err := load(o.Root, env, o.Variants)
	if err != nil {
		return nil, err
	}
	l, err := listenLoopback(o.Addr) // finds a free port, or says that it is busy
	if err != nil {
		return nil, err
	}
	address := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		return nil, err
	}
	command, err := newCommand(app.Root, app.config.worker, env.with(injected(address.Port, app.Root)))
	if err != nil {
		return nil, err
	}
	if _, err := command.check(o.ChmodHandler); err != nil {
		return nil, err
	}
	b := &Bare{
		url:    "http://" + address.String(),
		report: &reporter{log: o.Log, events: o.Events, now: o.Now},
		init:   app.config.init, every: o.Budgets.Probe, transport: newTransport(),
	}
	b.process, err = startProcess(command, b.report)
	return b, err
}

// Executable is the handler's file as host.json names it.
func (a *App) Executable() string { return a.config.worker.exe }

// URL is where the handler listens.
func (b *Bare) URL() string { return b.url }

// PID is the handler's process id.
func (b *Bare) PID() int { return b.process.PID() }

// Done is closed when the handler is gone.
func (b *Bare) Done() <-chan struct{} { return b.process.Gone() }

// Err says how the handler ended.
func (b *Bare) Err() error {
	return fmt.Errorf("the handler ended with exit code %d; %s", b.process.Code(), b.report.lastLines())
}

// Ready waits until the handler answers a probe, or tells why it never will.
func (b *Bare) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.init, errors.New("the handler didn't answer in time"))
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- probe(ctx, b.transport, b.url, b.every) }()
	select {
	case err := <-answered:
		return err
	case <-b.process.Gone():
		cancel()
		<-answered
		return b.Err()
	}
}

// Close kills the handler and waits until it is gone.
func (b *Bare) Close() error {
	b.process.Kill()
	b.transport.CloseIdleConnections()
	return nil
}
