package lambda_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/lambda"
)

func within(d time.Duration) func(*lambda.Options) {
	return func(o *lambda.Options) { o.Budgets.Function = d }
}

func TestOneProcessServesOneInvocationAfterTheOther(t *testing.T) {
	s := stand(t, lambda.URL, "serve")
	type said struct{ PID, Calls int }
	first := decoded[said](t, s.get(t, "do=ticks"))
	s.rest(t)
	second := decoded[said](t, s.get(t, "do=ticks"))
	if first.PID != second.PID || second.Calls != 2 {
		t.Errorf("got %+v and %+v, want the second from the same process", first, second)
	}
}

func TestAProcessIsStoppedBetweenInvocations(t *testing.T) {
	s := stand(t, lambda.URL, "serve")
	type said struct{ Ticks, PID int }
	before := decoded[said](t, s.get(t, "do=ticks"))
	s.rest(t)
	for deadline := time.Now().Add(10 * time.Second); stateOf(t, before.PID) != "T"; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) { // the signal takes a moment
			t.Fatalf("got the process in state %s between invocations, want T: stopped", stateOf(t, before.PID))
		}
	}
	<-time.After(300 * time.Millisecond) // in which a process that runs would tick some hundred times
	after := decoded[said](t, s.get(t, "do=ticks"))
	if gone := after.Ticks - before.Ticks; gone > 200 {
		t.Errorf("got %d ticks while it was stopped, want next to none", gone)
	}
	if n := len(s.await(t, lambda.EventThawed, 1)); n != 1 {
		t.Errorf("got it thawed %d times, want once: it didn't need that before its first invocation", n)
	}
}

// stateOf is a process's state letter.
func stateOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Skip("there is no /proc here: ", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

func TestACrashEndsAnInvocationAndTheNextGetsANewProcess(t *testing.T) {
	for kind, want := range map[lambda.Kind]int{lambda.REST: 502, lambda.HTTP: 500, lambda.URL: 502, lambda.URLStream: 502, lambda.ALB: 502, lambda.ALBMulti: 502} {
		t.Run(string(kind), func(t *testing.T) {
			s := stand(t, kind, "serve")
			if a := s.get(t, "do=crash"); a.StatusCode != want {
				t.Errorf("got %d %s, want %d", a.StatusCode, a.body, want)
			}
			if got := s.await(t, lambda.EventExited, 1)[0].Detail; got != "exit status 4" {
				t.Errorf("got %q, want exit status 4", got)
			}
			if a := s.get(t, "do=echo"); a.StatusCode != http.StatusOK {
				t.Errorf("got %d %s from the next, want 200", a.StatusCode, a.body)
			}
			if n := len(s.await(t, lambda.EventStarted, 2)); n != 2 {
				t.Errorf("got %d starts, want 2", n)
			}
		})
	}
}

func TestAnInvocationThatTakesTooLongIsKilledAtItsDeadline(t *testing.T) {
	s := stand(t, lambda.URL, "serve", within(200*time.Millisecond))
	began := time.Now()
	if a := s.get(t, "do=hang"); a.StatusCode != http.StatusBadGateway || a.body != `{"Message":"Internal Server Error"}` {
		t.Errorf("got %d %s, want 502 and nothing of the reason", a.StatusCode, a.body)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("got the answer after %s, want it not before the deadline", took)
	}
	if got := s.await(t, lambda.EventKilled, 1)[0].Detail; !strings.HasSuffix(got, "Task timed out after 0.20 seconds") {
		t.Errorf("got %q, want Lambda's words", got)
	}
	if a := s.get(t, "do=echo"); a.StatusCode != http.StatusOK {
		t.Errorf("got %d %s from the next, want 200 by a new process", a.StatusCode, a.body)
	}
}

func TestTheServiceBeforeItMayGiveUpFirst(t *testing.T) {
	for kind, want := range map[lambda.Kind]int{lambda.REST: 504, lambda.HTTP: 503} {
		s := stand(t, kind, "serve", within(time.Second), func(o *lambda.Options) { o.Budgets.Front = 300 * time.Millisecond })
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := s.get(t, "do=hang"); a.StatusCode != want {
			t.Errorf("%s: got %d %s, want %d", kind, a.StatusCode, a.body, want)
		}
		s.await(t, lambda.EventKilled, 1) // the function itself went on to its own deadline
	}
}

func TestAnErrorOfTheRuntimeIsToldToNobody(t *testing.T) {
	s := stand(t, lambda.REST, "serve")
	if a := s.get(t, "do=error"); a.StatusCode != http.StatusBadGateway || a.body != `{"message":"Internal server error"}` {
		t.Errorf("got %d %s, want 502 in API Gateway's words", a.StatusCode, a.body)
	}
	if got := s.await(t, lambda.EventWarning, 1)[0].Detail; got != "Test.Broken: on purpose" {
		t.Errorf("got %q, want what the runtime said", got)
	}
	s.rest(t)
	if n := len(s.PIDs()); n != 1 {
		t.Errorf("got %d processes, want the same one to live on", n)
	}
}

func TestWhatIsWrongWithAStartIsSaidOnceItWasTriedTwice(t *testing.T) {
	for child, want := range map[string]string{"init-exit": "exit status 3", "init-error": "Test.NoWay: it can't", "init-hang": "the initialisation took more than"} {
		t.Run(child, func(t *testing.T) {
			s := stand(t, lambda.URL, child, within(400*time.Millisecond), func(o *lambda.Options) { o.Budgets.Init = 400 * time.Millisecond })
			if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error that says %s", err, want)
			}
			if a := s.get(t, "do=echo"); a.StatusCode != http.StatusBadGateway {
				t.Errorf("got %d, want 502", a.StatusCode)
			}
			if n := len(s.await(t, lambda.EventStarted, 4)); n != 4 {
				t.Errorf("got %d starts, want two for each of the two", n)
			}
		})
	}
}

func TestAStartThatHangsIsTriedAgainWithinTheInvocation(t *testing.T) {
	s := stand(t, lambda.URL, "init-slow", within(10*time.Second), func(o *lambda.Options) {
		o.Budgets.Init = 300 * time.Millisecond
		o.Settings["CHILD_FILE"] = filepath.Join(t.TempDir(), "began")
	})
	if a := s.get(t, "do=echo"); a.StatusCode != http.StatusOK {
		t.Errorf("got %d %s, want 200 by the second start", a.StatusCode, a.body)
	}
}

func TestSIGTERMComesOnlyToWhoRegisteredAnExtension(t *testing.T) {
	s := stand(t, lambda.URL, "extension")
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Retire()
	s.awaitLine(t, "parting")
	if got := s.await(t, lambda.EventExited, 1)[0].Detail; got != "exit status 0" {
		t.Errorf("got %q, want it to end by itself", got)
	}

	s = stand(t, lambda.URL, "serve")
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Retire()
	s.await(t, lambda.EventKilled, 1)
}

func TestCallsAtOnceTakeAProcessEachUpToTheLimit(t *testing.T) {
	s := stand(t, lambda.URL, "serve", within(20*time.Second), func(o *lambda.Options) { o.Concurrency = 2 })
	done := make(chan struct{}, 2)
	for range 2 {
		go func() {
			defer func() { done <- struct{}{} }()
			if resp, err := client.Get(s.URL() + "/x?do=hang"); err == nil {
				resp.Body.Close()
			}
		}()
	}
	s.await(t, lambda.EventInvoked, 2)
	if a := s.get(t, "do=echo"); a.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %d %s from a third, want 429", a.StatusCode, a.body)
	}
	if n := len(s.PIDs()); n != 2 {
		t.Errorf("got %d processes, want 2", n)
	}
	_ = s.Close() // ends both
	<-done
	<-done
}

func TestAProcessGetsLambdasEnvironmentAndNothingOfOurs(t *testing.T) {
	t.Setenv("OUR_SECRET", "1")
	s := stand(t, lambda.URL, "serve")
	env := decoded[[]string](t, s.get(t, "do=environment"))
	for _, pair := range env {
		if name, _, _ := strings.Cut(pair, "="); name == "OUR_SECRET" || name == "HOME" {
			t.Errorf("got %s, want nothing inherited", pair)
		}
	}
	for _, want := range []string{"AWS_LAMBDA_FUNCTION_NAME=tollgate", "AWS_REGION=eu-central-1", "_HANDLER=bootstrap", "TZ=:UTC", "LAMBDA_TASK_ROOT=" + filepath.Dir(must(os.Executable()))} {
		if !slices.Contains(env, want) {
			t.Errorf("got %q, want %s", env, want)
		}
	}
	for name, settings := range map[string]map[string]string{
		"Lambda's own":  {"AWS_REGION": "x"},
		"another's":     {"AWS_LAMBDA_EXEC_WRAPPER": "x"},
		"more than 4KB": {"LONG": strings.Repeat("x", 4<<10)},
	} {
		o := lambda.Options{Bootstrap: must(os.Executable()), Kind: lambda.URL, Settings: settings}
		if l, err := lambda.Start(o); err == nil {
			_ = l.Close()
			t.Errorf("%s: got a start, want it refused", name)
		}
	}
}

func TestAnInvocationSaysItsDeadlineAndItsName(t *testing.T) {
	s := stand(t, lambda.URL, "serve", within(7*time.Second))
	before := time.Now()
	h := decoded[http.Header](t, s.get(t, "do=headers"))
	ms, err := strconv.ParseInt(h.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if left := time.UnixMilli(ms).Sub(before); err != nil || left < 6*time.Second || left > 10*time.Second {
		t.Errorf("got %v as the deadline, want some 7 s from now (%v)", h["Lambda-Runtime-Deadline-Ms"], err)
	}
	if h.Get("Lambda-Runtime-Aws-Request-Id") != s.await(t, lambda.EventInvoked, 1)[0].Detail {
		t.Errorf("got %v, want the id that was told", h)
	}
	if !strings.HasPrefix(h.Get("Lambda-Runtime-Invoked-Function-Arn"), "arn:aws:lambda:") || !strings.HasPrefix(h.Get("Lambda-Runtime-Trace-Id"), "Root=1-") {
		t.Errorf("got %v, want an ARN and a trace", h)
	}
}

func TestARuntimeIsHeldToTheOrderOfItsCalls(t *testing.T) {
	s := stand(t, lambda.URL, "serve")
	s.get(t, "do=twice")
	s.awaitLine(t, "second 400 unknown 400")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
