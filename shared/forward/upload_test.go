package forward_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
)

// The client means to use its connection again, as the Functions host does: it
// is then that net/http reads on before it lets an answer begin.
const keep = "POST /orders HTTP/1.1\r\nHost: a\r\n"

func TestABackendMayAnswerBeforeTheUploadEnded(t *testing.T) {
	t.Run("with all it has to say", func(t *testing.T) {
		s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			http.Error(w, "no more, please", http.StatusUnauthorized)
		}))
		conn := s.dial(t, keep+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") // and waits for the answer
		assertAnswered(t, conn, 401, "no more, please\n")
		if got := s.result(t); got.code() != "delivered" || got.outcome.Status != 401 || got.outcome.ClientGone {
			t.Errorf("got %s and %+v, want the backend's 401", got.code(), got.outcome)
		}
	})
	t.Run("with a length still to come", func(t *testing.T) {
		s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			http.Error(w, "no more, please", http.StatusUnauthorized)
		}))
		assertAnswered(t, s.dial(t, keep+"Content-Length: 1000\r\n\r\nhello"), 401, "no more, please\n")
	})
}

// assertAnswered: the client, which sends nothing more, has the answer within moments.
func assertAnswered(t *testing.T, conn rawConn, status int, want string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	resp, err := http.ReadResponse(conn.in, &http.Request{Method: "POST"})
	if err != nil {
		_ = conn.Close() // lets the gateway go
		t.Fatalf("got no answer while the upload pauses (%v), want %d", err, status)
	}
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != status || string(body) != want || err != nil {
		t.Errorf("got %s, %q (%v), want %d and %q", resp.Status, body, err, status, want)
	}
}

// A backend that answers while it reads (a transcoder, a progress report) must
// get the whole body: net/http discards what a handler left unread when the
// answer begins, unless it is told not to.
func TestAnEarlyAnswerDoesntCostTheBackendItsBody(t *testing.T) {
	for framing, piece := range map[string]string{"chunked": "4\r\nbody\r\n", "with a length": "body"} {
		t.Run(framing, func(t *testing.T) {
			pieces := make(chan string, 100)
			s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				_ = rc.EnableFullDuplex()
				w.WriteHeader(200)
				_ = rc.Flush()
				for buf := make([]byte, 4); ; {
					_, err := io.ReadFull(r.Body, buf)
					if err != nil {
						pieces <- err.Error()
						return
					}
					pieces <- string(buf)
				}
			}))
			head := map[string]string{"chunked": "Transfer-Encoding: chunked", "with a length": "Content-Length: 40"}[framing]
			conn := s.dial(t, keep+head+"\r\n\r\n")
			for i := range 10 {
				conn.send(t, piece)
				select {
				case got := <-pieces:
					if got != "body" {
						t.Fatalf("got %q for piece %d at the backend, want what was sent", got, i+1)
					}
				case <-time.After(3 * time.Second):
					_ = conn.Close()
					t.Fatalf("the backend, whose answer began, didn't get piece %d of the body", i+1)
				}
			}
			_ = conn.Close()
		})
	}
}

// Nothing can be refused any more, but the event must not accuse the backend.
func TestABodyOverTheCapAfterTheAnswerBeganIsNotTheBackendsFault(t *testing.T) {
	broke := make(chan error, 1)
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		w.WriteHeader(200)
		_ = rc.Flush()
		_, err := io.Copy(io.Discard, r.Body)
		broke <- err
	}))
	conn := s.dial(t, keep+"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
	conn.response(t, "POST") // the answer has begun
	go func() {
		_, _ = io.WriteString(conn, fmt.Sprintf("%x\r\n%s\r\n", 4*maxBody, strings.Repeat("x", 4*maxBody)))
	}()
	if err := <-broke; err == nil {
		t.Error("got a complete body at the backend, want one that breaks off")
	}
	if got := s.result(t); got.refused != nil || got.outcome.Broken == "" || !strings.Contains(got.outcome.Broken, "request body") {
		t.Errorf("got %s and %+v, want an answer broken because of the request body", got.code(), got.outcome)
	}
}

// hangsUp closes its connection once it has read n bytes of the body, without an answer.
func hangsUp(n int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, n)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestABackendThatHangsUpDuringTheUploadIsToBlame(t *testing.T) {
	for name, head := range map[string]string{"chunked": "Transfer-Encoding: chunked", "with a length": fmt.Sprintf("Content-Length: %d", 1<<30)} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, hangsUp(1000), func(a *contract.PlannedAPI) { a.MaxBody = 1 << 30 })
			conn := s.dial(t, keep+head+"\r\n\r\n")
			go func() {
				piece := strings.Repeat("x", 1<<10)
				if name == "chunked" {
					piece = "400\r\n" + piece + "\r\n"
				}
				for err := error(nil); err == nil; _, err = io.WriteString(conn, piece) { // until the gateway hangs up too
				}
			}()
			if got := s.result(t); got.code() != "backend_unreachable" {
				t.Errorf("got %s and %+v, want backend_unreachable", got.code(), got.outcome)
			}
		})
	}
}

// A client that doesn't look at the answer until all is sent must find it all the same.
func TestAnEarlyAnswerOutlivesTheUpload(t *testing.T) {
	for name, head := range map[string]string{"chunked": "Transfer-Encoding: chunked", "with a length": fmt.Sprintf("Content-Length: %d", 200<<10)} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Connection", "close")
				http.Error(w, "no more, please", http.StatusUnauthorized)
			}), func(a *contract.PlannedAPI) { a.MaxBody = 1 << 30 })
			for range 20 {
				conn := s.dial(t, keep+head+"\r\n\r\n")
				piece := strings.Repeat("x", 10<<10)
				if name == "chunked" {
					piece = "2800\r\n" + piece + "\r\n"
				}
				for range 20 {
					if _, err := io.WriteString(conn, piece); err != nil {
						break // the gateway may stop reading, but what it answered must be there
					}
				}
				assertAnswered(t, conn, 401, "no more, please\n")
			}
		})
	}
}

// A request that was taken whole leaves the connection as it was: the host uses it again.
func TestAWholeUploadLeavesTheConnectionOpen(t *testing.T) {
	s := newStand(t, newReading())
	for name, text := range map[string]string{
		"with a length": keep + "Content-Length: 5\r\n\r\nhello",
		"chunked":       keep + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"no body":       get,
	} {
		t.Run(name, func(t *testing.T) {
			conn := s.dial(t, "")
			for i := range 50 {
				conn.send(t, text)
				resp := conn.response(t, "POST")
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Close {
					t.Fatalf("answer %d: got close %t (%v), want the connection open", i, resp.Close, err)
				}
			}
		})
	}
}
