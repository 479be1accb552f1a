package backend_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tollgate/localrun/backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type echo struct {
	Method, Path, Query, Host, Body string
	Headers, Trailers               http.Header
	BodyBytes                       int64
	Ignored                         []string
}

// serve starts a server and a client that leave nothing running.
func serve(t *testing.T, h http.Handler) (string, *http.Client) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

func send(t *testing.T, client *http.Client, method, url string, body io.Reader) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, client, request)
}

func do(t *testing.T, client *http.Client, request *http.Request) *http.Response {
	t.Helper()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func heard(t *testing.T, response *http.Response) echo {
	t.Helper()
	var e echo
	if err := json.NewDecoder(response.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheEchoRepeatsTheRequestAsItWasReceived(t *testing.T) {
	url, client := serve(t, backend.New())
	request, _ := http.NewRequestWithContext(t.Context(), "PATCH", url+"/a%2Fb/%C3%A9?x=%20&y&status=open", strings.NewReader("hello"))
	request.Host = "orders.example"
	request.Header = http.Header{"X-Twice": {"1", "2"}, "User-Agent": nil, "Accept-Encoding": {"identity"}}
	response := do(t, client, request)

	want := echo{
		Method: "PATCH", Path: "/a%2Fb/%C3%A9", Query: "x=%20&y&status=open", Host: "orders.example",
		Body: "hello", BodyBytes: 5,
		Headers:  http.Header{"X-Twice": {"1", "2"}, "Accept-Encoding": {"identity"}, "Content-Length": {"5"}},
		Trailers: http.Header{},
		Ignored:  []string{"status=open: must be a number from 200 to 999"},
	}
	if diff := cmp.Diff(want, heard(t, response)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if response.StatusCode != 200 {
		t.Errorf("status: got %d, want 200", response.StatusCode)
	}
}

func TestTheEchoCountsAWholeBodyAndShowsItsFirst64KiB(t *testing.T) {
	url, client := serve(t, backend.New())
	got := heard(t, send(t, client, "POST", url, strings.NewReader(strings.Repeat("b", 100<<10))))
	if len(got.Body) != 64<<10 || got.BodyBytes != 100<<10 {
		t.Errorf("got %d bytes shown of %d, want %d of %d", len(got.Body), got.BodyBytes, 64<<10, 100<<10)
	}
}

func TestTheEchoShowsTrailers(t *testing.T) {
	url, client := serve(t, backend.New())
	request, _ := http.NewRequestWithContext(t.Context(), "POST", url, io.NopCloser(strings.NewReader("x")))
	request.Trailer = http.Header{"X-Checksum": {"abc"}}
	if diff := cmp.Diff(http.Header{"X-Checksum": {"abc"}}, heard(t, do(t, client, request)).Trailers); diff != "" {
		t.Errorf("trailers (-want +got):\n%s", diff)
	}
}

func TestTheQueryChoosesStatusAndHeaders(t *testing.T) {
	url, client := serve(t, backend.New())
	response := send(t, client, "GET", url+"/?status=418&header=X-A:1&header=X-A:%202&header=Content-Type:text/plain&header=nonsense", nil)
	if response.StatusCode != 418 {
		t.Errorf("status: got %d, want 418", response.StatusCode)
	}
	if diff := cmp.Diff([]string{"1", "2"}, response.Header.Values("X-A")); diff != "" {
		t.Errorf("X-A (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"text/plain"}, response.Header.Values("Content-Type")); diff != "" {
		t.Errorf("Content-Type (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"header=nonsense: must be Name:Value"}, heard(t, response).Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

func TestValuesThatMakeNoSenseAreNamedAndChangeNothing(t *testing.T) {
	url, client := serve(t, backend.New())
	response := send(t, client, "GET", url+"/?status=100&delay=2&events=-1&every=x&bytes=many&abort=yes", nil)
	if got := len(heard(t, response).Ignored); response.StatusCode != 200 || got != 6 {
		t.Errorf("got status %d and %d ignored, want 200 and 6", response.StatusCode, got)
	}
}

func TestADelayPassesBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, w := time.Now(), httptest.NewRecorder()
		backend.New().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/?delay=2s", nil))
		if took := time.Since(start); took != 2*time.Second || w.Body.Len() == 0 {
			t.Errorf("got %d bytes after %s, want an answer after 2s", w.Body.Len(), took)
		}
	})
}

func TestADelayEndsWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start, w := time.Now(), httptest.NewRecorder()
		backend.New().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/?delay=1h", nil))
		if took := time.Since(start); took != time.Second || w.Body.Len() != 0 {
			t.Errorf("got %d bytes after %s, want none after 1s", w.Body.Len(), took)
		}
	})
}

func TestEventsComeAtTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, w := time.Now(), httptest.NewRecorder()
		backend.New().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/?events=5&every=100ms", nil))
		if got := strings.Count(w.Body.String(), "data: "); got != 5 {
			t.Errorf("got %d events, want 5", got)
		}
		if took := time.Since(start); took != 400*time.Millisecond {
			t.Errorf("got them after %s, want 400ms", took)
		}
		if got := w.Header().Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type: got %q, want text/event-stream", got)
		}
	})
}

func TestAnEventArrivesBeforeTheNextIsWritten(t *testing.T) {
	url, client := serve(t, backend.New())
	// The second event is an hour away, and the server's Close in the cleanup waits for the handler:
	// this test ends only if the first was flushed and a client's leaving ends the stream.
	response := send(t, client, "GET", url+"/?events=2&every=1h", nil)
	lines := bufio.NewReader(response.Body)
	var got string
	for range 3 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		got += line
	}
	if want := "id: 1\ndata: {\"event\":1,\"of\":2}\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFillerHasTheLengthAskedFor(t *testing.T) {
	url, client := serve(t, backend.New())
	n, err := io.Copy(io.Discard, send(t, client, "GET", url+"/?bytes=1000003", nil).Body)
	if n != 1000003 || err != nil {
		t.Errorf("got %d bytes, %v; want 1000003", n, err)
	}
}

func TestAnAbortBreaksTheAnswerInItsMiddle(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		want  func(n int64) bool
	}{
		"the echo": {"?abort=1", func(n int64) bool { return n > 0 }},
		"filler":   {"?abort=1&bytes=100000", func(n int64) bool { return n == 50000 }},
		"events":   {"?abort=1&events=1", func(n int64) bool { return n == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			url, client := serve(t, backend.Record(backend.New())) // a Recorder is no hindrance
			response := send(t, client, "GET", url+"/"+test.query, nil)
			n, err := io.Copy(io.Discard, response.Body)
			if response.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) || !test.want(n) {
				t.Errorf("got status %d, %d bytes, %v; want 200, a part and an unexpected EOF", response.StatusCode, n, err)
			}
		})
	}
}
