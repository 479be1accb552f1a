package forward_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
)

// reading is a backend that reads a body to its end and tells what it got.
type reading struct{ bodies chan read }

type read struct {
	n   int
	sum [32]byte
	err error // nil: the body came to a proper end
}

func newReading() reading { return reading{make(chan read, 1<<10)} }

func (b reading) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	b.bodies <- read{len(body), sha256.Sum256(body), err}
	fmt.Fprintf(w, "%d bytes", len(body))
}

// chunked writes body in pieces that don't align with anything.
func chunked(body []byte, random *rand.Rand) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), 1+random.IntN(20_000))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

const post = "POST /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

// F116: at the cap a body passes; one byte more and it doesn't, however its length is told.
func TestF116TheCapCountsToTheByte(t *testing.T) {
	for _, framing := range []string{"with a length", "chunked"} {
		for _, size := range []int{0, 1, maxBody - 1, maxBody, maxBody + 1, 2 * maxBody, 40 * maxBody} {
			t.Run(fmt.Sprintf("%s, %d bytes", framing, size), func(t *testing.T) {
				backend := newReading()
				s := newStand(t, backend)
				body := bytes.Repeat([]byte("tollgate"), size/8+1)[:size]
				text := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", post, size, body)
				if framing == "chunked" {
					text = post + "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, rand.New(rand.NewPCG(1, uint64(size))))
				}
				conn := s.dial(t, "")
				go func() { _, _ = io.WriteString(conn, text) }() // the gateway may hang up before the end
				want, status := "delivered", 200
				if size > maxBody {
					want, status = "body_too_large", 413
				}
				if resp := conn.response(t, "POST"); resp.StatusCode != status {
					t.Errorf("got %s, want %d", resp.Status, status)
				}
				if got := s.result(t).code(); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if size <= maxBody {
					if got := <-backend.bodies; got.err != nil || got.n != size || got.sum != sha256.Sum256(body) {
						t.Errorf("got %d bytes (%v) at the backend, want the %d sent", got.n, got.err, size)
					}
					return
				}
				s.server.Close()
				assertNoneComplete(t, backend, framing == "with a length")
			})
		}
	}
}

// assertNoneComplete: the backend was not called, or saw a body that broke off.
func assertNoneComplete(t *testing.T, backend reading, uncalled bool) {
	t.Helper()
	select {
	case got := <-backend.bodies:
		if uncalled {
			t.Error("got a call to the backend, want none")
		}
		if got.err == nil {
			t.Errorf("got a complete body of %d bytes at the backend, want one that breaks off", got.n)
		}
	case <-time.After(map[bool]time.Duration{true: 0, false: patience}[uncalled]):
		if !uncalled {
			t.Error("got no call to the backend, want one with a body that breaks off")
		}
	}
}

// A body that ends early is never passed on as a whole one, and isn't the backend's fault.
func TestABodyThatBreaksOffNeverLooksComplete(t *testing.T) {
	for name, text := range map[string]string{
		"the client leaves, with a length": post + "Content-Length: 1000\r\n\r\nhello",
		"the client leaves, chunked":       post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"the client leaves inside a chunk": post + "Transfer-Encoding: chunked\r\n\r\nff\r\nhello",
		"a broken chunk":                   post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n",
		"a chunk of the wrong length":      post + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
		"a chunk longer than any":          post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			backend := newReading()
			s := newStand(t, backend)
			conn := s.dial(t, text)
			leaves := strings.HasPrefix(name, "the client")
			if leaves {
				_ = conn.Close()
			}
			got := s.result(t)
			if r := <-backend.bodies; r.err == nil {
				t.Errorf("got a complete body of %d bytes at the backend, want one that breaks off", r.n)
			}
			switch {
			case leaves && (got.code() != "delivered" || !got.outcome.ClientGone):
				t.Errorf("got %s and %+v, want the outcome that the client is gone", got.code(), got.outcome)
			case !leaves && (got.refused == nil || got.refused.Kind.Status()/100 != 4):
				t.Errorf("got %s, want the fault put on the request", got.code())
			}
		})
	}
}

// failing is a body whose reader fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
func (f failing) Close() error             { return nil }

type timeoutError struct{ error }

func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// A server's read deadline shows as a timeout of the client's connection.
func TestAClientsTimeoutIsNotTheBackends(t *testing.T) {
	s := newStand(t, newReading())
	r := request(t, "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
	r.Body = failing{timeoutError{errors.New("read tcp 127.0.0.1: i/o timeout")}}
	s.ServeHTTP(&nowhere{header: http.Header{}}, r)
	if got := s.result(t); got.code() == "backend_timeout" || got.code() == "backend_unreachable" {
		t.Errorf("got %s, want the fault put on the client", got.code())
	}
}

// nowhere is a client that hears nothing.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

func TestABodyStreamsWhileTheClientStillWrites(t *testing.T) {
	pieces := make(chan string)
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for buf := make([]byte, 64); ; {
			n, err := r.Body.Read(buf)
			if n > 0 {
				pieces <- string(buf[:n])
			}
			if err != nil {
				close(pieces)
				return
			}
		}
	}))
	conn := s.dial(t, post+"Transfer-Encoding: chunked\r\n\r\n")
	for _, piece := range []string{"one", "two", "three"} {
		conn.send(t, fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece))
		select {
		case got := <-pieces: // before the next is written
			if got != piece {
				t.Errorf("got %q at the backend, want %q", got, piece)
			}
		case <-time.After(patience):
			t.Fatalf("the backend didn't get %q while the client waits, want it streamed", piece)
		}
	}
	conn.send(t, "0\r\n\r\n")
	if _, more := <-pieces; more {
		t.Error("got more than was sent")
	}
	if resp := conn.response(t, "POST"); resp.StatusCode != 200 {
		t.Errorf("got %s, want 200", resp.Status)
	}
}

// A property of all of it: whatever reaches a proper end at the backend is what a client sent.
func TestACompleteBodyIsABodyThatWasSent(t *testing.T) {
	random, said := rand.New(rand.NewPCG(5, 6)), map[[32]byte]bool{}
	backend := newReading()
	s := newStand(t, backend, func(a *contract.PlannedAPI) { a.MaxBody = 5000 })
	for range 60 {
		body := make([]byte, random.IntN(10_000))
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		said[sha256.Sum256(body)] = len(body) <= 5000
		text := chunked(body, random)
		if random.IntN(3) == 0 {
			text = text[:random.IntN(len(text))]
		}
		conn := s.dial(t, post+"Transfer-Encoding: chunked\r\n\r\n"+text)
		_ = conn.CloseWrite()
		_, _ = io.Copy(io.Discard, conn.in)
		_ = conn.Close()
	}
	s.server.Close()
	s.behind.Close()
	close(backend.bodies)
	for got := range backend.bodies {
		if got.err == nil && !said[got.sum] {
			t.Errorf("got a complete body of %d bytes at the backend, which nobody sent within the cap", got.n)
		}
	}
}
