package host

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

// process is one started handler process and its group.
type process struct {
	cmd  *exec.Cmd
	pid  int
	gone chan struct{} // closed when it was reaped and its output was read
	code int           // its exit code, valid once gone is closed
}

// startProcess starts the command and hands each printed line to the reporter.
func startProcess(c command, report *reporter) (*process, error) {
	p := &process{cmd: exec.Command(c.exe, c.args...), gone: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = c.dir, c.env.pairs()
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
			func() { eachLine(stdout.read, report.stdout) },
			func() { eachLine(stderr.read, report.stderr) },
		)
		p.wait(drain, stdout, stderr)
	})
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start the handler %s: %w", c.exe, err), stdout.close(), stderr.close())
	}
	// The parent's copies of the write ends; without this the readers never end.
	_, _ = stdout.write.Close(), stderr.write.Close()
	return p, nil
}

// live starts the process on a thread that stays until the process is gone: the
// kernel sends the parent-death signal when the starting thread ends.
func (p *process) live(started chan<- error, rest func()) {
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

func (p *process) wait(drained <-chan struct{}, pipes ...*linePipe) {
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

// kill ends the process as the host does, without a chance to clean up, and
// waits until it is gone. functions-host.md §1.5: SIGKILL.
func (p *process) kill() {
	if !p.ended() {
		killGroup(p.cmd)
	}
	<-p.gone
}

func (p *process) ended() bool {
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
