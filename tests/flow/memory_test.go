package flow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tollgate/localrun/host"
	"tollgate/tests/lab"
)

// room is what the handler's memory may grow by while a stream passes: buffers,
// and what the garbage collector hasn't come to yet. It doesn't depend on the stream.
const room = 24 << 20

// volume is how many bytes are sent each way: 64 MiB in make test, a gigabyte and more in make prove.
func volume() int64 {
	if n, err := strconv.ParseInt(os.Getenv("TOLLGATE_GIGABYTES"), 10, 64); err == nil {
		return n << 30
	}
	return 64 << 20
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// memory is what the process holds now; 0 where there is no /proc.
func memory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := resident.FindSubmatch(text)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10
}

// peak watches a process while work is done, and gives the most that it held.
func peak(pid int, work func()) (most int64) {
	ctx, stop := context.WithCancel(context.Background())
	seen := make(chan int64)
	go func() {
		top, tick := int64(0), time.NewTicker(20*time.Millisecond)
		defer tick.Stop()
		for {
			top = max(top, memory(pid))
			select {
			case <-tick.C:
			case <-ctx.Done():
				seen <- top
				return
			}
		}
	}()
	work()
	stop()
	return <-seen
}

func TestAStreamLeavesNoTraceInMemory(t *testing.T) {
	b := newBehind()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	l := lab.Hosted(t, contracts(t, server.URL), lab.StageApp(t), func(o *host.Options) {
		o.Settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] = "4294967296" // the host's own is 100 MiB (functions-host.md §2d)
	})
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	s := stand{l, b, &http.Client{Transport: transport}, nil}
	pid, size := l.Host.PID(), volume()
	if memory(pid) == 0 {
		t.Skip("no /proc here")
	}
	s.up(t, 4<<20) // what every process needs once
	s.down(t, 4<<20)
	s.echo(t, 1<<20)
	before := memory(pid)
	for what, send := range map[string]func(*testing.T, int64){"up": s.up, "down": s.down, "both ways over a WebSocket": s.echo} {
		began := time.Now()
		most := peak(pid, func() { send(t, size) })
		took := time.Since(began)
		t.Logf("%d MiB %s in %.1f s (%.0f MiB/s): %.1f MiB resident before, %.1f MiB at most", size>>20, what, took.Seconds(), float64(size>>20)/took.Seconds(), float64(before)/(1<<20), float64(most)/(1<<20))
		if most > before+room {
			t.Errorf("got %d bytes at most while %d bytes went %s, want %d and not %d more", most, size, what, before, room)
		}
	}
}

func (s stand) up(t *testing.T, size int64) {
	t.Helper()
	sum := sha256.New()
	resp := s.do(t, t.Context(), "POST", "/flow/upload", io.TeeReader(io.LimitReader(filler{}, size), io.MultiWriter(sum, s.passed)))
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("got %s, want 200", resp.Status)
	}
	if want, got := fmt.Sprint(size, " ", hex.EncodeToString(sum.Sum(nil)), " "), <-s.whole; !strings.HasPrefix(got, want) {
		t.Errorf("got %s at the backend, want %s", got, want)
	}
}

func (s stand) down(t *testing.T, size int64) {
	t.Helper()
	resp, sum := s.do(t, t.Context(), "GET", fmt.Sprint("/flow/filler?bytes=", size), nil), sha256.New()
	n, err := io.Copy(io.MultiWriter(sum, s.passed), resp.Body)
	if n != size || err != nil || resp.Trailer.Get("X-Digest") != hex.EncodeToString(sum.Sum(nil)) {
		t.Errorf("got %d bytes (%v), want %d and their digest", n, err, size)
	}
}

// echo sends size bytes over one WebSocket in messages of 256 KiB, and takes each back.
func (s stand) echo(t *testing.T, size int64) {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), s.URL+"/flow/socket", &websocket.DialOptions{HTTPClient: s.client})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow(); <-s.left }()
	c.SetReadLimit(1 << 20)
	message := make([]byte, 256<<10)
	_, _ = filler{}.Read(message)
	for sent := int64(0); sent < size; sent += int64(len(message)) {
		if err := c.Write(t.Context(), websocket.MessageBinary, message); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("after %d bytes: got %d bytes (%v), want the message back", sent, len(got), err)
		}
		_, _ = s.passed.Write(message)
	}
}
