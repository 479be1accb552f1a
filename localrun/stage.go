package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"tollgate/localrun/backend"
	"tollgate/localrun/bundle"
	"tollgate/localrun/credentials"
	"tollgate/localrun/estate"
	"tollgate/localrun/host"
	"tollgate/localrun/inspector"
	"tollgate/shared/audit"
	"tollgate/shared/boot"
)

// stage is a local run: the stand-ins, and the gateway behind the front.
type stage struct {
	flags  upFlags
	info   io.Writer
	run    run
	local  *estate.Local
	front  front
	events *os.File
	seen   *inspector.Log // for the live page
	closes []func() error // in the order of opening

	around                  *credentials.Around
	identity, vault, tables string // addresses; no tables: --tables named others
	sts                     string
	connection              string // of the tables, wherever they are

	mu sync.Mutex // one line at a time
}

// front is what the gateway sits behind: the stand-in for the host, or nothing.
type front interface {
	URL() string
	Ready(ctx context.Context) error
	Done() <-chan struct{}
	Err() error
	Close() error
}

// open starts everything; on failure, what did start is left to close.
func (s *stage) open(ctx context.Context) error {
	app, err := s.openPackage()
	if err != nil {
		return err
	}
	port, err := s.choosePort()
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(filepath.Dir(s.flags.run)) // other commands read run.json from other folders
	if err != nil {
		return err
	}
	issuerAt, err := s.listen()
	if err != nil {
		return err
	}
	backendAt, err := s.listen()
	if err != nil {
		return err
	}
	addresses := estate.Addresses{Gateway: fmt.Sprintf("http://127.0.0.1:%d", port), Issuer: "http://" + issuerAt.Addr().String(), Backend: "http://" + backendAt.Addr().String()}
	echo := s.seen.Backend(backend.New())
	if err := s.surround(ctx, &addresses, echo); err != nil {
		return err
	}
	if err := s.prepare(filepath.Join(dir, "contracts"), addresses); err != nil {
		return err
	}
	if err := s.openEntra(issuerAt, addresses.Issuer); err != nil {
		return err
	}
	s.serve(backendAt, echo)
	if err := s.openEvents(filepath.Join(dir, "events.jsonl")); err != nil {
		return err
	}
	if err := s.openFront(ctx, app, port); err != nil {
		return err
	}
	return s.describe(addresses)
}

// describe leaves the file that other commands read, and opens the page that needs it.
func (s *stage) describe(addresses estate.Addresses) error {
	inspectorAt, err := s.listen()
	if err != nil {
		return err
	}
	s.run = run{
		PID: os.Getpid(), Gateway: s.front.URL(), Issuer: addresses.Issuer, Backend: addresses.Backend, Vault: s.vault, Identity: s.identity, Tables: s.connection,
		Contracts: s.local.Dir, Source: s.flags.contracts, Environment: estate.Name, Events: s.events.Name(),
		Inspector: "http://" + inspectorAt.Addr().String(),
	}
	if err := s.openInspector(inspectorAt); err != nil {
		return err
	}
	s.onClose(func() error { return os.Remove(s.flags.run) })
	return s.run.write(s.flags.run)
}

// openPackage is the app's folder. What is asked to run as a package runs with
// the package's contracts.
func (s *stage) openPackage() (app string, err error) {
	if _, err := os.Stat(s.flags.pack); err != nil {
		return "", fmt.Errorf("there is no app at %s; run `make build`, or name one with --package", s.flags.pack)
	}
	app, done, err := bundle.Open(s.flags.pack)
	if err != nil {
		return "", err
	}
	s.onClose(func() error { done(); return nil })
	if s.flags.ownContracts {
		s.flags.contracts = filepath.Join(app, "contracts")
	}
	return app, nil
}

func (s *stage) onClose(f func() error) { s.closes = append(s.closes, f) }

// close undoes open, last first.
func (s *stage) close() error {
	var faults []error
	for i := len(s.closes) - 1; i >= 0; i-- {
		if err := s.closes[i](); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// choosePort takes the port asked for. A default that is busy gives way; 0 is any.
func (s *stage) choosePort() (int, error) {
	if s.flags.port == 0 {
		return host.FreePort()
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.flags.port)))
	if err == nil {
		return s.flags.port, l.Close()
	}
	if s.flags.portGiven {
		return 0, fmt.Errorf("port %d can't be had (%w); free it, or name another with --port", s.flags.port, err)
	}
	port, err := host.FreePort()
	if err == nil {
		fmt.Fprintf(s.info, "port %d is busy; taking %d instead\n", s.flags.port, port)
	}
	return port, err
}

func (s *stage) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.onClose(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

func (s *stage) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, Protocols: backend.Protocols()}
	s.onClose(srv.Close)
	go func() { _ = srv.Serve(l) }() // ends when closed
}

// prepare binds the contracts; their faults are shown where the user wrote them.
func (s *stage) prepare(dir string, a estate.Addresses) error {
	local, faults, err := estate.Prepare(s.flags.contracts, dir, a)
	if err != nil {
		return err
	}
	writeFaults(s.info, s.flags.contracts, faults)
	if local == nil {
		return errors.New("the contracts can't be enforced; mend the errors above")
	}
	s.local = local
	return nil
}

func (s *stage) openEvents(name string) (err error) {
	if s.events, err = os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	s.onClose(s.events.Close)
	return nil
}

// openFront starts the real handler, behind the stand-in for the host or bare, or
// the bootstrap under the stand-in for Lambda.
func (s *stage) openFront(ctx context.Context, app string, port int) (err error) {
	if s.flags.lambda != "" {
		return s.openLambda(ctx, app, port)
	}
	settings := s.platform()
	settings[boot.Contracts], settings[boot.Environment] = s.local.Dir, estate.Name
	options := host.Options{
		Root: app, Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Settings: settings,
		Log:      func(l host.Line) { s.onLine(l.Text) },
		Events:   s.onEvent,
		Arrivals: s.seen.Arrived,
	}
	if s.flags.host == "none" {
		s.front, err = host.StartBare(options)
	} else {
		// Its life ends with close, in order, not with the person's Ctrl-C.
		s.front, err = host.Start(context.WithoutCancel(ctx), options)
	}
	if err != nil {
		return fmt.Errorf("start the handler: %w", err)
	}
	s.onClose(s.front.Close)
	return s.front.Ready(ctx)
}

// onLine sorts what the handler prints: events to their file, the rest to the person.
func (s *stage) onLine(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case audit.Is(line):
		s.seen.Printed(line)
		if _, err := fmt.Fprintln(s.events, line); err != nil {
			fmt.Fprintf(s.info, "write event: %v\n", err)
		}
	case strings.HasPrefix(line, `{"event":`) && !s.flags.verbose:
	default:
		fmt.Fprintf(s.info, "handler: %s\n", line)
	}
}

func (s *stage) onEvent(e host.Event) {
	if s.flags.verbose {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(s.info, "host: %s %s (process %d) %s\n", e.Time.Format("15:04:05.000"), e.Kind, e.PID, e.Detail)
	}
}

// alive tells whether a process of this id runs; signal 0 only asks.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && pid > 0 && pid != os.Getpid() && p.Signal(syscall.Signal(0)) == nil
}
