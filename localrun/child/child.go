// Package child runs a program in a process group of its own, reads what it
// prints line by line, and ends it with everything that it started. It is what
// the stand-ins for platforms start handlers with.
package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// drainFor bounds the wait for lines that a process left in its pipes
// (functions-host.md §1.5: the host waits at most a second).
const drainFor = time.Second

// Command is what to start.
type Command struct {
	Exe  string
	Args []string
	Dir  string
	Env  []string // all of it: nothing is inherited

	// Stdout and Stderr get each printed line; they may be called at once.
	Stdout, Stderr func(line string)
}

// Process is one started process and its group.
type Process struct {
	cmd  *exec.Cmd
	pid  int
	gone chan struct{} // closed when it was reaped and its output was read
	code int           // its exit code, valid once gone is closed
}

// Start starts the command. The process dies with this one, where the system can do that.
func Start(c Command) (*Process, error) {
	p := &Process{cmd: exec.Command(c.Exe, c.Args...), gone: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = c.Dir, c.Env
	isolate(p.cmd)
	stdout, err := pipe(&p.cmd.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := pipe(&p.cmd.Stderr)
	if err != nil {
		return nil, errors.Join(err, stdout.close())
	}
	started := make(chan error)
	go p.live(started, func() {
		drain := both(
			func() { eachLine(stdout.read, c.Stdout) },
			func() { eachLine(stderr.read, c.Stderr) },
		)
		p.wait(drain, stdout, stderr)
	})
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start the handler %s: %w", c.Exe, err), stdout.close(), stderr.close())
	}
	// The parent's copies of the write ends; without this the readers never end.
	_, _ = stdout.write.Close(), stderr.write.Close()
	return p, nil
}

// live starts the process on a thread that stays until the process is gone: the
// kernel sends the parent-death signal when the starting thread ends.
func (p *Process) live(started chan<- error, rest func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	p.pid = p.cmd.Process.Pid
	started <- nil
	rest()
}

func (p *Process) wait(drained <-chan struct{}, pipes ...*linePipe) {
	defer close(p.gone)
	// The error of a bad exit is in the code too.
	_ = p.cmd.Wait()
	p.code = p.cmd.ProcessState.ExitCode()
	killGroup(p.cmd) // what it started itself must not keep the port or the pipes
	select {
	case <-drained:
	case <-time.After(drainFor):
	}
	for _, each := range pipes {
		each.read.Close()
	}
	<-drained
}

// PID is its process id.
func (p *Process) PID() int { return p.pid }

// Gone is closed when it has ended and its output was read.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Code is the exit code once it is gone; -1 after a signal.
func (p *Process) Code() int { return p.code }

// State says how it ended, once it is gone: "exit status 2", "signal: killed".
func (p *Process) State() string { return p.cmd.ProcessState.String() }

// Kill ends the process without a chance to clean up, and waits until it is gone.
func (p *Process) Kill() {
	if !p.Ended() {
		killGroup(p.cmd)
	}
	<-p.gone
}

// Ended tells whether it is gone.
func (p *Process) Ended() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// linePipe carries one output stream of the process.
type linePipe struct{ read, write *os.File }

func pipe(stream *io.Writer) (*linePipe, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe for the handler's output: %w", err)
	}
	*stream = write
	return &linePipe{read, write}, nil
}

func (p *linePipe) close() error { return errors.Join(p.read.Close(), p.write.Close()) }

// eachLine reads to the end; a line above the buffer's size arrives in pieces.
func eachLine(r io.Reader, take func(string)) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		take(string(line))
	}
}

// both runs two functions at once and tells when they are done.
func both(a, b func()) <-chan struct{} {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(a)
	wg.Go(b)
	go func() {
		wg.Wait()
		close(done)
	}()
	return done
}
