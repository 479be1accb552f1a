package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"tollgate/shared/contract"
)

// series names one: of a caller's words it holds none, and of numbers only those
// that statusOf lets through.
type series struct {
	instrument, a, b string
	status           int
	kind             string
	port             int
}

// sets keeps each series' attributes, sorted and hashed once. It is written as
// often as there are series, and read at each call.
type sets struct {
	mu    sync.Mutex
	known atomic.Pointer[map[series]sharedSet] // never changed, but replaced
}

// sharedSet is one option that a recording and an adding take.
type sharedSet interface {
	metric.RecordOption
	metric.AddOption
}

func (s *sets) of(key series, attrs func(series) []attribute.KeyValue) sharedSet {
	if all := s.known.Load(); all != nil {
		if found, ok := (*all)[key]; ok {
			return found
		}
	}
	made := metric.WithAttributeSet(attribute.NewSet(attrs(key)...))
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[series]sharedSet{key: made}
	if before := s.known.Load(); before != nil {
		if len(*before) >= maxSeries { // what comes after is measured all the same, at a higher price
			return made
		}
		maps.Copy(all, *before)
	}
	s.known.Store(&all)
	return made
}

// headroom is the least that each limit of the plan has left to any caller since
// it was told last: one number for a limit, whoever is counted by it.
type headroom map[string]*least

type least struct{ left atomic.Int64 }

const none = -1

func headroomOf(plan *contract.Plan) headroom {
	h := headroom{}
	add := func(limits []contract.PlannedLimit) {
		for _, l := range limits {
			if h[l.Name] == nil {
				h[l.Name] = &least{}
				h[l.Name].left.Store(none)
			}
		}
	}
	for _, p := range plan.Products {
		add(p.Limits)
	}
	for _, api := range plan.APIs {
		for _, op := range api.Operations {
			add(op.Limits)
		}
	}
	return h
}

func (h headroom) saw(name string, left int64) {
	l := h[name]
	if l == nil {
		return
	}
	for left = max(left, 0); ; {
		before := l.left.Load()
		if before != none && before <= left || l.left.CompareAndSwap(before, left) {
			return
		}
	}
}
