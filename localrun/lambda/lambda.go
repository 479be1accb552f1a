package lambda

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"tollgate/localrun/host"
)

// Lambda is a running stand-in: a front at one address, and the processes behind it.
type Lambda struct {
	options  Options
	report   *reporter
	listener net.Listener
	server   *http.Server
	ctx      context.Context // ends when it closes
	cancel   context.CancelFunc
	done     chan struct{}
	serving  sync.WaitGroup
	closing  sync.Once

	mu     sync.Mutex
	all    map[*instance]bool // true: idle
	starts int                // those on their way into all
	closed bool
	rested chan struct{} // closed, and made anew, whenever a process comes to rest
}

var errClosed = errors.New("the stand-in is closed")

// Start checks what can be checked and listens. As in Lambda, no process is
// started before the first request; Ready starts one. It runs until Close.
func Start(o Options) (*Lambda, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkSettings(o.Settings); err != nil {
		return nil, err
	}
	if info, err := os.Stat(o.Bootstrap); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("start the bootstrap: %s isn't an executable file: build it there, and give its entry in the package mode 0755", o.Bootstrap)
	}
	l := &Lambda{options: o, report: &reporter{log: o.Log, events: o.Events, now: o.Now}, all: map[*instance]bool{}, done: make(chan struct{}), rested: make(chan struct{})}
	if l.listener, err = listen(o.Addr); err != nil {
		return nil, err
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	front := &Front{Kind: o.Kind, Invoke: l.Invoke, Variants: o.Variants, Limits: o.Limits, Timeout: o.Budgets.Front, Arrivals: o.Arrivals, Now: o.Now}
	l.server = &http.Server{
		Handler:                      front,
		BaseContext:                  func(net.Listener) context.Context { return l.ctx },
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is the front's to refuse
		MaxHeaderBytes:               64 << 10,
		ErrorLog:                     log.New(l.report, "", 0),
	}
	l.serving.Go(func() { _ = l.server.Serve(l.listener) }) // always ErrServerClosed, or the listener is gone
	return l, nil
}

// listen makes a listener of this address: loopback alone.
func listen(addr string) (net.Listener, error) {
	name, port, err := net.SplitHostPort(addr)
	if err == nil && port == "0" { // not one that the system hands out again the moment it is closed
		var free int
		if free, err = host.FreePort(); err == nil {
			addr = net.JoinHostPort(name, fmt.Sprint(free))
		}
	}
	if ip := net.ParseIP(name); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("listen on %q: the stand-in listens on loopback only: want 127.0.0.1:PORT: %w", addr, err)
	}
	return net.Listen("tcp", addr)
}

// URL is the front's address, without a trailing slash.
func (l *Lambda) URL() string { return "http://" + l.listener.Addr().String() }

// Ready starts a process ahead of any request, as provisioned concurrency does,
// and says what is wrong with it, with its last lines.
func (l *Lambda) Ready(ctx context.Context) error {
	in, err := l.take(ctx)
	if err != nil {
		return fmt.Errorf("%w; %s", err, l.report.lastLines())
	}
	l.settle(in)
	return nil
}

// Settled waits until no process is at work: an answer is out before the process
// has asked for more, and a request in between starts another one.
func (l *Lambda) Settled(ctx context.Context) error {
	for {
		l.mu.Lock()
		busy, rested := l.starts, l.rested
		for _, idle := range l.all {
			if !idle {
				busy++
			}
		}
		l.mu.Unlock()
		if busy == 0 {
			return nil
		}
		select {
		case <-rested:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// PIDs are the ids of the processes that run, or are stopped between invocations.
func (l *Lambda) PIDs() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []int
	for in := range l.all {
		ids = append(ids, in.process.PID())
	}
	slices.Sort(ids)
	return ids
}

// Done is closed when it has been closed: Lambda doesn't give up by itself.
func (l *Lambda) Done() <-chan struct{} { return l.done }

// Err is nil: a function that fails is started again at the next request.
func (l *Lambda) Err() error { return nil }

// Retire ends every process that is idle, as Lambda does with those that weren't
// used for a while, and returns when they are gone.
func (l *Lambda) Retire() {
	var leaving []*instance
	l.mu.Lock()
	for in, idle := range l.all {
		if idle {
			l.all[in] = false
			leaving = append(leaving, in)
		}
	}
	l.mu.Unlock()
	end(leaving, "retired")
}

// Close ends the front, then every process, and waits until they are gone. It
// may be called more than once.
func (l *Lambda) Close() error {
	l.closing.Do(func() {
		l.cancel()
		_ = l.server.Close()
		l.mu.Lock()
		l.closed = true
		var all []*instance
		for in := range l.all {
			all = append(all, in)
		}
		l.mu.Unlock()
		end(all, "the stand-in closes")
		l.serving.Wait()
		close(l.done)
	})
	<-l.done
	return nil
}

func end(all []*instance, why string) {
	var wg sync.WaitGroup
	for _, in := range all {
		wg.Go(func() { in.end(why) })
	}
	wg.Wait()
}

// reporter serialises what is told to the owner.
type reporter struct {
	mu     sync.Mutex
	log    func(Line)
	events func(Event)
	now    func() time.Time
	last   []string
}

// keptLines is how many of the last lines an error shows.
const keptLines = 20

func (r *reporter) line(l Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last = append(r.last, l.Text); len(r.last) > keptLines {
		r.last = r.last[1:]
	}
	r.log(l)
}

func (r *reporter) event(kind string, pid int, detail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events(Event{Time: r.now(), Kind: kind, PID: pid, Detail: detail})
}

// Write takes what a listening server complains about.
func (r *reporter) Write(complaint []byte) (int, error) {
	r.event(EventWarning, 0, strings.TrimSpace(string(complaint)))
	return len(complaint), nil
}

func (r *reporter) lastLines() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == 0 {
		return "it printed nothing"
	}
	return "its last lines:\n  " + strings.Join(r.last, "\n  ")
}
