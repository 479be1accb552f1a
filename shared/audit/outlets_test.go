package audit_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate/shared/audit"
)

// stuck is a writer that stops at its first line.
type stuck struct {
	entered, release chan struct{}
	once             sync.Once
	lines            atomic.Int64
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.entered); <-s.release })
	s.lines.Add(1)
	return len(p), nil
}

func TestAStuckOutputHoldsUpOneCall(t *testing.T) {
	s := &stuck{entered: make(chan struct{}), release: make(chan struct{})}
	l := audit.NewLines(s)
	var first sync.WaitGroup
	first.Go(func() { _ = l.Record(t.Context(), event(0)) })
	<-s.entered
	granted := 0
	for l.Reserve() {
		granted++
		e := event(granted)
		e.Reserved = true
		if err := l.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if granted != audit.Places {
		t.Errorf("got %d places, want %d", granted, audit.Places)
	}
	err := l.Record(t.Context(), event(1))
	if loss, ok := errors.AsType[*audit.Loss](err); !ok || loss.Lost != 1 {
		t.Errorf("got %v, want one lost", err)
	}
	close(s.release)
	first.Wait()
	if n := s.lines.Load(); n != audit.Places+1 {
		t.Errorf("got %d lines in the end, want %d", n, audit.Places+1)
	}
	if !l.Reserve() {
		t.Error("got no place after it went on")
	}
}

func TestABrokenOutputGivesNoPlaceUntilItWorks(t *testing.T) {
	w := &writes{err: errors.New("EPIPE")}
	l := audit.NewLines(w)
	if !l.Reserve() {
		t.Fatal("got no place at first")
	}
	e := event(1)
	e.Reserved = true
	_ = l.Record(t.Context(), e)
	if l.Reserve() {
		t.Error("got a place where nothing can be written")
	}
	w.err = nil
	if err := l.Record(t.Context(), event(2)); err == nil || !strings.Contains(err.Error(), "1 were lost") {
		t.Errorf("got %v, want to hear that it is over, and of the one that was lost", err)
	}
	if !l.Reserve() {
		t.Error("got no place though it works again")
	}
}

func TestAPlaceIsOneInEachOutlet(t *testing.T) {
	r := &receiver{answer: func([][]byte) error { return errors.New("down") }}
	small, w := batches(r, &reports{}, 0), &writes{}
	lines := audit.NewLines(w)
	sink := audit.All(lines, small)
	n := 0
	for sink.Reserve() {
		n++
	}
	if n != audit.Promises {
		t.Errorf("got %d places, want %d", n, audit.Promises)
	}
	for range n {
		e := event(n)
		e.Reserved = true
		_ = sink.Record(t.Context(), e)
	}
	if sink.Reserve() { // the batches are full: what stdout gave must be given back
		t.Error("got a place that one outlet has not")
	}
	for range audit.Promises {
		if !lines.Reserve() {
			t.Fatal("a place of stdout's leaked")
		}
	}
	if len(w.all) != n {
		t.Errorf("got %d lines, want %d", len(w.all), n)
	}
}
