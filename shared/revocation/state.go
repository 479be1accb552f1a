package revocation

import "time"

// State is what is known of the list.
type State struct {
	Known  bool          // there is one
	Age    time.Duration // since the store said that it holds
	Usable bool          // calls are judged by it, or by one that the next call reads
}

// State does no network.
func (w *Watch) State() State {
	failing := w.failing()
	h := w.held.Load()
	if h == nil {
		return State{Usable: !failing}
	}
	age := h.age(w.options.Now())
	return State{Known: true, Age: age, Usable: age < w.options.MaxStale || !failing}
}

func (w *Watch) failing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outage.failures > 0
}
