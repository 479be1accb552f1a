//go:build !linux

package child

import "os/exec"

// isolate does nothing where there is neither a parent-death signal nor a
// portable process group.
func isolate(*exec.Cmd) {}

// killGroup kills the process; what it started itself may outlive it here.
func killGroup(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // gone already: nothing to do
}

// Freeze does nothing where no group can be stopped: the process runs on.
func (p *Process) Freeze() error { return nil }

// Thaw undoes Freeze.
func (p *Process) Thaw() error { return nil }

// Terminate kills, where no gentler signal is portable.
func (p *Process) Terminate() error {
	killGroup(p.cmd)
	return nil
}
