package forward_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/backend"
	"tollgate/shared/wire"
)

const get = "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n"

// turns is a backend that writes one piece each time it is told to.
func turns(header http.Header, next <-chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		for piece := range next {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func TestEachPieceReachesTheClientWhileTheBackendStillWrites(t *testing.T) {
	for name, header := range map[string]http.Header{
		"events":                {"Content-Type": {"text/event-stream"}},
		"events, with a length": {"Content-Type": {"text/event-stream; charset=utf-8"}, "Content-Length": {"18"}},
		"no length":             {"Content-Type": {"application/json"}},
	} {
		t.Run(name, func(t *testing.T) {
			next := make(chan string)
			s := newStand(t, turns(header, next))
			conn := s.dial(t, get)
			resp := conn.response(t, "GET") // the headers are there before the first piece
			lines := bufio.NewReader(resp.Body)
			for _, piece := range []string{"data: 1\n", "data: 22\n"} {
				next <- piece
				if got, err := lines.ReadString('\n'); err != nil || got != piece {
					t.Fatalf("got %q (%v) while the backend still writes, want %q", got, err, piece)
				}
			}
			next <- "\n"
			close(next)
			if rest, err := io.ReadAll(lines); err != nil || string(rest) != "\n" {
				t.Errorf("got %q (%v), want the end", rest, err)
			}
		})
	}
}

func TestAnswersWithoutABody(t *testing.T) {
	for _, status := range []int{204, 205, 304, 200, 404} {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(fmt.Sprintf("%s %d", method, status), func(t *testing.T) {
				s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Etag", `"v1"`)
					w.Header().Set("Vary", "Authorization")
					w.Header().Set("Cache-Control", "private")
					w.Header().Set("Content-Type", "text/plain")
					if status == 200 {
						w.Header().Set("Content-Length", "5")
					}
					w.WriteHeader(status)
					if status == 200 && method == "GET" {
						_, _ = io.WriteString(w, "hello")
					}
				}))
				// Two on one connection: the second shows that the first ended where it should.
				conn := s.dial(t, strings.Repeat(strings.Replace(get, "GET", method, 1), 2))
				for range 2 {
					resp := conn.response(t, method)
					body, err := io.ReadAll(resp.Body)
					want := map[bool]string{true: "hello"}[status == 200 && method == "GET"]
					if resp.StatusCode != status || string(body) != want || err != nil {
						t.Errorf("got %s, %q (%v), want %d and %q", resp.Status, body, err, status, want)
					}
					if status == 200 && resp.ContentLength != 5 {
						t.Errorf("got length %d, want 5", resp.ContentLength)
					}
					if diff := cmp.Diff([]string{`"v1"`, "Authorization", "private"}, []string{resp.Header.Get("Etag"), resp.Header.Get("Vary"), resp.Header.Get("Cache-Control")}); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

func TestInterimAnswersTellNothing(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-User-Id", "leak")
		w.Header().Set("Server", "leak")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "ok")
	}))
	conn := s.dial(t, get)
	for {
		resp := conn.response(t, "GET")
		if resp.Header.Get("X-User-Id") != "" || resp.Header.Get("Server") != "" {
			t.Errorf("got %s with %v, want no identity and no server", resp.Status, resp.Header)
		}
		if resp.StatusCode >= 200 {
			break
		}
	}
}

func TestWhatTheTransportMustNotDo(t *testing.T) {
	t.Run("follow a redirect", func(t *testing.T) {
		rec := backend.Record(http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect))
		s := newStand(t, rec)
		if resp := s.dial(t, get).response(t, "GET"); resp.StatusCode != 307 || resp.Header.Get("Location") != "http://127.0.0.1:1/elsewhere" || rec.Count() != 1 {
			t.Errorf("got %s to %q after %d calls, want the backend's 307 after one", resp.Status, resp.Header.Get("Location"), rec.Count())
		}
	})
	t.Run("ask for compression, or undo it", func(t *testing.T) {
		rec := backend.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8bnot really")
		}))
		resp := newStand(t, rec).dial(t, get).response(t, "GET")
		body, _ := io.ReadAll(resp.Body)
		if got := rec.Requests()[0].Header; got.Get("Accept-Encoding") != "" || got.Get("User-Agent") != "" || string(body) != "\x1f\x8bnot really" {
			t.Errorf("got %v at the backend and %q, want no header of the transport's own and the bytes as they were", got, body)
		}
	})
	t.Run("trust any certificate", func(t *testing.T) {
		rec := backend.Record(backend.New())
		server := httptest.NewUnstartedServer(rec)
		server.Config.ErrorLog = quiet(t, rec).Config.ErrorLog
		server.StartTLS()
		t.Cleanup(server.Close)
		transport := wire.NewClient(time.Now)
		t.Cleanup(transport.CloseIdleConnections)
		f, w := newFront(api(t, server.URL), transport), httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
		if w.Code != 502 || rec.Count() != 0 {
			t.Errorf("got status %d and %d calls, want 502 and none", w.Code, rec.Count())
		}
	})
}
