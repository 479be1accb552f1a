package host

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// upgrade joins the caller's connection to the handler's after a 101
// (functions-host.md §2c).
func upgrade(c *call, answer *http.Response, active *activity) error {
	handler, ok := answer.Body.(io.ReadWriteCloser)
	if !ok {
		return fmt.Errorf("switch protocols: the handler's connection can't be written to")
	}
	defer handler.Close()
	caller, buffered, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		return fmt.Errorf("switch protocols: %w", err)
	}
	c.w.started = true
	defer caller.Close()
	if err := writeSwitch(buffered.Writer, answer); err != nil {
		return fmt.Errorf("switch protocols: %w", err)
	}
	defer context.AfterFunc(active.ctx, func() {
		_, _ = caller.Close(), handler.Close() // the copies below end with an error
	})()
	var wg sync.WaitGroup
	shovel := func(to io.WriteCloser, from io.Reader) {
		// Either end closing ends both; what was lost then is the ends' to notice.
		_, _ = io.Copy(touching{to, active}, from)
		_, _ = caller.Close(), handler.Close()
	}
	wg.Go(func() { shovel(handler, buffered) })
	wg.Go(func() { shovel(caller, handler) })
	wg.Wait()
	return nil
}

// writeSwitch sends the 101 with the handler's headers, Connection and Upgrade
// included.
func writeSwitch(w *bufio.Writer, answer *http.Response) error {
	if _, err := io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\n"); err != nil {
		return err
	}
	if err := answer.Header.Write(w); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\r\n"); err != nil {
		return err
	}
	return w.Flush()
}

// touching counts every write as activity.
type touching struct {
	io.Writer
	active *activity
}

func (t touching) Write(p []byte) (int, error) {
	t.active.touch()
	return t.Writer.Write(p)
}
