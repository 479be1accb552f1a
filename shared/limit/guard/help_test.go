package guard

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/sethvargo/go-limiter"
	"go.uber.org/goleak"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock moves only when a test says so.
type clock struct{ at time.Duration }

// windows is a store like go-limiter's own, by a clock that a test moves. Like
// there, Get tells what was left at the last Take.
type windows struct {
	mu     sync.Mutex
	clock  *clock
	tokens uint64
	window time.Duration
	data   map[string]*window
}

type window struct {
	most, left uint64
	length     time.Duration
	number     int64
}

var _ limiter.Store = (*windows)(nil)

func newWindows(c *clock, tokens int, length time.Duration) *windows {
	return &windows{clock: c, tokens: uint64(tokens), window: length, data: map[string]*window{}}
}

func (s *windows) Take(_ context.Context, key string) (tokens, remaining, reset uint64, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.data[key]
	if w == nil {
		w = &window{s.tokens, s.tokens, s.window, int64(s.clock.at / s.window)}
		s.data[key] = w
	}
	if now := int64(s.clock.at / w.length); now > w.number {
		w.left, w.number = w.most, now
	}
	if ok = w.left > 0; ok {
		w.left--
	}
	return w.most, w.left, uint64((w.number + 1) * int64(w.length)), ok, nil
}

func (s *windows) Get(_ context.Context, key string) (tokens, remaining uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.data[key]; w != nil {
		return w.most, w.left, nil
	}
	return 0, 0, nil
}

func (s *windows) Set(_ context.Context, key string, tokens uint64, length time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[key] = &window{tokens, tokens, length, int64(s.clock.at / length)}
	return nil
}

func (s *windows) Burst(_ context.Context, key string, tokens uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[key].left += tokens
	return nil
}

func (s *windows) Close(context.Context) error { return nil }

// stand is a guard around a stage that knows one kind of good token, and counts
// what it verified.
type stand struct {
	clock    *clock
	refused  *windows
	stage    pipeline.Stage
	seen     map[string]bool // verified before
	verified int
}

const budget = 100

func newStand() *stand {
	s := &stand{clock: &clock{}, seen: map[string]bool{}}
	s.refused = newWindows(s.clock, budget, time.Minute)
	g := on(s.refused, newWindows(s.clock, lane, time.Second), contract.GuardLimit{Refused: budget, Window: time.Minute})
	s.stage = g.Around(s.known, s.verify)
	return s
}

func (s *stand) known(_ context.Context, c *pipeline.Call) bool {
	token := c.Request.Header.Get("Authorization")
	return token == "" || s.seen[token]
}

func (s *stand) verify(_ context.Context, c *pipeline.Call) *refusal.Refusal {
	switch token := c.Request.Header.Get("Authorization"); {
	case token == "":
		return refusal.New(refusal.Unauthenticated, "token_missing", "Send one.").Challenging(refusal.Challenge{})
	case token == "outage":
		return refusal.New(refusal.Unavailable, "keys_unavailable", "Later.")
	case s.seen[token]:
		return nil
	case len(token) > 4 && token[:4] == "good":
		s.verified++
		s.seen[token] = true
		return nil
	}
	s.verified++
	return refusal.New(refusal.Unauthenticated, "bad_signature", "No.")
}

// send gives the verdict on a token from an address; "" is unknown.
func (s *stand) send(t *testing.T, from, token string) string {
	t.Helper()
	return verdict(s.stage(t.Context(), call(from, token)))
}

func call(from, token string) *pipeline.Call {
	a, _ := netip.ParseAddr(from)
	c := &pipeline.Call{Request: &http.Request{Header: http.Header{}}, Client: a}
	if token != "" {
		c.Request.Header.Set("Authorization", token)
	}
	return c
}

func verdict(r *refusal.Refusal) string {
	if r == nil {
		return "granted"
	}
	return fmt.Sprintf("%d %s", r.Kind.Status(), r.Code)
}

// flood sends n bad tokens and counts the verdicts.
func (s *stand) flood(t *testing.T, from string, n int) map[string]int {
	t.Helper()
	out := map[string]int{}
	for i := range n {
		out[s.send(t, from, fmt.Sprintf("bad %d", i))]++
	}
	return out
}

func assertVerdict(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
