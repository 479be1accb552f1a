package host

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Host is a running stand-in: one listening address, one handler process.
type Host struct {
	options   Options
	app       *App
	env       environment // as inherited, with the app settings
	handler   *handler    // nil when the app has no functions
	report    *reporter
	transport *http.Transport
	throttle  *throttle
	bodyLimit int64
	timers    timerLog

	listener net.Listener
	server   *http.Server
	calls    calls
	ctx      context.Context // ends when the host closes
	cancel   context.CancelCauseFunc
	done     chan struct{}
	err      error // valid once done is closed
}

var errClosed = errors.New("the host is closed")

// Start reads the app, listens, and starts the handler. It returns when the host
// is listening; requests are held until the handler answers. The host runs until
// Close, until ctx ends, or until the handler has failed three times.
func Start(ctx context.Context, o Options) (*Host, error) {
	o = o.withDefaults()
	env := newEnvironment(o.Environ, o.Settings)
	app, err := load(o.Root, env, o.Variants)
	if err != nil {
		return nil, err
	}
	if o.Budgets.Function == 0 {
		o.Budgets.Function = app.config.timeout
	}
	h := &Host{
		options:   o,
		app:       app,
		env:       env,
		report:    &reporter{log: o.Log, events: o.Events, now: o.Now},
		transport: newTransport(),
		throttle:  newThrottle(app.config),
		done:      make(chan struct{}),
	}
	if h.bodyLimit, err = bodyLimit(env); err != nil {
		return nil, err
	}
	if h.listener, err = listenLoopback(o.Addr); err != nil {
		return nil, err
	}
	var first *life
	if len(app.Functions) > 0 { // functions-host.md §1.1: none, no process
		if first, err = h.spawn(); err != nil {
			return nil, errors.Join(err, h.listener.Close())
		}
	}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	h.server = &http.Server{
		Handler:                      http.HandlerFunc(h.serve),
		BaseContext:                  func(net.Listener) context.Context { return h.ctx },
		DisableGeneralOptionsHandler: true, // "OPTIONS *" reaches the functions
		ErrorLog:                     log.New(h.report, "", 0),
	}
	go h.run(first)
	return h, nil
}

func (h *Host) spawn() (*life, error) {
	port, err := handlerPort(h.app.config.port)
	if err != nil {
		return nil, err
	}
	command, err := newCommand(h.app.Root, h.app.config.worker, h.env.with(injected(port, h.app.Root)))
	if err != nil {
		return nil, err
	}
	warning, err := command.check(h.options.ChmodHandler)
	if err != nil {
		return nil, err
	}
	if warning != "" {
		h.report.event(EventWarning, 0, warning)
	}
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	h.handler = newHandler(command, address, h.app.config.init, h.transport, h.report, h.options)
	return h.handler.start()
}

// injected are the variables of functions-host.md §1.1.
func injected(port int, root string) map[string]string {
	id := newID()
	return map[string]string{
		"FUNCTIONS_CUSTOMHANDLER_PORT":      fmt.Sprint(port),
		"FUNCTIONS_HTTPWORKER_PORT":         fmt.Sprint(port),
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID": id,
		"FUNCTIONS_HTTPWORKER_ID":           id,
		"FUNCTIONS_APP_ROOT_PATH":           root,
	}
}

// run serves until the host ends, for whatever reason, and cleans up.
func (h *Host) run(first *life) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.server.Serve(h.listener) }) // always ErrServerClosed, or the listener is gone
	if first == nil {
		<-h.ctx.Done()
	} else if h.err = h.handler.supervise(h.ctx, first); h.err != nil {
		// Held requests get their 503 before the connections go.
		parting, stop := context.WithTimeout(h.ctx, time.Second)
		_ = h.server.Shutdown(parting)
		stop()
	}
	h.cancel(errClosed)
	_ = h.server.Close()
	h.calls.wait()
	wg.Wait()
	h.transport.CloseIdleConnections()
	close(h.done)
}

// URL is the address of the host, without a trailing slash.
func (h *Host) URL() string { return "http://" + h.listener.Addr().String() }

// Ready waits until the handler answered a probe. It returns the reason, with
// the handler's last lines, when it can tell that no answer will come.
func (h *Host) Ready(ctx context.Context) error {
	if h.handler == nil {
		return fmt.Errorf("the handler isn't started: no function.json in any folder directly below %s", h.app.Root)
	}
	_, err := h.handler.until(ctx, func(s state) (bool, error) {
		switch {
		case s.stopped != nil:
			return true, s.stopped
		case s.silent:
			return true, fmt.Errorf("the handler exited with code 0, after which the host neither restarts it nor reaches it; %s", h.report.lastLines())
		}
		return s.ready, nil
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("wait for the handler to answer GET / on %s: %w; %s", h.handler.address, err, h.report.lastLines())
	}
	return err
}

// PID is the handler's process id now, 0 when there is none.
func (h *Host) PID() int {
	if h.handler == nil {
		return 0
	}
	s, _ := h.handler.look()
	if s.life == nil || s.life.process.Ended() {
		return 0
	}
	return s.life.process.PID()
}

// Done is closed when the host has ended: by itself, or because it was closed.
func (h *Host) Done() <-chan struct{} { return h.done }

// Err is why the host stopped by itself; nil while it runs and after Close.
func (h *Host) Err() error {
	select {
	case <-h.done:
		return h.err
	default:
		return nil
	}
}

// Close kills the handler, waits until it is gone and closes the listener. It
// may be called more than once.
func (h *Host) Close() error {
	h.cancel(errClosed)
	<-h.done
	return nil
}

func listenLoopback(addr string) (net.Listener, error) {
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w: want 127.0.0.1:PORT", addr, err)
	}
	if ip := net.ParseIP(name); !strings.EqualFold(name, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %q: the stand-in listens on loopback only: want 127.0.0.1:PORT", addr)
	}
	if port == "0" { // not one that the system hands out again the moment it is closed
		return listenFree(name)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w: choose another port, or 127.0.0.1:0 for any free one", addr, err)
	}
	return l, nil
}
