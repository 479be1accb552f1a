package limits

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	counted "tollgate/shared/limit/tables"
)

// scenario is one simulated estate: instances that share one count, in a bubble
// whose time is the store's.
type scenario struct {
	seed      uint64
	instances int
	rule      *limit.Rule
	offered   int64         // calls in each window, by all together
	length    time.Duration // of the whole
	deaths    float64       // a second, of any instance; another takes its place
	lost      float64       // part of the writes that happen and whose answer is lost
	clocks    bool          // wrong by minutes, set while running, and standing still
}

// result is what came of it.
type result struct {
	offered, admitted map[int64]int64 // by the start of the true window
	unavailable       int64
	calls             []call // in order of time
	table             *limittest.Table
}

type call struct {
	at       time.Duration
	admitted bool
}

func (r *result) transactions() int {
	reads, writes, _ := r.table.Spent()
	return reads + writes
}

// cost is the transactions for 1,000 admitted calls.
func (r *result) cost() float64 {
	var admitted int64
	for _, n := range r.admitted {
		admitted += n
	}
	return 1000 * float64(r.transactions()) / float64(max(admitted, 1))
}

// world is a scenario under way.
type world struct {
	scenario
	began time.Time
	table *limittest.Table

	mu     sync.Mutex
	random *rand.Rand
	result result
}

// simulate plays the scenario in a bubble.
func simulate(t *testing.T, s scenario) *result {
	var out *result
	synctest.Test(t, func(t *testing.T) {
		w := &world{scenario: s, began: time.Now(), table: limittest.NewTable(time.Now), random: rand.New(rand.NewPCG(s.seed, 7))}
		w.result = result{offered: map[int64]int64{}, admitted: map[int64]int64{}, table: w.table}
		w.table.Meet(func(bool) error { time.Sleep(w.latency()); return nil }, func(writes bool) error {
			time.Sleep(w.latency() / 2)
			if writes && w.chance() < s.lost {
				return errors.New("the answer is lost")
			}
			return nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), s.length)
		defer cancel()
		var all sync.WaitGroup
		for i := range s.instances {
			all.Go(func() { w.place(ctx, i) })
		}
		all.Wait()
		synctest.Wait()
		out = &w.result
	})
	return out
}

func (w *world) chance() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.Float64()
}

// latency is one way to the store: some milliseconds, and now and then far more.
func (w *world) latency() time.Duration {
	d := time.Duration(1+4*w.chance()) * time.Millisecond
	if w.chance() < 0.005 {
		d += 80 * time.Millisecond
	}
	return d
}

// place is where one instance after the other lives, until the end.
func (w *world) place(ctx context.Context, i int) {
	for ctx.Err() == nil {
		life, end := context.WithCancel(ctx)
		if w.deaths > 0 {
			mean := float64(w.instances) / w.deaths
			life, end = context.WithTimeout(ctx, time.Duration(2*mean*w.chance()*float64(time.Second)))
		}
		w.live(life, i)
		end()
		pause(ctx, time.Duration(2*w.chance()*float64(time.Second)))
	}
}

// live is one instance from its start to its death: what it held is lost then.
func (w *world) live(ctx context.Context, i int) {
	m := &machine{now: time.Now, began: time.Now()}
	if w.clocks {
		m.wrong = time.Duration((w.chance() - 0.5) * float64(10*time.Minute))
	}
	view := w.table.View(m.read)
	w.mu.Lock()
	own := rand.New(rand.NewPCG(w.random.Uint64(), w.random.Uint64()))
	w.mu.Unlock()
	s := counted.New(view, counted.Options{Clock: view.Clock, Now: time.Now, Random: own})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { w.call(ctx, s, i, 4) })
	}
	if w.clocks {
		all.Go(func() { m.trouble(ctx, w) })
	}
	all.Wait()
}

// call makes calls, as one of several callers of the instance.
func (w *world) call(ctx context.Context, s limit.Store, i, callers int) {
	for {
		if !pause(ctx, w.gap(i)*time.Duration(callers)) {
			return
		}
		g, err := s.Take(context.Background(), limittest.Key(w.rule, "shared"), 1)
		if ctx.Err() != nil {
			return // dead: nobody hears of it
		}
		w.note(g, err)
	}
}

func (w *world) note(g limit.Grant, err error) {
	now := time.Now()
	start := limit.Key{Rule: w.rule}.At(now).Start
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.offered[start]++
	if err != nil {
		w.result.unavailable++
	}
	if g.OK {
		w.result.admitted[start]++
	}
	w.result.calls = append(w.result.calls, call{now.Sub(w.began), g.OK})
}

// gap is the time to the next call of an instance. Of twenty, one is hot, seven
// are steady, four come in bursts, and the rest hardly call at all.
func (w *world) gap(i int) time.Duration {
	window := 60.0
	if d := w.rule.Window; d > 0 {
		window = d.Seconds()
	}
	perSecond := float64(w.offered) / window / float64(w.instances) // a fair share
	shares := [20]float64{8, 1, 1, 1, 1, 1, 1, 1, 1.2, 1.2, 1.2, 1.2}
	share := max(shares[i%20], 0.03)
	if share == 1.2 && time.Since(w.began)/(3*time.Second)%4 != time.Duration(i/20%4) {
		return time.Duration((0.2 + w.chance()) * float64(time.Second)) // between bursts
	} else if share == 1.2 {
		share *= 4
	}
	return time.Duration((0.5 + w.chance()) / (perSecond * share) * float64(time.Second))
}

// pause tells whether the time passed before the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// machine is one instance's clocks.
type machine struct {
	now   func() time.Time
	began time.Time

	mu     sync.Mutex
	wrong  time.Duration // of the wall clock
	frozen time.Duration // that the other one stood still
}

func (m *machine) read() (wall time.Time, passed time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now().Round(0).Add(m.wrong), m.now().Sub(m.began) - m.frozen
}

// trouble sets the wall clock now and then, or lets the other one lose time, as
// one does while its machine is frozen.
func (m *machine) trouble(ctx context.Context, w *world) {
	for pause(ctx, time.Duration(20*w.chance()*float64(time.Second))) {
		m.mu.Lock()
		if w.chance() < 0.5 {
			m.wrong += time.Duration((w.chance() - 0.5) * float64(10*time.Minute))
		} else {
			m.frozen += time.Duration(10 * w.chance() * float64(time.Second))
		}
		m.mu.Unlock()
	}
}
