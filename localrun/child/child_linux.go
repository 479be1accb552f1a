package child

import (
	"fmt"
	"os/exec"
	"syscall"
)

// isolate gives the process a group of its own, so that all it starts can be
// signalled with it, and ties its life to ours.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup kills the process and everything it started.
func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // gone already: nothing to do
}

// Freeze stops every process of the group where it stands, until Thaw.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw lets the group go on.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

// Terminate asks the group to end.
func (p *Process) Terminate() error { return p.signal(syscall.SIGTERM) }

func (p *Process) signal(s syscall.Signal) error {
	if p.Ended() { // its id may be another's by now
		return nil
	}
	if err := syscall.Kill(-p.pid, s); err != nil && err != syscall.ESRCH {
		return fmt.Errorf("signal %s to group %d: %w", s, p.pid, err)
	}
	return nil
}
