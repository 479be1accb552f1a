// Package tables counts in Azure Table Storage, for all instances together.
//
// Each count and window has one row. An instance debits a block there before it
// spends it, by a conditional update, and hands the block out from memory; a
// block ends with its window. So all instances together never hand out more
// than the limit, whatever dies whenever: what is lost is what was not spent.
//
// Windows follow the store's clock, which is known within bounds. Where those
// straddle the edge of a window, a call is charged to both sides.
package tables

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"tollgate/shared/limit"
	"tollgate/shared/tables"
)

// Name of the table.
const Name = "tollgatelimits"

// Rows is where the counts are: *tables.Table.
type Rows interface {
	Get(ctx context.Context, key tables.Key) (tables.Row, error)
	Insert(ctx context.Context, row tables.Row) (etag string, err error)
	Replace(ctx context.Context, row tables.Row) (etag string, err error)
}

const (
	// It is believed that nothing is left for a quarter of what remains of the window,
	// within these bounds: a limit that was reset is noticed after it.
	soonest, latest = 10 * time.Second, time.Minute
	// kept bounds the counts in memory. One that is let go of loses what it held, which is never more than was debited.
	kept = 100_000
)

// Options are what a Store needs besides its rows.
type Options struct {
	Clock interface {
		// Bounds are the earliest and the latest that the store's clock may show now.
		Bounds() (lo, hi time.Time, ok bool)
	}
	Now    func() time.Time
	Try    time.Duration // of one request to the store; 0: tables.DefaultTry. A call waits for two at the most
	Random *rand.Rand    // tells instances apart and their tries from each other; nil: the process's own
}

// Store is one instance's. It is safe for concurrent use.
type Store struct {
	rows     Rows
	options  Options
	instance uint32
	outage   outage

	mu      sync.RWMutex
	counts  map[string]*count // by rule and value
	rules   map[*limit.Rule]uint32
	hearing *flight
	random  sync.Mutex
}

var _ limit.Store = (*Store)(nil)

// New does no network.
func New(rows Rows, o Options) *Store {
	if o.Try == 0 {
		o.Try = tables.DefaultTry
	}
	s := &Store{rows: rows, options: o, counts: map[string]*count{}, rules: map[*limit.Rule]uint32{}}
	s.instance = uint32(s.chance(1 << 32))
	s.outage.chance = s.chance
	return s
}

// chance is a random number below n.
func (s *Store) chance(n int64) int64 {
	if s.options.Random == nil {
		return rand.Int64N(n)
	}
	s.random.Lock()
	defer s.random.Unlock()
	return s.options.Random.Int64N(n)
}

// Take hands out n, from memory where a block is held. Its error is a *limit.Unavailable.
func (s *Store) Take(ctx context.Context, key limit.Key, n int64) (limit.Grant, error) {
	c := s.find(key)
	for began := (time.Time{}); ; {
		lo, hi, known := s.options.Clock.Bounds()
		var g limit.Grant
		var short *part
		if known {
			if g, short = c.spend(lo, hi, n); short == nil {
				return g, nil
			}
		}
		if began.IsZero() {
			began = s.options.Now()
		}
		if !known {
			if err := s.hear(ctx, s.left(began)); err != nil {
				return limit.Grant{}, err
			}
			continue
		}
		if err := s.wait(ctx, c, short, n, began); err != nil {
			return limit.Grant{}, err
		}
	}
}

// Settle gives units back to the block they came from, or charges more, past the
// limit if need be, and in the window that it is by then.
func (s *Store) Settle(ctx context.Context, g limit.Grant, n int64) error {
	c, ok := g.Count.(*count)
	if !ok {
		return nil
	}
	w := g.Window
	if lo, hi, known := s.options.Clock.Bounds(); known && n > 0 && w.End != 0 && w.End <= lo.Unix() {
		w = c.at(hi)
	}
	owed := c.settle(w, n)
	if owed == nil {
		return nil
	}
	return s.charge(ctx, c, owed)
}

// find is the key's count in this instance.
func (s *Store) find(key limit.Key) *count {
	var room [128]byte
	s.mu.RLock()
	number, known := s.rules[key.Rule]
	c := s.counts[string(named(room[:0], number, key.Value))]
	s.mu.RUnlock()
	if known && c != nil {
		return c
	}
	return s.add(key)
}

// longest is how much of a value is kept as it is: callers may choose it, and
// choose it as long as a header can be.
const longest = 256

// named appends what a count is found by: the rule's number, and the value, or
// its digest and a bit that no number has.
func named(b []byte, number uint32, value []byte) []byte {
	if len(value) <= longest {
		return append(binary.BigEndian.AppendUint32(b, number), value...)
	}
	sum := sha256.Sum256(value)
	return append(binary.BigEndian.AppendUint32(b, number|1<<31), sum[:]...)
}

func (s *Store) add(key limit.Key) *count {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, known := s.rules[key.Rule]
	if !known {
		number = uint32(len(s.rules))
		s.rules[key.Rule] = number
	}
	name := string(named(nil, number, key.Value))
	if c := s.counts[name]; c != nil {
		return c
	}
	if len(s.counts) >= kept {
		s.forget()
	}
	c := &count{key: limit.Key{Rule: key.Rule, Since: key.Since}, id: key.ID(), by: readable(key)}
	s.counts[name] = c
	return c
}

// forget makes room: counts whose windows are over; if those aren't enough,
// counts that hold nothing, and then whichever come first. Whoever makes up values
// spends no more than one call of each, and must not cost others what they hold.
func (s *Store) forget() {
	lo, _, known := s.options.Clock.Bounds()
	for name, c := range s.counts {
		if known && c.over(lo) {
			delete(s.counts, name)
		}
	}
	for _, any := range [2]bool{false, true} {
		for name, c := range s.counts {
			if len(s.counts) < kept*9/10 {
				return
			}
			if any || c.empty() {
				delete(s.counts, name)
			}
		}
	}
}
