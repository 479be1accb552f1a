package inspector

import (
	"fmt"
	"time"

	"tollgate/shared/audit"
)

// bar is where a piece of time lies on a line of 100.
type bar struct{ From, Width string }

func barOf(from, width, whole time.Duration) bar {
	if whole <= 0 {
		return bar{"0", "0"}
	}
	share := func(d time.Duration) float64 { return 100 * float64(max(d, 0)) / float64(whole) }
	w := share(width)
	if width > 0 {
		w = max(w, 0.6) // so that it can be seen at all
	}
	return bar{fmt.Sprintf("%.2f", min(share(from), 100-w)), fmt.Sprintf("%.2f", w)}
}

// stageBar is a stage with its share of the stages' time.
type stageBar struct {
	Stage
	bar
}

func barsOf(stages []Stage) []stageBar {
	var whole, from time.Duration
	for _, s := range stages {
		whole += s.Took
	}
	out := make([]stageBar, 0, len(stages))
	for _, s := range stages {
		out = append(out, stageBar{s, barOf(from, s.Took, whole)})
		from += s.Took
	}
	return out
}

// span is a measured part of a call's time.
type span struct {
	Name, Class string
	Took        time.Duration
	bar
}

// spansOf are the parts that the event has: the gateway's own work, the wait for
// the backend's answer to begin, and the rest, in which bodies pass.
func spansOf(e *audit.Event) []span {
	all := whole(e)
	parts := []span{{Name: "the gateway's own work", Class: "own", Took: e.Own}, {Name: "waiting for the backend's answer to begin", Class: "waited", Took: e.Waited}}
	// The whole is known in milliseconds, so less than one is no time at all.
	if rest := all - e.Own - e.Waited; rest >= time.Millisecond {
		parts = append(parts, span{Name: "bodies passing", Class: "rest", Took: rest})
	}
	var from time.Duration
	var out []span
	for _, p := range parts {
		if p.Took > 0 {
			p.bar = barOf(from, p.Took, all)
			from += p.Took
			out = append(out, p)
		}
	}
	return out
}
