package audit_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"tollgate/shared/audit"
)

// half takes half of its first line.
type half struct {
	text strings.Builder
	cut  bool
}

func (h *half) Write(p []byte) (int, error) {
	if h.cut {
		return h.text.Write(p)
	}
	h.cut = true
	n, _ := h.text.Write(p[:len(p)/2])
	return n, errors.New("no room")
}

func TestALineThatWasCutSpoilsNoOther(t *testing.T) {
	h := &half{}
	l := audit.NewLines(h)
	for i := range 3 {
		_ = l.Record(t.Context(), event(i))
	}
	whole := 0
	for line := range strings.Lines(h.text.String()) {
		if _, err := audit.Parse([]byte(line)); err == nil {
			whole++
		}
	}
	if whole != 2 {
		t.Errorf("got %d whole events, want 2: %s", whole, h.text.String())
	}
}

// Whoever adds up what was told since the last time has the sum.
func TestLossesAddUp(t *testing.T) {
	w := &writes{err: io.ErrShortWrite}
	l := audit.NewLines(w)
	var sum int64
	for i := range 12 {
		if i == 11 {
			w.err = nil
		}
		if loss, ok := errors.AsType[*audit.Loss](l.Record(t.Context(), event(i))); ok {
			if sum += loss.Since; sum != loss.Total {
				t.Errorf("got %d in all, want %d", sum, loss.Total)
			}
		}
	}
	if sum != 11 {
		t.Errorf("got %d, want 11", sum)
	}
}
