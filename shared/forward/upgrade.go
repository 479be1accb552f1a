package forward

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// quietFor ends a WebSocket over which nothing came in either direction: the
// Functions host would end it too (functions-host.md §2c, 240 s without activity).
const quietFor = 240 * time.Second

// asksForWebSocket: RFC 6455 §4.1, items 2, 5 and 6, and nothing besides: a list
// of protocols would let the backend choose another. RFC 9110 §7.8: HTTP/1.0 has no Upgrade.
func asksForWebSocket(r *http.Request) bool {
	protocols := r.Header["Upgrade"]
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && len(protocols) == 1 && strings.EqualFold(protocols[0], "websocket") &&
		contract.ConnectionNames(r.Header)["upgrade"] && (r.Body == nil || r.Body == http.NoBody)
}

// switches tells that the backend agrees to just what was asked for.
func switches(resp *http.Response, out *http.Request) bool {
	asked, got := out.Header["Upgrade"], resp.Header["Upgrade"]
	return len(asked) == 1 && len(got) == 1 && strings.EqualFold(asked[0], got[0])
}

// join answers 101 and copies bytes both ways until either side ends.
func (rt *route) join(w http.ResponseWriter, c *pipeline.Call, resp *http.Response, got *attempt) *refusal.Refusal {
	backend, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		return got.unreachable(errors.New("the transport can't switch protocols"))
	}
	caller, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return refusal.New(refusal.Internal, "upgrade_failed", "The connection can't be switched to another protocol.").
			Because(fmt.Errorf("take the caller's connection over: %w", err))
	}
	defer caller.Close()
	if err := rt.writeSwitch(buffered.Writer, c, resp); err != nil {
		c.Outcome.ClientGone = true // and heard of no status
		return nil
	}
	c.Outcome.Status = http.StatusSwitchingProtocols
	c.Outcome.Bytes, c.Outcome.Received = splice(caller, buffered.Reader, backend, c.Pass)
	return nil
}

// writeSwitch is the answer's head. No server writes it for a connection that
// was taken over.
func (rt *route) writeSwitch(w *bufio.Writer, c *pipeline.Call, resp *http.Response) error {
	h := http.Header{}
	rt.api.cleaner.answer(resp.Header, h)
	c.Announce(h)
	h[CorrelationHeader] = []string{c.Correlation}
	h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	delete(h, "Content-Length") // RFC 9110 §8.6: not on 1xx
	_, err := io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\n")
	if err == nil {
		err = h.Write(w)
	}
	if err == nil {
		_, err = io.WriteString(w, "\r\n")
	}
	return errors.Join(err, w.Flush())
}

// splice copies both ways and gives the number of bytes that went to the caller, and to the backend.
// Either end closing, or silence, ends both: what was lost then is the ends' to
// notice, by their closing handshake (RFC 6455 §7).
func splice(caller net.Conn, fromCaller io.Reader, backend io.ReadWriteCloser, pass func()) (toCaller, toBackend int64) {
	end := func() { _, _ = caller.Close(), backend.Close() }
	quiet := time.AfterFunc(quietFor, end)
	defer quiet.Stop()
	var both sync.WaitGroup
	both.Go(func() { defer end(); toBackend = shovel(backend, fromCaller, quiet, pass) })
	both.Go(func() { defer end(); toCaller = shovel(caller, backend, quiet, pass) })
	both.Wait()
	return toCaller, toBackend
}

func shovel(to io.Writer, from io.Reader, quiet *time.Timer, pass func()) (written int64) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := from.Read(*buf)
		if n > 0 {
			quiet.Reset(quietFor)
			if _, err := to.Write((*buf)[:n]); err != nil {
				return written
			}
			written += int64(n)
			pass()
		}
		if err != nil {
			return written
		}
	}
}
