package forward_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// blow lets both targets flap while all workers call, and leaves them well.
func (s *storm) blow(seed uint64) {
	ctx, calm := context.WithCancel(s.t.Context())
	var flapping, calling sync.WaitGroup
	for n, name := range []string{"a", "b"} {
		flapping.Go(func() { s.flap(s.targets[name], rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	for n := range stormWorkers {
		calling.Go(func() {
			random, methods := rand.New(rand.NewPCG(seed, 100+uint64(n))), []string{"GET", "PUT", "DELETE", "POST", "PATCH"}
			for i := 0; ctx.Err() == nil; i++ {
				s.call(methods[random.IntN(len(methods))], fmt.Sprintf("%d-%d", n, i))
				<-time.After(time.Duration(random.Int64N(int64(80 * time.Millisecond))))
			}
		})
	}
	flapping.Wait()
	calm()
	calling.Wait()
}

// flap goes through every mood, in any order and well in between. It begins with
// silence, so that both targets are lost at once and all places are taken.
func (s *storm) flap(f *flapper, random *rand.Rand) {
	moods := []mood{down, unable, mute, hangingUp, endingInHead, endingInBody, down, unable}
	random.Shuffle(len(moods), func(i, j int) { moods[i], moods[j] = moods[j], moods[i] })
	for _, m := range append([]mood{mute}, moods...) {
		f.become(m)
		<-time.After(stormOpen + time.Duration(random.Int64N(int64(2*time.Second))))
		f.become(well)
		<-time.After(time.Duration(random.Int64N(int64(3 * time.Second))))
	}
}

// calm makes calls while both targets are well: each is answered, the shares are
// exact, and connections are kept.
func (s *storm) calm(when string, rounds int) {
	const workers = 8
	var before, dialled [2]int
	for n, name := range []string{"a", "b"} {
		before[n], dialled[n], _ = s.targets[name].count()
	}
	var calling sync.WaitGroup
	for n := range workers {
		calling.Go(func() {
			for i := range 4 * rounds / workers {
				if got := s.call("POST", fmt.Sprint(when, n, "-", i)); got != "200" {
					s.t.Errorf("%s: got %s with both targets well, want 200", when, got)
				}
			}
		})
	}
	calling.Wait()
	for n, want := range []int{3 * rounds, rounds} {
		name := string(rune('a' + n))
		calls, dials, _ := s.targets[name].count()
		if calls -= before[n]; calls != want {
			s.t.Errorf("%s: got %d calls at %s, want its share of %d", when, calls, name, want)
		}
		if dials -= dialled[n]; dials > workers {
			s.t.Errorf("%s: got %d connections to %s for %d callers, want them kept", when, dials, name, workers)
		}
	}
}

// recover waits until both breakers have closed again.
func (s *storm) recover() {
	<-time.After(stormOpen + time.Nanosecond)
	for n := range 8 {
		s.call("POST", fmt.Sprint("recovers-", n))
	}
}

// fill takes every place, sees the next call refused, and gives them back.
func (s *storm) fill(id string) {
	for _, f := range s.targets {
		f.become(holding)
	}
	var held sync.WaitGroup
	for n := range stormPlaces {
		held.Go(func() {
			if got := s.call("POST", fmt.Sprint(id, n)); got != "200" {
				s.t.Errorf("got %s at place %d of %d, want all free after the storm", got, n, stormPlaces)
			}
		})
	}
	<-time.After(stormTimeout / 2) // all wait for their answers
	if got := s.call("POST", id); got != "503 backend_busy" {
		s.t.Errorf("got %s with all places taken, want 503 backend_busy", got)
	}
	for _, f := range s.targets {
		f.become(well)
		close(f.hold)
	}
	held.Wait()
}

// once checks that no backend saw a call twice. A safe one without a body may be
// seen again if the kept connection it went over ended without a word (RFC 9110 §9.2.2).
func (s *storm) once() {
	for id, all := range s.sightings() {
		again := len(all) == 2 && all[0].method == http.MethodGet && !all[0].first && all[0].mood != well
		if len(all) > 1 && !again {
			s.t.Errorf("%s: got it seen %d times by backends, %+v, want once", id, len(all), all)
		}
	}
}

func (s *storm) sightings() map[string][]sighting {
	all := map[string][]sighting{}
	for _, f := range s.targets {
		f.mu.Lock()
		for id, seen := range f.seen {
			all[id] = append(all[id], seen...)
		}
		f.mu.Unlock()
	}
	return all
}
