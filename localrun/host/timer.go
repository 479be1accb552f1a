package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// timerLog remembers when each timer function last ran.
type timerLog struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// swap notes a run and returns the one before, or the zero time.
func (t *timerLog) swap(name string, now time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[string]time.Time{}
	}
	before := t.last[name]
	t.last[name] = now
	return before
}

// FireTimer runs a timer function once, now, and waits for its result. An answer
// without a result makes it wait until functionTimeout, which restarts the
// handler (functions-host.md §5).
func (h *Host) FireTimer(ctx context.Context, function string) error {
	f, err := h.timer(function)
	if err != nil {
		return err
	}
	if !h.calls.enter() {
		return fmt.Errorf("fire %s: %w", function, errClosed)
	}
	defer h.calls.leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.ctx, func() { cancel(errClosed) })()
	ctx, stop := h.withFunctionTimeout(ctx)
	defer stop()
	life, err := h.await(ctx)
	if err != nil {
		return fmt.Errorf("fire %s: %w", function, err)
	}
	info, err := h.timerInfo(f)
	if err != nil {
		return fmt.Errorf("fire %s: %w", function, err)
	}
	if _, err = h.exchange(ctx, f, newID(), info, life); err == nil {
		return nil
	}
	if cause := context.Cause(ctx); errors.Is(cause, errFunctionTimeout) {
		life.ask(fmt.Sprintf("%s timed out after %s (functionTimeout)", f.Name, h.options.Budgets.Function))
		err = cause
	}
	return fmt.Errorf("fire %s: %w", function, err)
}

func (h *Host) timer(name string) (*Function, error) {
	for _, f := range h.app.Functions {
		switch {
		case !strings.EqualFold(f.Name, name):
		case !strings.EqualFold(f.Trigger, "timerTrigger"):
			return nil, fmt.Errorf("fire %s: its trigger is %s, want timerTrigger", name, f.Trigger)
		case f.Disabled:
			return nil, fmt.Errorf("fire %s: it is disabled, so the host never fires it: remove \"disabled\" or its app setting", name)
		default:
			return f, nil
		}
	}
	return nil, fmt.Errorf("fire %s: no such function below %s", name, h.app.Root)
}

// timerInfo is Data.<name> of functions-host.md §5. The stand-in has no clock of
// its own: Next is a minute ahead, whatever the schedule says.
func (h *Host) timerInfo(f *Function) (any, error) {
	now := h.options.Now()
	last := h.timers.swap(f.Name, now)
	info := map[string]any{
		"Schedule":       map[string]any{"AdjustForDST": true},
		"ScheduleStatus": map[string]any{"Last": last, "LastUpdated": now, "Next": now.Add(time.Minute)},
		"IsPastDue":      false,
	}
	if h.options.Variants.TimerStatusNull {
		info["ScheduleStatus"] = nil
	}
	if !h.options.Variants.TimerAsString {
		return info, nil
	}
	text, err := json.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("write the timer's data: %w", err)
	}
	return string(text), nil
}
