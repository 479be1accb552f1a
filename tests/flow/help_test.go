// Package flow holds what passes through the gateway while it happens: streams,
// uploads and WebSockets, in this process and as the handler behind the stand-in
// for the Functions host; and that none of it piles up in memory.
package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/localrun/backend"
	"tollgate/tests/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// behind is a backend that reports what it sees while it happens.
type behind struct {
	left    chan string // the path of a call that its caller left
	release chan bool   // lets a stream go on
	whole   chan string // what an upload came to: bytes and digest
}

func newBehind() *behind {
	return &behind{make(chan string, 8), make(chan bool), make(chan string, 8)}
}

func (b *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Upgrade") != "":
		backend.New().ServeHTTP(w, r)
		b.left <- r.URL.Path
	case strings.HasSuffix(r.URL.Path, "/events"):
		b.events(w, r)
	case strings.HasSuffix(r.URL.Path, "/upload"):
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		if err != nil {
			b.left <- r.URL.Path
			return
		}
		b.whole <- fmt.Sprint(n, " ", hex.EncodeToString(sum.Sum(nil)), " ", r.Trailer)
	case strings.HasSuffix(r.URL.Path, "/filler"):
		n, _ := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
		w.Header().Set("Trailer", "X-Digest")
		sum := sha256.New()
		_, _ = io.CopyN(io.MultiWriter(w, sum), filler{}, n)
		w.Header().Set("X-Digest", hex.EncodeToString(sum.Sum(nil)))
	}
}

// events sends one event at once and each other when it is told to.
func (b *behind) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for n := 1; ; n++ {
		_, _ = fmt.Fprintf(w, "data: %d\n\n", n)
		_ = http.NewResponseController(w).Flush()
		select {
		case more := <-b.release:
			if !more {
				return
			}
		case <-r.Context().Done():
			b.left <- r.URL.Path
			return
		}
	}
}

// filler is bytes without end.
type filler struct{}

func (filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// stand is a gateway before b.
type stand struct {
	*lab.Lab
	*behind
	client *http.Client
	passed tally
}

// tally hears how many bytes have passed at the caller; nil: nobody does.
type tally func(n int)

func (t tally) Write(p []byte) (int, error) {
	if t != nil {
		t(len(p))
	}
	return len(p), nil
}

// contracts are those of testdata, edited, and with the backend's address in place of BACKEND.
func contracts(t testing.TB, address string, edits ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"gateway.yaml", "flow.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(strings.NewReplacer(edits...).Replace(string(text)), "BACKEND", address)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The ways of each test.
const (
	inProcess   = "in process"
	throughHost = "through the host"
	overHTTP2   = "over HTTP/2 to the backend"
)

// each runs a test in each of the ways.
func each(t *testing.T, test func(t *testing.T, s stand), ways ...string) {
	app := lab.StageApp(t)
	for _, where := range ways {
		t.Run(where, func(t *testing.T) {
			b := newBehind()
			server := httptest.NewUnstartedServer(b)
			server.Config.Protocols = backend.Protocols()
			server.Start()
			t.Cleanup(server.Close)
			var edits []string
			if where == overHTTP2 {
				edits = []string{`"BACKEND" }`, `"BACKEND", http: "2" }`, ", upgrade: websocket", ""}
			}
			dir := contracts(t, server.URL, edits...)
			transport := &http.Transport{DisableCompression: true}
			t.Cleanup(transport.CloseIdleConnections)
			s := stand{nil, b, &http.Client{Transport: transport}, nil}
			if where == throughHost {
				s.Lab = lab.Hosted(t, dir, app)
			} else {
				s.Lab = lab.InProcess(t, dir)
			}
			test(t, s)
		})
	}
}

func (s stand) do(t *testing.T, ctx context.Context, method, path string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// gone asserts that the backend's call ends within a second of the caller's.
func (s stand) gone(t *testing.T, since time.Time) {
	t.Helper()
	select {
	case <-s.left:
		if took := time.Since(since); took > time.Second {
			t.Errorf("got the backend told after %s, want it within a second", took)
		}
	case <-time.After(patience):
		t.Fatal("the backend's call goes on, want it ended with the caller's")
	}
}
