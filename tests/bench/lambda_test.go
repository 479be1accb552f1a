package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/boot"
	"tollgate/tests/lab"
)

// runtimeAPI gives a bootstrap one event, and holds the next request for one.
type runtimeAPI struct {
	*httptest.Server
	asked   chan struct{} // a bootstrap asks for its next event
	events  chan string
	answers chan string
	closed  chan struct{}
}

func newRuntimeAPI(b *testing.B) *runtimeAPI {
	b.Helper()
	api := &runtimeAPI{asked: make(chan struct{}, 16), events: make(chan string), answers: make(chan string, 1), closed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", api.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body) // a bootstrap that dies fails the benchmark anyway
		w.WriteHeader(http.StatusAccepted)
		api.answers <- string(text)
	})
	api.Server = httptest.NewServer(mux)
	b.Cleanup(func() { close(api.closed); api.Close() })
	return api
}

func (api *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	api.asked <- struct{}{}
	select {
	case text := <-api.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(30*time.Second).UnixMilli(), 10))
		_, _ = io.WriteString(w, text)
	case <-r.Context().Done():
	case <-api.closed:
	}
}

// start runs the bootstrap.
func (api *runtimeAPI) start(b *testing.B, dir string, settings map[string]string) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "bootstrap"))
	cmd.Env = append(os.Environ(), boot.RuntimeAPI+"="+strings.TrimPrefix(api.URL, "http://"))
	for name, value := range settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return func() { cancel(); _ = cmd.Wait() }
}

func (api *runtimeAPI) await(b *testing.B) {
	b.Helper()
	select {
	case <-api.asked:
	case <-time.After(20 * time.Second):
		b.Fatal("the bootstrap asks for no event")
	}
}

// BenchmarkExecToNext: from fork and exec of the stripped bootstrap to its first
// request for an event, with the example estate.
func BenchmarkExecToNext(b *testing.B) {
	dir, l, api := lab.StageLambda(b), lab.Surrounded(b, filepath.Join(lab.Root(b), "contracts")), newRuntimeAPI(b)
	for b.Loop() {
		stop := api.start(b, dir, l.Settings())
		api.await(b)
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}

// BenchmarkLambdaFirstAuthorised: the same to its first granted answer:
// discovery and keys included.
func BenchmarkLambdaFirstAuthorised(b *testing.B) {
	dir, l, api := lab.StageLambda(b), lab.Surrounded(b, filepath.Join(lab.Root(b), "contracts")), newRuntimeAPI(b)
	event := fmt.Sprintf(`{"version":"2.0","rawPath":"/orders/42","rawQueryString":"","headers":{"host":"api.example","authorization":"Bearer %s"},
		"requestContext":{"requestId":"1","http":{"method":"GET","sourceIp":"192.0.2.7"}},"isBase64Encoded":false}`,
		l.Token(b, issuer.Token{API: "orders", Roles: []string{"DataReader"}}))
	for b.Loop() {
		stop := api.start(b, dir, l.Settings())
		api.await(b)
		api.events <- event
		if text := <-api.answers; !strings.Contains(text, `"statusCode":200`) {
			b.Fatalf("got %.600s, want 200", text)
		}
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}
