package audit

import "time"

// State is what an outlet knows of itself.
type State struct {
	Name    string
	Waiting int           // events that are not written yet
	Oldest  time.Duration // how long the oldest of them has waited, at least; 0 where none does, or it isn't known
	Lost    int64         // in this process's life
	Full    bool          // no place can be reserved now
}

// States are those of a sink's outlets.
func States(s Sink, now time.Time) []State {
	switch s := s.(type) {
	case *Lines:
		return []State{s.waiting.state()}
	case *Batches:
		return []State{s.state(now)}
	case all:
		var out []State
		for _, o := range s {
			out = append(out, States(o, now)...)
		}
		return out
	}
	return nil
}

func (w *waiting) state() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return State{
		Name: w.losses.outlet, Waiting: len(w.lines), Lost: w.losses.total,
		Full: w.refuses(),
	}
}

func (b *Batches) state(now time.Time) State {
	out := b.waiting.state()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) > 0 {
		out.Oldest = max(now.Sub(b.oldest), 0)
	}
	return out
}
