package events

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func line(kind, id string) string {
	e := audit.Event{Event: kind, Time: noon, Correlation: id, Contract: "abc", API: "orders", Operation: "get", Method: "GET", Path: "/orders/1", Verdict: audit.Granted, Code: audit.Granted, Status: 200}
	return string(e.Append(nil))
}

func wrapped(name, text string) string {
	out, _ := json.Marshal(map[string]any{"timestamp": noon, name: text, "severityLevel": 1})
	return string(out)
}

// row is the event as a row of the table, its dynamic columns as text.
func row(t *testing.T, text string) string {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]any{"TimeGenerated": noon, "_ResourceId": "", "status_detail": nil}
	for name, value := range all {
		out[name] = value
		if value[0] == '{' {
			out[name] = string(value)
		}
	}
	b, _ := json.Marshal(out)
	return string(b)
}

func read(t *testing.T, text string) (*Reader, []string) {
	t.Helper()
	r, ids := &Reader{}, []string(nil)
	yield := func(e audit.Event) { ids = append(ids, e.Correlation+":"+e.Event) }
	if err := r.Calls(t.Context(), strings.NewReader(text), yield); err != nil {
		t.Fatal(err)
	}
	r.Close(yield)
	return r, ids
}

func TestEveryShapeHoldsItsEvent(t *testing.T) {
	e := line(audit.Decision, "1")
	pretty, _ := json.MarshalIndent([]json.RawMessage{json.RawMessage(wrapped("Message", e))}, "", "  ")
	properties, _ := json.Marshal(map[string]any{"time": noon, "properties": json.RawMessage(wrapped("Message", e))})
	for name, text := range map[string]string{
		"a line":                       e + "\n",
		"no newline at the end":        e,
		"Windows' line ends":           e + "\r\n",
		"a byte order mark":            "\xef\xbb\xbf" + e,
		"the host's time before it":    "[2026-11-26T12:00:00.123Z] " + e,
		"Application Insights":         wrapped("message", e),
		"Log Analytics":                wrapped("Message", e),
		"a diagnostic setting":         string(properties),
		"a row with columns as text":   row(t, e),
		"az monitor log-analytics":     string(pretty),
		"an unknown attribute":         strings.Replace(e, `"category_uid"`, `"later":{"a":[1]},"category_uid"`, 1),
		"an array of rows of a table":  "[" + row(t, e) + "]",
		"lines that are none around":   "Host started\n\n{\"event\":\"listening\"}\n" + e + "\n{broken",
		"an array that is cut off":     "[" + e + ",{",
		"delivered twice":              e + "\n" + wrapped("message", e),
		"a line longer than any event": strings.Repeat("x", 3<<20) + "\n" + e,
	} {
		t.Run(name, func(t *testing.T) {
			if _, ids := read(t, text); strings.Join(ids, " ") != "1:decision" {
				t.Errorf("got %v", ids)
			}
		})
	}
}

func TestWhatIsNoEventIsCounted(t *testing.T) {
	e := line(audit.Decision, "1")
	r, _ := read(t, "x\n"+e+"\n"+e+"\n"+strings.Repeat("y", 2<<20)+"\n"+
		`{"event":"audit_loss","outlet":"logs","lost":3,"total":3}`+"\n"+`{"event":"audit_loss","outlet":"logs","lost":2,"total":5}`+"\n"+`{"event":"audit_loss","outlet":"hub","lost":1,"total":1}`)
	want := Stats{Lines: 7, Events: 1, Skipped: 5, TooLong: 1, Repeated: 1, Lost: 5, First: noon, Last: noon}
	if r.Stats != want {
		t.Errorf("got %+v\nwant %+v", r.Stats, want)
	}
}

func TestTheTwoEventsOfAStreamAreOneCall(t *testing.T) {
	s, e := line(audit.Started, "1"), line(audit.Ended, "1")
	for text, want := range map[string]string{
		s:                       "1:started",
		s + "\n" + e:            "1:ended",
		e + "\n" + s:            "1:ended",
		e:                       "1:ended",
		s + "\n" + s:            "1:started",
		s + "\n" + e + "\n" + e: "1:ended",
		line(audit.Decision, "2") + "\n" + s + "\n" + e + "\n": "2:decision 1:ended",
	} {
		if _, ids := read(t, text); strings.Join(ids, " ") != want {
			t.Errorf("got %v, want %s", ids, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := &Reader{open: map[string]audit.Event{}}
	for i := range maxOpen - 1 {
		r.open[fmt.Sprint("before", i)] = audit.Event{Event: audit.Started}
	}
	for i := range 11 {
		r.Call([]byte(line(audit.Started, fmt.Sprint(i))), func(audit.Event) {})
	}
	if len(r.open) != maxOpen || r.Stats.Unpaired != 10 {
		t.Errorf("got %d kept and %d not", len(r.open), r.Stats.Unpaired)
	}
	r = &Reader{seen: map[[16]byte]struct{}{}}
	for i := range maxSeen - 1 {
		r.seen[[16]byte{byte(i), byte(i >> 8), byte(i >> 16)}] = struct{}{}
	}
	first, second := audit.Event{Correlation: "a"}, audit.Event{Correlation: "b"}
	if r.again(&first) || r.again(&second) || !r.again(&first) || !r.again(&second) {
		t.Error("what came last isn't remembered")
	}
	if len(r.seen) != 1 || len(r.before) != maxSeen {
		t.Errorf("got %d and %d remembered", len(r.seen), len(r.before))
	}
}

func TestAnArrayOfOneHugePartEnds(t *testing.T) {
	r := &Reader{}
	err := r.Calls(t.Context(), strings.NewReader(`[{"a":"`+strings.Repeat("x", 8<<20)+`"}]`), func(audit.Event) {})
	if err == nil || !strings.Contains(err.Error(), "larger than any event") {
		t.Errorf("got %v", err)
	}
}

func TestAFileIsFollowed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "events.jsonl")
	write := func(text string, flags int) {
		t.Helper()
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.WriteString(text)
		_ = f.Close()
	}
	write(line(audit.Decision, "old")+"\n", os.O_APPEND)
	ctx, stop := context.WithCancel(t.Context())
	got, ready, done := make(chan string, 10), make(chan struct{}), make(chan error, 1)
	r := &Reader{}
	go func() {
		done <- r.Follow(ctx, name, func() { close(ready) }, func(e audit.Event) { got <- e.Correlation })
	}()
	<-ready
	want := func(id string) {
		t.Helper()
		select {
		case g := <-got:
			if g != id {
				t.Errorf("got %s, want %s", g, id)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s never came", id)
		}
	}
	half := line(audit.Decision, "1") + "\n"
	write(half[:100], os.O_APPEND)
	write(half[100:]+"nonsense\n", os.O_APPEND)
	want("1")
	write(line(audit.Decision, "2")+"\n", os.O_TRUNC)
	want("2")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	write(line(audit.Decision, "3")+"\n"+strings.Repeat("z", 2<<20)+"\n"+line(audit.Decision, "4")+"\n", os.O_APPEND)
	want("3")
	want("4")
	stop()
	if err := <-done; err != nil || r.Stats.Restarts != 2 || r.Stats.TooLong != 1 {
		t.Errorf("got %v, %+v", err, r.Stats)
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add([]byte(line(audit.Decision, "1")))
	f.Add([]byte(`{"message":"{\"message\":\"x\"}"}`))
	f.Add([]byte(`[{"a":1},`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &Reader{}
		_ = r.Calls(t.Context(), strings.NewReader(string(text)), func(audit.Event) {})
		if s := r.Stats; s.Lines != s.Events+s.Skipped+s.Repeated {
			t.Errorf("got %+v", s)
		}
	})
}
