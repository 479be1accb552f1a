package limits

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"

	"tollgate/shared/boot"
)

// process is one handler, as the host would start it.
type process struct {
	url  string
	cmd  *exec.Cmd
	once sync.Once
}

// startProcess starts a handler on a port that was free a moment ago, and waits until it listens.
func startProcess(handler string, settings []string) (*process, error) {
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
		_ = l.Close()
		if p, err := startAt(handler, settings, port); err == nil || !strings.Contains(err.Error(), "address already in use") {
			return p, err
		}
	}
	return nil, errors.New("no port stays free")
}

func startAt(handler string, settings []string, port string) (*process, error) {
	cmd := exec.Command(handler)
	cmd.Env = append([]string{boot.Port + "=" + port}, settings...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	lines := bufio.NewReader(out)
	line, _ := lines.ReadString('\n')
	var event struct{ Event, Address string }
	if json.Unmarshal([]byte(line), &event) != nil || event.Event != "listening" {
		p.kill()
		return nil, fmt.Errorf("the handler said %q and %q, and doesn't listen", line, said.String())
	}
	p.url = "http://" + event.Address
	go func() { _, _ = io.Copy(io.Discard, lines) }() // its events
	return p, nil
}

// kill is SIGKILL, once.
func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}
