package audit

import (
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/localrun/host"
	"tollgate/shared/audit"
	"tollgate/tests/lab"
)

// The host forgives two crashes in half an hour; here it forgives them all.
func forgiving(o *host.Options) { o.Budgets.Forget = time.Nanosecond }

// What is lost by a kill are events of calls that were under way: no event waits
// in the process once its call is over.
func TestAKillLosesTheEventsOfCallsUnderWayOnly(t *testing.T) {
	const kills = 3
	l := lab.Hosted(t, filepath.Join(lab.Root(t), "contracts"), lab.StageApp(t), forgiving)
	m := newMix(t, l)
	var killing sync.WaitGroup
	killing.Go(func() {
		last := 0
		for range kills {
			<-time.After(700 * time.Millisecond)
			pid := l.Host.PID()
			for pid == last || pid == 0 {
				<-time.After(time.Millisecond)
				if t.Context().Err() != nil {
					return
				}
				pid = l.Host.PID()
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
			last = pid
		}
	})
	for round := 0; ; round++ {
		m.load(t, 1500)
		if done(&killing) || round == 20 {
			break
		}
	}
	killing.Wait()
	missing := m.missing(t, kills*callers)
	t.Logf("%d answers, %d events, %d missing after %d kills", len(m.seen), len(l.Events()), missing, kills)
}

func done(wg *sync.WaitGroup) bool {
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	select {
	case <-ended:
		return true
	case <-time.After(time.Millisecond):
		return false
	}
}

// missing counts the answers without an event, and holds that they are no more than most.
func (m *mix) missing(t *testing.T, most int) int {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		have := map[string]string{}
		for _, e := range m.Events() {
			if e.Event != audit.Started && have[e.Correlation] != "" {
				t.Errorf("got two events of call %s", e.Correlation)
			}
			have[e.Correlation] = e.Code
		}
		missing := 0
		m.mu.Lock()
		for id, code := range m.seen {
			switch have[id] {
			case "":
				missing++
			case code:
			default:
				t.Errorf("got the event %s of a call that was answered with %s", have[id], code)
			}
		}
		m.mu.Unlock()
		if missing == 0 {
			return 0
		}
		select {
		case <-deadline:
			if missing > most {
				t.Errorf("got %d answers without an event, want %d at the most", missing, most)
			}
			return missing
		case <-time.After(100 * time.Millisecond):
		}
	}
}
