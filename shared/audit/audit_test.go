package audit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"tollgate/shared/audit"
)

// writes keeps each Write apart.
type writes struct {
	mu  sync.Mutex
	all []string
	err error
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(p))
	return len(p), w.err
}

func line(t *testing.T, e audit.Event) string {
	t.Helper()
	w := &writes{}
	if err := audit.NewLines(w).Record(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	if len(w.all) != 1 {
		t.Fatalf("got %d writes, want one for each event: lines of two processes must not mix", len(w.all))
	}
	return w.all[0]
}

func parsed(t *testing.T, line string) audit.Event {
	t.Helper()
	e, err := audit.Parse([]byte(line))
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

// H146 as a property: whatever the parts hold, the line is one line of JSON that means the same.
func TestH146WhateverARequestHoldsItIsOneSafeLine(t *testing.T) {
	nasty := []string{"\n", "\r\n", "\x00", "\x1b[31m", "\x7f", "\u0085", "\u009b31m", "\u2028", "\u2029", "\xff", "\xed\xa0\x80", `"`, `\`, `"}`, "{\"event\":\"decision\"}", "é", "😀", "</script>", "${jndi:x}", "=cmd"}
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(40) {
			b.WriteString(nasty[random.IntN(len(nasty))])
		}
		return strings.Repeat(b.String(), 1+random.IntN(20))
	}
	unsafe := map[rune]bool{}
	property := func() bool {
		e := audit.Event{Event: audit.Decision, Method: text(), Path: text(), Cause: text(), Code: "no_route", Verdict: audit.Refused, Status: 404, User: text(), Tenant: text(),
			App: text(), Session: text(), Issuer: text(), Client: text(), Invocation: text(), Marks: []string{text(), text()}, Claims: []audit.Claim{{Name: text(), Values: []string{text(), text(), text()}}}}
		got := line(t, e)
		back, err := audit.Parse([]byte(got))
		if err != nil || back.Verdict != audit.Refused || back.Status != 404 || back.Code != "no_route" {
			t.Errorf("got %q (%v), want the event it was made of", got, err)
			return false
		}
		for _, r := range strings.TrimSuffix(got, "\n") {
			if r < 0x20 || r > 0x7e {
				unsafe[r] = true
			}
		}
		return utf8.ValidString(got) && strings.Count(got, "\n") == 1 && len(got) < 32<<10
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 300}); err != nil {
		t.Error(err)
	}
	if len(unsafe) > 0 {
		t.Errorf("got %U unescaped in lines, want every control character escaped", slices.Sorted(maps.Keys(unsafe)))
	}
}

func TestLongPartsAreCut(t *testing.T) {
	long := strings.Repeat("a", 5000)
	got := parsed(t, line(t, audit.Event{Method: long, Path: long, Cause: long}))
	if got.Method != long[:32]+"…" || got.Path != long[:1<<10]+"…" || got.Cause != long[:1<<10]+"…" {
		t.Errorf("got %d, %d and %d bytes, want 32, 1024 and 1024 and a mark", len(got.Method), len(got.Path), len(got.Cause))
	}
	exact := long[:1<<10]
	if got := parsed(t, line(t, audit.Event{Path: exact})); got.Path != exact {
		t.Errorf("got %d bytes, want 1024 as they are", len(got.Path))
	}
}

func TestLinesOfManyCallsDontMix(t *testing.T) {
	w := &writes{}
	sink := audit.NewLines(w)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for range 20 {
				if err := sink.Record(t.Context(), &audit.Event{Correlation: fmt.Sprint(i), Path: strings.Repeat("x", 500)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(w.all) != 1000 || slices.ContainsFunc(w.all, func(s string) bool { return !json.Valid([]byte(s)) || !strings.HasSuffix(s, "}\n") }) {
		t.Errorf("got %d writes, some of which are no line; want 1000 lines", len(w.all))
	}
}

func TestAFailedWriteIsAnErrorThatNamesTheCall(t *testing.T) {
	full := errors.New("disk full")
	err := audit.NewLines(&writes{err: full}).Record(t.Context(), &audit.Event{Correlation: "c-7"})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "c-7") {
		t.Errorf("got %v, want the disk's error and c-7", err)
	}
}
