//go:build !linux

package host

import "os/exec"

// isolate does nothing where there is neither a parent-death signal nor a
// portable process group.
func isolate(*exec.Cmd) {}

// killGroup kills the process; what it started itself may outlive it here.
func killGroup(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // gone already: nothing to do
}
