package backend_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/backend"
)

func TestARecorderHasTheWholeRequestOnceItWasAnswered(t *testing.T) {
	rec := backend.Record(backend.New())
	url, client := serve(t, rec)
	request, _ := http.NewRequestWithContext(t.Context(), "PUT", url+"/a%2fb?q=1", io.NopCloser(strings.NewReader("hello")))
	request.Host = "orders.example"
	request.Header = http.Header{"X-A": {"1", "2"}, "User-Agent": nil, "Accept-Encoding": {"identity"}}
	request.Trailer = http.Header{"X-End": {"yes"}}
	heard(t, do(t, client, request))

	want := []backend.Seen{{
		Method: "PUT", Target: "/a%2fb?q=1", Host: "orders.example", Body: []byte("hello"),
		Header:  http.Header{"X-A": {"1", "2"}, "Accept-Encoding": {"identity"}},
		Trailer: http.Header{"X-End": {"yes"}}, Whole: true,
	}}
	if diff := cmp.Diff(want, rec.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestARecorderReadsWhatTheHandlerLeaves(t *testing.T) {
	rec := backend.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	url, client := serve(t, rec)
	send(t, client, "POST", url, strings.NewReader("unread"))
	if got := string(rec.Requests()[0].Body); got != "unread" {
		t.Errorf("body: got %q, want %q", got, "unread")
	}
}

func TestARecorderLetsABodyStream(t *testing.T) {
	first := make(chan string)
	rec := backend.Record(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		part := make([]byte, 3)
		_, _ = io.ReadFull(r.Body, part)
		first <- string(part)
	}))
	url, client := serve(t, rec)
	body, more := io.Pipe()
	go func() {
		_, _ = more.Write([]byte("one"))
		// The rest follows only when the handler has the beginning.
		if got := <-first; got != "one" {
			t.Errorf("first part: got %q, want one", got)
		}
		_, _ = more.Write([]byte("two"))
		_ = more.Close()
	}()
	send(t, client, "POST", url, body)
	if got := string(rec.Requests()[0].Body); got != "onetwo" {
		t.Errorf("body: got %q, want onetwo", got)
	}
}

func TestWhatARecorderReturnsIsACopy(t *testing.T) {
	rec := backend.Record(backend.New())
	url, client := serve(t, rec)
	heard(t, send(t, client, "POST", url, strings.NewReader("kept")))
	seen := rec.Requests()[0]
	seen.Body[0], seen.Header["User-Agent"][0] = 'X', "changed"
	if again := rec.Requests()[0]; string(again.Body) != "kept" || again.Header.Get("User-Agent") == "changed" {
		t.Errorf("got %q by %q, want the record unchanged", again.Body, again.Header.Get("User-Agent"))
	}
}

func TestARecorderCountsConcurrentRequestsAndForgetsThem(t *testing.T) {
	rec := backend.Record(backend.New())
	url, client := serve(t, rec)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			response, err := client.Post(fmt.Sprintf("%s/%d", url, n), "text/plain", strings.NewReader("x"))
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			_ = rec.Requests()
		})
	}
	all.Wait()
	if got := rec.Count(); got != 20 {
		t.Errorf("count: got %d, want 20", got)
	}
	rec.Reset()
	if got := rec.Count() + len(rec.Requests()); got != 0 {
		t.Errorf("after Reset: got %d, want 0", got)
	}
}
