package lambda_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childVariable turns the test binary into a bootstrap; its value says how it starts.
const childVariable = "LAMBDA_TEST_CHILD"

func TestMain(m *testing.M) {
	if kind, ok := os.LookupEnv(childVariable); ok {
		os.Exit(childOf(kind))
	}
	goleak.VerifyTestMain(m)
}

// runtime is a runtime on Lambda's API written by hand.
type runtime struct {
	base  string
	ticks atomic.Int64 // goes up while the process runs
	calls int
}

// childOf is the process of the tests:
//
//	serve       answers what an event's query asks for, by "do"
//	extension   the same, and writes on SIGTERM before it exits
//	init-exit   exits with 3
//	init-error  says so as the API wants, and exits
//	init-hang   never asks for an invocation
//	init-slow   the first time; the file in CHILD_FILE tells
func childOf(kind string) int {
	r := &runtime{base: "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"}
	switch kind {
	case "init-exit":
		fmt.Fprintln(os.Stderr, "no settings, no start")
		return 3
	case "init-error":
		r.post("init/error", `{"errorType":"Test.NoWay","errorMessage":"it can't"}`, nil)
		return 1
	case "init-hang":
		select {}
	case "init-slow":
		if _, err := os.Stat(os.Getenv("CHILD_FILE")); err != nil {
			_ = os.WriteFile(os.Getenv("CHILD_FILE"), nil, 0o600)
			select {}
		}
	case "extension":
		r.register()
	}
	go func() {
		for range time.Tick(time.Millisecond) {
			r.ticks.Add(1)
		}
	}()
	for {
		r.next()
	}
}

// register asks to be told of the end, and waits for that.
func (r *runtime) register() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	request, _ := http.NewRequest(http.MethodPost, base+"register", strings.NewReader(`{"events":[]}`))
	request.Header.Set("Lambda-Extension-Name", "child")
	resp, err := http.DefaultClient.Do(request)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Lambda-Extension-Identifier") == "" {
		os.Exit(9)
	}
	go func() {
		<-told
		fmt.Println("parting")
		os.Exit(0)
	}()
}

func (r *runtime) next() {
	resp, err := http.Get(r.base + "invocation/next")
	if err != nil {
		os.Exit(8)
	}
	event, _ := io.ReadAll(resp.Body)
	id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
	r.calls++
	query := queryOf(event)
	r.do(id, query, event, resp.Header)
}

// queryOf is the query of an event of any kind.
func queryOf(event []byte) url.Values {
	var e struct {
		RawQueryString                  string
		QueryStringParameters           map[string]string
		MultiValueQueryStringParameters map[string][]string
	}
	_ = json.Unmarshal(event, &e)
	if e.RawQueryString != "" {
		q, _ := url.ParseQuery(e.RawQueryString)
		return q
	}
	q := url.Values(e.MultiValueQueryStringParameters)
	if q == nil {
		q = url.Values{}
		for name, value := range e.QueryStringParameters {
			q.Set(name, value)
		}
	}
	for _, values := range q { // a load balancer doesn't decode
		for i := range values {
			if plain, err := url.QueryUnescape(values[i]); err == nil {
				values[i] = plain
			}
		}
	}
	return q
}

func (r *runtime) do(id string, q url.Values, event []byte, about http.Header) {
	answer := "invocation/" + id + "/response"
	switch q.Get("do") {
	case "payload": // the answer as it is in the query
		r.post(answer, q.Get("payload"), nil)
	case "bytes":
		n, _ := strconv.Atoi(q.Get("n"))
		status := r.post(answer, `{"statusCode":200,"body":"`+strings.Repeat("a", n)+`"}`, nil)
		fmt.Println("posted", status)
	case "environment":
		r.answer(answer, os.Environ())
	case "headers":
		r.answer(answer, about)
	case "ticks":
		r.answer(answer, map[string]any{"ticks": r.ticks.Load(), "calls": r.calls, "pid": os.Getpid()})
	case "crash":
		os.Exit(4)
	case "hang":
		select {}
	case "error":
		r.post("invocation/"+id+"/error", `{"errorType":"Test.Broken","errorMessage":"on purpose"}`, nil)
	case "twice":
		r.answer(answer, "once")
		fmt.Println("second", r.post(answer, "{}", nil), "unknown", r.post("invocation/no-such-id/response", "{}", nil))
	case "stream", "stream-fault", "stream-cut", "stream-raw", "stream-long":
		r.stream(answer, q)
	default:
		r.answer(answer, json.RawMessage(event))
	}
}

// answer is a small JSON answer that every kind of front takes.
func (r *runtime) answer(path string, body any) {
	text, _ := json.Marshal(body)
	payload, _ := json.Marshal(map[string]any{
		"statusCode": 200, "statusDescription": "200 OK", "body": string(text),
		"headers": map[string]string{"Content-Type": "application/json"}, "multiValueHeaders": map[string][]string{"Content-Type": {"application/json"}},
	})
	r.post(path, string(payload), nil)
}

func (r *runtime) stream(path string, q url.Values) {
	body, out := io.Pipe()
	trailer := http.Header{"Lambda-Runtime-Function-Error-Type": nil, "Lambda-Runtime-Function-Error-Body": nil}
	request, _ := http.NewRequest(http.MethodPost, r.base+path, body)
	request.Trailer = trailer
	request.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	request.Header.Set("Content-Type", "application/vnd.awslambda.http-integration-response")
	if q.Get("do") == "stream-raw" {
		request.Header.Set("Content-Type", "text/plain")
	}
	go func() {
		if q.Get("do") != "stream-raw" {
			_, _ = io.WriteString(out, `{"statusCode":201,"headers":{"Content-Type":"text/event-stream","X-One":"1"},"cookies":["a=1","b=2"]}`+strings.Repeat("\x00", 8))
		}
		for i := range 3 {
			_, _ = fmt.Fprintf(out, "data: %d\n\n", i)
			for q.Get("wait") != "" { // until the test has read that one
				if _, err := os.Stat(q.Get("wait") + strconv.Itoa(i)); err == nil {
					break
				}
				<-time.After(time.Millisecond)
			}
		}
		switch q.Get("do") {
		case "stream-cut":
			os.Exit(5)
		case "stream-fault":
			trailer.Set("Lambda-Runtime-Function-Error-Type", "Test.Broken")
			trailer.Set("Lambda-Runtime-Function-Error-Body", "b24gcHVycG9zZQ==")
		case "stream-long":
			_, _ = io.Copy(out, bytes.NewReader(make([]byte, 1<<20)))
		}
		out.Close()
	}()
	if resp, err := http.DefaultClient.Do(request); err == nil {
		fmt.Println("posted", resp.StatusCode)
		resp.Body.Close()
	}
}

func (r *runtime) post(path, body string, headers http.Header) int {
	request, _ := http.NewRequest(http.MethodPost, r.base+path, strings.NewReader(body))
	request.Header = headers
	if headers == nil {
		request.Header = http.Header{"Content-Type": {"application/json"}}
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		os.Exit(7)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode
}
