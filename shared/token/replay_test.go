package token

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"tollgate/shared/refusal"
)

// moment is a number of seconds after noon.
func moment(seconds float64) time.Time {
	return noon().Add(time.Duration(seconds * float64(time.Second)))
}

// numbered is a proof id that no other number has.
func numbered(n int) (id proofID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// put remembers a proof that was made and seen at the same moment.
func (s *replays) put(n int, jkt string, at time.Time) *refusal.Refusal {
	return s.insert(at, numbered(n), jkt, at.Unix())
}

func TestReplayOfOneProofByFiftyRequestsAtOncePassesOnce(t *testing.T) {
	p, s := atNoon(), edK()
	for round := range 20 {
		text := s.proof(t, fmt.Sprintf("j-%d", round))
		verdicts := make([]string, 50)
		begin := make(chan struct{})
		var all sync.WaitGroup
		for i := range verdicts {
			all.Go(func() {
				<-begin
				verdicts[i] = verdictOf(p.ask(s, nil, text))
			})
		}
		close(begin)
		all.Wait()
		count := map[string]int{}
		for _, v := range verdicts {
			count[v]++
		}
		if count["granted"] != 1 || count[badProofVerdict] != 49 {
			t.Fatalf("round %d: got %v, want 1 granted and 49 refused", round, count)
		}
	}
}

func TestReplayIsToldByKeyNameAndTarget(t *testing.T) {
	nothing := "\x00\x00\x00\x00\x00\x00\x00\x00"
	if idOf("ab", "c", "d") == idOf("a", "bc", "d") || idOf("a", "b", "cd") == idOf("a", "bc", "d") ||
		idOf("a", "b"+nothing+"c", "") == idOf("a", "b", "c"+nothing) {
		t.Error("two proofs share an id")
	}
	p, s := atNoon(), edK()
	at := func(path, claims string) string {
		r := &http.Request{Method: "GET", Header: http.Header{"Dpop": {s.token(t, s.proofHeader(), claims)}}}
		return verdictOf(p.check(r, path, boundText, jktOf(s.key.Public())))
	}
	assertVerdict(t, at("/orders/7", proofClaims("j-1")), "granted")
	// RFC 9449 §11.1: within the context of the htu.
	assertVerdict(t, at("/orders/8", swap(t, proofClaims("j-1"), "s/7", "s/8")), "granted")
	// One target under another spelling is the same target.
	assertVerdict(t, at("/orders/7", swap(t, proofClaims("j-1"), "s/7", "s/%37")), badProofVerdict)
	assertVerdict(t, at("/orders/%37", swap(t, proofClaims("j-1"), "https://api", "HTTPS://API")), badProofVerdict)
	other := ecK() // another client may choose the same jti
	assertVerdict(t, verdictOf(p.ask(other, nil, other.proof(t, "j-1"))), "granted")
}

// A proof is accepted from one window before its iat to one after; all that time it must be remembered.
func TestReplayIsRefusedForAsLongAsTheProofWouldBeAccepted(t *testing.T) {
	s := edK()
	for name, c := range map[string]struct{ first, again float64 }{
		"seen as early as can be, again as late as can be": {-60, 60},
		"seen as early as can be, again in between":        {-60, 30},
		"seen at its iat, again at the end":                {0, 60},
		"seen at the end, again at once":                   {60, 60},
		"seen at the end, and the clock is set back":       {60, -60},
	} {
		clock := &clock{at: moment(c.first)}
		p, text := newProofs(apiOrigin, time.Minute, clock.Now), s.proof(t, "j-1")
		if got := verdictOf(p.ask(s, nil, text)); got != "granted" {
			t.Errorf("%s: got %s the first time, want granted", name, got)
		}
		clock.pass(moment(c.again).Sub(moment(c.first)))
		if got := verdictOf(p.ask(s, nil, text)); got != badProofVerdict {
			t.Errorf("%s: got %s the second time, want %s", name, got, badProofVerdict)
		}
	}
}

func TestReplayStoreForgetsAfterTheWindowAndNotBefore(t *testing.T) {
	s := newReplays(2*time.Minute, 100)
	for n := range 5 {
		assertVerdict(t, verdictOf(s.put(n, "a", moment(0))), "granted")
	}
	assertVerdict(t, verdictOf(s.put(5, "b", moment(120))), "granted")
	if got := len(s.seen); got != 6 {
		t.Errorf("got %d proofs after exactly two windows, want all 6", got)
	}
	assertVerdict(t, verdictOf(s.put(6, "b", moment(120).Add(1))), "granted")
	if got := len(s.seen); got != 2 || len(s.owners) != 1 {
		t.Errorf("got %d proofs of %d keys after two windows and a nanosecond, want the 2 of b", got, len(s.owners))
	}
	assertVerdict(t, verdictOf(s.put(7, "b", moment(1000))), "granted")
	if got := len(s.seen); got != 1 || s.oldest != s.newest {
		t.Errorf("got %d proofs, want the last one only", got)
	}
}

// What was dropped while the clock was wrong must not pass again when it is right.
func TestReplayAfterTheClockWasAheadAndIsSetBack(t *testing.T) {
	s := newReplays(2*time.Minute, 100)
	assertVerdict(t, verdictOf(s.insert(moment(-50), numbered(9), "a", moment(0).Unix())), "granted")
	assertVerdict(t, verdictOf(s.insert(moment(-50), numbered(8), "a", moment(-90).Unix())), "granted")
	assertVerdict(t, verdictOf(s.put(1, "a", moment(0))), "granted")
	assertVerdict(t, verdictOf(s.insert(moment(0), numbered(7), "a", moment(-30).Unix())), "granted")
	assertVerdict(t, verdictOf(s.put(2, "a", moment(3600))), "granted") // drops all before
	assertVerdict(t, verdictOf(s.insert(moment(0), numbered(9), "a", moment(0).Unix())), badProofVerdict)
	assertVerdict(t, verdictOf(s.put(1, "a", moment(0))), badProofVerdict)
	assertVerdict(t, verdictOf(s.put(3, "a", moment(0))), badProofVerdict)
	assertVerdict(t, verdictOf(s.put(4, "a", moment(1))), "granted")
}

// Proofs of a client whose clock is behind are not taken for those that a client
// whose clock is ahead has used and the store has dropped.
func TestReplayStoreThatForgetsRefusesNoHonestProof(t *testing.T) {
	clock := &clock{at: moment(-60)}
	p, s := newProofs(apiOrigin, time.Minute, clock.Now), edK()
	assertVerdict(t, verdictOf(p.ask(s, nil, s.proof(t, "ahead"))), "granted")
	clock.pass(2 * time.Minute)
	assertVerdict(t, verdictOf(p.ask(s, nil, s.proof(t, "behind"))), "granted")
	clock.pass(time.Second)
	next := s.token(t, s.proofHeader(), swap(t, proofClaims("behind"), "1795435200", "1795435201"))
	assertVerdict(t, verdictOf(p.ask(s, nil, next)), badProofVerdict) // the same jti, still remembered
	next = s.token(t, s.proofHeader(), swap(t, proofClaims("behind too"), "1795435200", "1795435201"))
	assertVerdict(t, verdictOf(p.ask(s, nil, next)), "granted")
}

func TestReplayStoreThatIsFullRefusesUntilTheOldestExpires(t *testing.T) {
	s := newReplays(2*time.Minute, 32) // a share of 2
	for n := range 32 {
		assertVerdict(t, verdictOf(s.put(n, fmt.Sprint(n/2), moment(float64(n)))), "granted")
	}
	refused := s.put(32, "new", moment(32.5))
	assertVerdict(t, verdictOf(refused), "503 replay_store_full")
	if refused.RetryAfter != 87500*time.Millisecond {
		t.Errorf("got Retry-After %s, want the 87.5 s until the oldest expires", refused.RetryAfter)
	}
	assertVerdict(t, verdictOf(s.put(3, "1", moment(33))), badProofVerdict) // what is remembered is still known
	assertVerdict(t, verdictOf(s.put(32, "new", moment(120))), "503 replay_store_full")
	assertVerdict(t, verdictOf(s.put(32, "new", moment(120.001))), "granted")
	assertVerdict(t, verdictOf(s.put(33, "new", moment(120.002))), "503 replay_store_full")
	if refused := s.insert(moment(-3600), numbered(34), "new", moment(60).Unix()); refused == nil || refused.RetryAfter != 2*time.Minute {
		t.Errorf("got %+v from a clock that was set back, want Retry-After two minutes", refused)
	}
}

func TestReplayStoreGivesOneKeyASixteenthOfItself(t *testing.T) {
	s := newReplays(2*time.Minute, 160)
	for n := range 10 {
		assertVerdict(t, verdictOf(s.put(n, "greedy", moment(0))), "granted")
	}
	assertVerdict(t, verdictOf(s.put(10, "greedy", moment(1))), "503 replay_store_full")
	assertVerdict(t, verdictOf(s.put(11, "other", moment(1))), "granted")
	assertVerdict(t, verdictOf(s.put(12, "greedy", moment(121))), "granted")
}

func TestReplayStoreIsNotFilledByProofsThatFail(t *testing.T) {
	p, s := atNoon(), edK()
	for n := range 200 {
		text := s.proof(t, fmt.Sprint(n))
		p.ask(s, nil, text[:len(text)-8]+"AAAAAAAA")
		p.ask(s, func(r *http.Request) { r.Method = "PUT" }, text)
	}
	if len(p.seen.seen) != 0 || len(p.seen.owners) != 0 {
		t.Errorf("got %d proofs of %d keys remembered, want none", len(p.seen.seen), len(p.seen.owners))
	}
}

// A million proofs of 20,000 keys: at one instant most are refused, over time all
// pass; either way no more than the bound is held. Thumbprints are new strings,
// as those of requests are.
func TestReplayStoreHoldsNoMoreThanItsBoundOfAMillionProofs(t *testing.T) {
	const million, keys, mostBytes = 1_000_000, 20_000, 20 << 20
	for name, c := range map[string]struct {
		step    time.Duration
		granted int
	}{
		"all at one instant":              {0, maxReplays},
		"spread over twenty-four minutes": {1440 * time.Microsecond, million}, // 83,333 in two minutes
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			s := newReplays(2*time.Minute, maxReplays)
			granted, most := 0, 0
			for n := range million {
				jkt := fmt.Sprintf("%043d", n%keys)
				if s.put(n, jkt, noon().Add(time.Duration(n)*c.step)) == nil {
					granted++
				}
				most = max(most, len(s.seen))
			}
			used := heap() - before
			if granted != c.granted || most > maxReplays {
				t.Errorf("got %d granted and %d held at most, want %d and %d", granted, most, c.granted, maxReplays)
			}
			if used > mostBytes {
				t.Errorf("got %d bytes, want %d at most", used, mostBytes)
			}
			t.Logf("%d granted, %d held at most, %.1f MB", granted, most, float64(used)/1e6)
			runtime.KeepAlive(s)
		})
	}
}

// One key for each proof is the most that a store can be made to hold.
func TestReplayStoreOfOneKeyForEachProofStaysSmall(t *testing.T) {
	before := heap()
	s := newReplays(2*time.Minute, maxReplays)
	for n := range 3 * maxReplays {
		s.put(n, fmt.Sprintf("%043d", n), noon())
	}
	used := heap() - before
	if len(s.owners) != maxReplays || used > 40<<20 {
		t.Errorf("got %d keys in %d bytes, want %d in 40 MiB at most", len(s.owners), used, maxReplays)
	}
	t.Logf("%d keys, %.1f MB", len(s.owners), float64(used)/1e6)
	runtime.KeepAlive(s)
}

func BenchmarkReplayInsert(b *testing.B) {
	s := newReplays(2*time.Minute, maxReplays)
	n := 0
	for b.Loop() {
		n++
		s.put(n, "a", noon().Add(time.Duration(n)*20*time.Millisecond))
	}
}

func BenchmarkDPoPCheck(b *testing.B) {
	for name, s := range map[string]signer{"ES256": ecK(), "EdDSA": edK(), "RS256": rsaK1()} {
		b.Run(name, func(b *testing.B) {
			p, text := atNoon(), s.proof(b, "j-1")
			for b.Loop() {
				p.ask(s, nil, text) // a replay pays for everything but the memory
			}
		})
	}
}
