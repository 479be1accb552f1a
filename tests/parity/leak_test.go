package parity_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
)

// invocations is how many: TOLLGATE_INVOCATIONS=10000.
func invocations(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("TOLLGATE_INVOCATIONS"))
	if err != nil {
		n = 10_000
	}
	return n
}

// eventOf is the event that a front makes of a request.
func eventOf(t *testing.T, kind lambda.Kind, method, target, body string, headers ...string) []byte {
	t.Helper()
	var event []byte
	front := lambda.NewFront(kind, func(_ context.Context, _ string, text []byte) (*lambda.Reply, error) {
		event = text
		return nil, errors.New("that was all")
	})
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	front.ServeHTTP(httptest.NewRecorder(), r)
	return event
}

// footprint is what a process holds.
type footprint struct{ kilobytes, threads, files int }

func footprintOf(t *testing.T, pid int) (f footprint) {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		t.Skip("there is no /proc here: ", err)
	}
	for name, to := range map[string]*int{"VmRSS": &f.kilobytes, "Threads": &f.threads} {
		if m := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+)`).FindSubmatch(text); m != nil {
			*to, _ = strconv.Atoi(string(m[1]))
		}
	}
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	f.files = len(files)
	return f
}

// Granted, refused, unreadable and streamed: after the first fifth, ten thousand
// invocations and as many thaws hold nothing that the first didn't.
func TestTenThousandInvocationsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	l := lab.Surrounded(t, contracts(t))
	f := deployOne(t, l, lambda.URL)
	pid := f.PIDs()[0]
	token := "Authorization: Bearer " + l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
	events := []struct {
		event []byte
		want  int
	}{
		{eventOf(t, lambda.URL, http.MethodGet, "/orders/42", "", token), 200},
		{eventOf(t, lambda.REST, http.MethodGet, "/orders/42?a=1", "", token), 200},
		{eventOf(t, lambda.ALBMulti, http.MethodPost, "/orders", "{}", token), 403},
		{eventOf(t, lambda.HTTP, http.MethodGet, "/orders/42", ""), 401},
		{eventOf(t, lambda.ALB, http.MethodGet, "/nowhere", ""), 404},
		{[]byte(`{"version":"2.0"`), 0},
	}
	n := invocations(t)
	var warm footprint
	for i := range n {
		e := events[i%len(events)]
		status, err := f.invoke(t, e.event)
		if (err != nil) != (e.want == 0) || status != e.want {
			t.Fatalf("invocation %d: got %d, %v, want %d", i, status, err, e.want)
		}
		if i == n/5 {
			warm = footprintOf(t, pid)
		}
	}
	after := footprintOf(t, pid)
	if after.kilobytes > warm.kilobytes+8<<10 || after.threads > warm.threads+4 || after.files > warm.files+4 {
		t.Errorf("got %+v after %d invocations, want no more than %+v", after, n, warm)
	}
	t.Logf("%d invocations of one process: %+v after a fifth, %+v at the end", n, warm, after)
}

// The adapter leaves no goroutine, whatever became of a call: streamed to its
// end, left by its caller, refused.
func TestNoInvocationLeavesAGoroutine(t *testing.T) {
	l := lab.Surrounded(t, contracts(t))
	token := "Authorization: Bearer " + l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
	fronts := map[lambda.Kind]http.Handler{}
	for _, kind := range lambda.Kinds() {
		fronts[kind] = l.Front(t, kind)
	}
	round := func() {
		for _, front := range fronts {
			for _, target := range []string{"/orders/42", "/orders/events?events=2&every=1ms", "/orders/42?abort=1&bytes=100000", "/nowhere"} {
				r := httptest.NewRequest(http.MethodGet, target, nil)
				name, value, _ := strings.Cut(token, ": ")
				r.Header.Set(name, value)
				func() {
					defer func() { _ = recover() }() // how a server breaks an answer off
					front.ServeHTTP(httptest.NewRecorder(), r)
				}()
			}
		}
	}
	round()
	before := runtime.NumGoroutine()
	for range 50 {
		round()
	}
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before+10; <-time.After(10 * time.Millisecond) { // what ends takes a moment
		if time.Now().After(deadline) {
			t.Fatalf("got %d goroutines after 1,200 calls, want the %d from before", runtime.NumGoroutine(), before)
		}
	}
}
