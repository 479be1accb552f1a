package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// More ends between two refreshes than one round removes: a thousand callers with a limit each minute.
func TestAChoreIsDoneToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gateway{parts: Parts{Now: time.Now}}
		left, rounds := 15_200, 0
		done, err := g.rounds(t.Context(), Chore{"counts", func(_ context.Context, most int) (int, error) {
			n := min(left, most)
			left, rounds = left-n, rounds+1
			time.Sleep(100 * time.Millisecond)
			return n, nil
		}})
		if err != nil || left != 0 || done != 15_200 || rounds != 31 {
			t.Errorf("got %d done and %d left after %d rounds (%v), want all", done, left, rounds, err)
		}
		began := time.Now()
		endless := Chore{"counts", func(_ context.Context, most int) (int, error) { time.Sleep(time.Second); return most, nil }}
		if done, err := g.rounds(t.Context(), endless); err != nil || done == 0 || time.Since(began) > atLength+time.Second {
			t.Errorf("got %d done after %v (%v), want others to have their turn", done, time.Since(began), err)
		}
	})
}
