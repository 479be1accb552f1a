package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"net"
	"strconv"
	"time"
)

// Ports below the range from which systems take outgoing ones, so that nothing
// grabs the handler's port between two of its lives.
const lowestPort, highestPort = 20000, 32000

// handlerPort is the pinned port, which must be free, or any free one
// (functions-host.md §1.1).
func handlerPort(pinned int) (int, error) {
	if pinned != 0 {
		if err := bindable(pinned); err != nil {
			return 0, fmt.Errorf("host.json: customHandler.port: %d isn't free: %w: stop what uses it, or leave the port out", pinned, err)
		}
		return pinned, nil
	}
	return FreePort()
}

// FreePort is a loopback port that nothing listens on, from a range in which
// nothing turns up by itself.
func FreePort() (int, error) {
	l, err := listenFree("127.0.0.1")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// listenFree listens on such a port.
func listenFree(name string) (net.Listener, error) {
	for range 1000 {
		port := lowestPort + randv2.IntN(highestPort-lowestPort)
		if l, err := net.Listen("tcp", net.JoinHostPort(name, strconv.Itoa(port))); err == nil {
			return l, nil
		}
	}
	return nil, errors.New("find a free port: a thousand were busy")
}

func bindable(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// newID is a random UUID in the host's form.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
