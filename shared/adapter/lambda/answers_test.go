package lambda_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/adapter/lambda"
	"tollgate/shared/pipeline"
)

func answering(status int, header http.Header, body string) *behind {
	return &behind{answer: func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}}
}

func TestEachFrontGetsTheAnswerInItsOwnShape(t *testing.T) {
	header := http.Header{"Content-Type": {"text/plain"}, "X-Two": {"a", "b"}, "Set-Cookie": {"s=1", "t=2"}, "Content-Length": {"2"}, "Connection": {"close"}, "Trailer": {"X-T"}}
	multi := map[string][]string{"Content-Type": {"text/plain"}, "X-Two": {"a", "b"}, "Set-Cookie": {"s=1", "t=2"}}
	for name, c := range map[string]struct {
		event string
		want  said
	}{
		"HTTP API":         {httpEvent, said{StatusCode: 201, Headers: map[string]string{"Content-Type": "text/plain", "X-Two": "a, b"}, Cookies: []string{"s=1", "t=2"}, Body: "hi"}},
		"REST API":         {restEvent, said{StatusCode: 201, MultiValueHeaders: multi, Body: "hi"}},
		"ALB":              {albEvent, said{StatusCode: 201, StatusDescription: "201 Created", Headers: map[string]string{"Content-Type": "text/plain", "X-Two": "a, b", "Set-Cookie": "s=1", "set-Cookie": "t=2"}, Body: "hi"}},
		"ALB, multi-value": {albMultiEvent, said{StatusCode: 201, StatusDescription: "201 Created", MultiValueHeaders: multi, Body: "hi"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := invoke(t, &lambda.Handler{Gateway: answering(201, header, "hi")}, c.event)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestABinaryAnswerComesInBase64(t *testing.T) {
	binary := "\x89PNG\xff\x00"
	got, err := invoke(t, &lambda.Handler{Gateway: answering(200, nil, binary)}, httpEvent)
	if text, _ := base64.StdEncoding.DecodeString(got.Body); err != nil || !got.IsBase64Encoded || string(text) != binary {
		t.Errorf("got %+v, %v, want %q in base64", got, err, binary)
	}
}

func TestTheAnswerToHEADHasALengthAndNoContent(t *testing.T) {
	got, err := invoke(t, &lambda.Handler{Gateway: answering(200, http.Header{"Content-Length": {"7"}}, "seven!!")}, strings.Replace(restEvent, `"GET"`, `"HEAD"`, 1))
	if err != nil || got.Body != "" || !reflect.DeepEqual(got.MultiValueHeaders["Content-Length"], []string{"7"}) {
		t.Errorf("got %+v, %v, want the length alone", got, err)
	}
}

// held is what the gateway does with a writer that holds the answer back.
func held(write func(w http.ResponseWriter) error) *behind {
	return &behind{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Backend", "said")
		if err := write(w); !errors.Is(err, pipeline.ErrAnswerTooLarge) {
			return
		}
		if w.(pipeline.Retractable).Retract() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		panic(http.ErrAbortHandler)
	}}
}

func TestAnAnswerThatTheFrontCanNotTakeIsTakenBack(t *testing.T) {
	fill := func(chunk string, n int) func(w http.ResponseWriter) error {
		return func(w http.ResponseWriter) (err error) {
			for range n {
				if _, err = io.WriteString(w, chunk); err != nil {
					break
				}
			}
			return err
		}
	}
	kib := func(s string) string { return strings.Repeat(s, 1024/len(s)) }
	for name, c := range map[string]struct {
		write  func(w http.ResponseWriter) error
		status int
	}{
		"text just below":             {fill(kib("a"), 6<<10-3), 200},
		"text beyond":                 {fill(kib("a"), 6<<10+1), 502},
		"text that JSON makes longer": {fill(kib("\n"), 5<<10), 502},
		"characters cut between two":  {fill(strings.Repeat("é", 1024)+"a", 2<<10), 200},
		"binary that fits in base64":  {fill(kib("\xff"), 4<<10), 200},
		"binary that doesn't":         {fill(kib("\xff"), 5<<10), 502},
		"a length that is too large": {func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "7000000")
			return fill("a", 1)(w)
		}, 502},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := invoke(t, &lambda.Handler{Gateway: held(c.write)}, httpEvent)
			if err != nil || got.StatusCode != c.status || (got.Headers["X-Backend"] == "said") != (c.status == 200) {
				t.Errorf("got %d with %v, %v, want %d", got.StatusCode, got.Headers, err, c.status)
			}
		})
	}
}

func TestALoadBalancerTakesLess(t *testing.T) {
	for n, want := range map[int]int{1<<20 - 2<<10: 200, 1 << 20: 502} {
		handler := &lambda.Handler{Gateway: held(func(w http.ResponseWriter) error {
			_, err := io.WriteString(w, strings.Repeat("a", n))
			return err
		})}
		if got, err := invoke(t, handler, albEvent); err != nil || got.StatusCode != want {
			t.Errorf("%d bytes: got %d, %v, want %d", n, got.StatusCode, err, want)
		}
	}
}

func TestAPanicIsAnAnswerAndTheProcessLives(t *testing.T) {
	var told error
	handler := &lambda.Handler{Gateway: &behind{answer: func(http.ResponseWriter, *http.Request) { panic("hunter2") }}, Report: func(err error) { told = err }}
	for range 2 {
		got, err := invoke(t, handler, httpEvent)
		if err != nil || got.StatusCode != 502 || strings.Contains(got.Body, "hunter2") || told == nil {
			t.Errorf("got %+v, %v, told %v, want 502 and an operator told", got, err, told)
		}
	}
}

// streamedAnswer reads prelude and content.
func streamedAnswer(t *testing.T, out io.Reader) (said, io.Reader) {
	t.Helper()
	var prelude []byte
	for b := make([]byte, 1); ; prelude = append(prelude, b[0]) {
		if _, err := io.ReadFull(out, b); err != nil {
			t.Fatal(err)
		}
		if b[0] == 0 {
			break
		}
	}
	zeros := make([]byte, 7)
	if _, err := io.ReadFull(out, zeros); err != nil || string(zeros) != strings.Repeat("\x00", 7) {
		t.Fatalf("got %q, %v, want eight zero bytes in all", zeros, err)
	}
	var s said
	if err := json.Unmarshal(prelude, &s); err != nil {
		t.Fatal(err)
	}
	return s, out
}

func TestAStreamGoesOutChunkByChunk(t *testing.T) {
	next := make(chan string)
	handler := &lambda.Handler{Limits: lambda.DefaultLimits(), Stream: true, Gateway: &behind{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header()["Set-Cookie"] = []string{"s=1"}
		_ = http.NewResponseController(w).Flush()
		for s := range next {
			_, _ = io.WriteString(w, s)
		}
	}}}
	out, err := handler.Invoke(t.Context(), []byte(httpEvent))
	if err != nil {
		t.Fatal(err)
	}
	got, body := streamedAnswer(t, out) // before there is any content
	if got.StatusCode != 200 || got.Headers["Content-Type"] != "text/event-stream" || !reflect.DeepEqual(got.Cookies, []string{"s=1"}) {
		t.Errorf("got %+v, want what the backend said", got)
	}
	if kind := out.(interface{ ContentType() string }).ContentType(); kind != "application/vnd.awslambda.http-integration-response" {
		t.Errorf("got %q, want AWS's type for it", kind)
	}
	for _, s := range []string{"data: 1\n\n", "data: 2\n\n"} {
		next <- s
		chunk := make([]byte, len(s))
		if _, err := io.ReadFull(body, chunk); err != nil || string(chunk) != s {
			t.Errorf("got %q, %v, want %q as soon as it is there", chunk, err, s)
		}
	}
	close(next)
	if rest, err := io.ReadAll(body); err != nil || len(rest) != 0 {
		t.Errorf("got %q, %v, want the end", rest, err)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
}

func TestAStreamThatBreaksOffDoesNotLookWhole(t *testing.T) {
	handler := &lambda.Handler{Limits: lambda.DefaultLimits(), Stream: true, Gateway: &behind{answer: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	}}}
	out, err := handler.Invoke(t.Context(), []byte(httpEvent))
	if err != nil {
		t.Fatal(err)
	}
	_, body := streamedAnswer(t, out)
	if text, err := io.ReadAll(body); string(text) != "half" || err == nil {
		t.Errorf("got %q, %v, want half, and an error", text, err)
	}
	_ = out.Close()
}

// What waits is sent before the process may be frozen, and after the answer: it
// delays no caller, and has an end.
func TestWorkAfterAnAnswerIsDoneWithinTheInvocation(t *testing.T) {
	for _, stream := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			after := 0
			handler := &lambda.Handler{Limits: lambda.DefaultLimits(), Stream: stream, Gateway: answering(200, nil, "hi"), After: func(ctx context.Context) error {
				after++
				<-ctx.Done()
				return ctx.Err()
			}}
			out, err := handler.Invoke(ctx, []byte(httpEvent))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(out); err != nil || after != 0 {
				t.Errorf("got %v, and the work done %d times before the answer was out", err, after)
			}
			began := time.Now()
			_ = out.Close()
			if took := time.Since(began); after != 1 || took > 2*time.Second {
				t.Errorf("got it done %d times in %s, want once, in two seconds at the most", after, took)
			}
		})
	}
}

func TestTheGatewayIsToldInTimeThatTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		handler := &lambda.Handler{Gateway: &behind{answer: func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			if !errors.Is(context.Cause(r.Context()), pipeline.ErrOutOfTime) {
				t.Errorf("got %v, want %v", context.Cause(r.Context()), pipeline.ErrOutOfTime)
			}
			w.WriteHeader(http.StatusGatewayTimeout)
		}}, Limits: lambda.DefaultLimits()}
		out, err := handler.Invoke(ctx, []byte(httpEvent))
		if took := time.Since(began); err != nil || took != 2500*time.Millisecond {
			t.Errorf("got an answer after %s, %v, want half a second before the end", took, err)
		}
		_ = out.Close()
	})
}

func TestAScheduleRefreshesWhatATimerWould(t *testing.T) {
	times := 0
	handler := &lambda.Handler{Gateway: &behind{}, Refresh: func(context.Context) error { times++; return nil }}
	if _, err := invoke(t, handler, `{"source":"aws.events","detail-type":"Scheduled Event"}`); err != nil || times != 1 {
		t.Errorf("got %v and %d refreshes, want one", err, times)
	}
	handler.Refresh = func(context.Context) error { return errors.New("hunter2") }
	if _, err := invoke(t, handler, `{"source":"aws.scheduler"}`); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want a failed invocation that tells nothing", err)
	}
}

// Node, for one, keeps an idle connection for five seconds; frozen, nobody hears of its end.
func TestConnectionsThatAreLeftFromBeforeAFreezeAreGivenUp(t *testing.T) {
	now, thawed := time.Unix(1, 0), 0
	handler := &lambda.Handler{Gateway: &behind{}, Now: func() time.Time { return now }, Thawed: func() { thawed++ }}
	for _, c := range []struct {
		passes time.Duration
		want   int
	}{{0, 0}, {2 * time.Second, 0}, {4 * time.Second, 1}, {time.Second, 1}, {time.Hour, 2}} {
		now = now.Add(c.passes)
		if _, err := invoke(t, handler, httpEvent); err != nil || thawed != c.want {
			t.Errorf("after %s: got %d, %v, want %d", c.passes, thawed, err, c.want)
		}
	}
}
