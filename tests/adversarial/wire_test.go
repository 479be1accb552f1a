package adversarial

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
)

// smuggled is the request that a wrong reading of the one before it lets through.
// For 0000 each frame gets a number: what an earlier one left may still arrive.
const smuggled = "GET /orders/public/smuggled0000 HTTP/1.1\r\nHost: api.example\r\n\r\n"

// frame is one attack on where a request ends. smuggled follows each.
type frame struct {
	id, name string
	request  string
	want     string // "400"; "400|501" where either will do
	started  bool   // the fault shows when the backend has been called: it must never get the whole body
	alone    bool   // nothing follows: the connection is closed at the client's end
}

// exchange is all that one connection brought.
type exchange struct {
	interim []int // 1xx
	answers []answer
	closed  bool // by the server
}

// patience is how long a server may take to close a connection.
const patience = 5 * time.Second

// exchange writes bytes as they stand and reads until the server closes. With
// alone the client says that it has no more to send.
func (b *bench) exchange(t *testing.T, sent string, alone bool) exchange {
	t.Helper()
	conn := b.Dial(t).(*net.TCPConn)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() { // a server that refuses early reads no more
		defer close(written)
		_, _ = io.WriteString(conn, sent)
		if alone {
			_ = conn.CloseWrite()
		}
	}()
	x := receive(bufio.NewReader(conn), sent)
	_ = conn.Close()
	<-written
	return x
}

func receive(in *bufio.Reader, sent string) (x exchange) {
	method, _, _ := strings.Cut(sent, " ")
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			x.closed = !errors.Is(err, os.ErrDeadlineExceeded)
			return x
		}
		if resp.StatusCode < 200 {
			x.interim = append(x.interim, resp.StatusCode)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		x.answers = append(x.answers, answer{resp, body})
		if err != nil {
			x.closed = !errors.Is(err, os.ErrDeadlineExceeded)
			return x
		}
		method = http.MethodGet
	}
}

// statuses are those of the final answers.
func (x exchange) statuses() (all []int) {
	for _, a := range x.answers {
		all = append(all, a.StatusCode)
	}
	return all
}

// assail plays frames one after the other.
func (b *bench) assail(t *testing.T, frames []frame) {
	t.Helper()
	for _, f := range frames {
		b.frames++
		number := fmt.Sprintf("%04d", b.frames)
		t.Run(f.id+" "+f.name+": "+f.want, func(t *testing.T) {
			sent := f.request + smuggled
			if f.alone {
				sent = f.request
			}
			x := b.exchange(t, strings.NewReplacer("/x0000", "/x"+number, "smuggled0000", "smuggled"+number).Replace(sent), f.alone)
			b.assertClosed(t, f, x)
			b.assertUnsmuggled(t, f, number)
			b.assertExplained(t, f, x)
		})
	}
}

// assertClosed: one answer, and the end: whatever follows has no beginning.
func (b *bench) assertClosed(t *testing.T, f frame, x exchange) {
	t.Helper()
	if len(x.answers) != 1 || !slices.Contains(strings.Split(f.want, "|"), strconv.Itoa(x.answers[0].StatusCode)) {
		t.Fatalf("got the answers %v, want one with status %s", x.statuses(), f.want)
	}
	if len(x.interim) > 0 {
		t.Errorf("got the interim answers %v, want none", x.interim)
	}
	if !x.answers[0].Close {
		t.Errorf("got the headers %v, want Connection: close", x.answers[0].Header)
	}
	if !x.closed {
		t.Errorf("got the connection open after %s, want it closed", patience)
	}
}

// assertUnsmuggled: the backend hears of none of it.
func (b *bench) assertUnsmuggled(t *testing.T, f frame, number string) {
	t.Helper()
	for _, seen := range b.Backend.Requests() {
		switch {
		case !strings.Contains(seen.Target, number):
		case strings.Contains(seen.Target, "smuggled"):
			t.Errorf("got %s %s at the backend, want nothing of what follows", seen.Method, seen.Target)
		case !f.started:
			t.Errorf("got %s %s at the backend, want no call", seen.Method, seen.Target)
		case seen.Whole:
			t.Errorf("got %s %s with the whole body %q at the backend, want it to break off", seen.Method, seen.Target, seen.Body)
		}
	}
}

// assertExplained: a fault of framing is a refusal as any other is.
func (b *bench) assertExplained(t *testing.T, f frame, x exchange) {
	t.Helper()
	a := x.answers[0]
	code := map[int]string{400: "malformed_request", 413: "body_too_large", 414: "target_too_long", 417: "expectation_unknown", 431: "header_too_large", 501: "transfer_coding_unknown", 505: "version_not_supported"}[a.StatusCode]
	if f.started && a.StatusCode == http.StatusBadRequest {
		code = "body_broken"
	}
	assertProblem(t, a, code)
	if e := b.Event(t, a.Header.Get("X-Correlation-Id")); e.Code != code || e.Status != a.StatusCode || e.Verdict != audit.Refused {
		t.Errorf("got the event %d %s %s, want %d %s refused", e.Status, e.Code, e.Verdict, a.StatusCode, code)
	}
}
