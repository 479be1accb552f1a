package tables

import (
	"context"
	"errors"
	"time"

	"tollgate/shared/limit"
	"tollgate/shared/tables"
)

// Limiter is one rule of weight 1 as go-limiter's limiter.Store, so that whatever
// takes one can count in the same tables.
type Limiter struct {
	store *Store
	rule  *limit.Rule
}

// Limiter counts by the rule; go-limiter's key is what it is counted by.
func (s *Store) Limiter(rule *limit.Rule) *Limiter { return &Limiter{s, rule} }

var errFixed = errors.New("the rule says what a key has; it can't be changed for one")

func (l *Limiter) key(key string) limit.Key { return limit.Key{Rule: l.rule, Value: limit.Value(key)} }

// Take takes one. reset is when the window ends, in nanoseconds since 1970; 0 for never.
func (l *Limiter) Take(ctx context.Context, key string) (tokens, remaining, reset uint64, ok bool, err error) {
	g, err := l.store.Take(ctx, l.key(key), 1)
	if err != nil {
		return uint64(l.rule.Amount), 0, 0, false, err
	}
	return uint64(l.rule.Amount), uint64(g.Left), uint64(g.Window.End) * uint64(time.Second), g.OK, nil
}

// Get tells what nobody has debited yet, without taking any.
func (l *Limiter) Get(ctx context.Context, key string) (tokens, remaining uint64, err error) {
	k := l.key(key)
	lo, _, known := l.store.options.Clock.Bounds()
	if !known {
		if err := l.store.hear(ctx, l.store.patience()); err != nil {
			return 0, 0, err
		}
		lo, _, _ = l.store.options.Clock.Bounds()
	}
	w := k.At(lo)
	row, err := l.store.rows.Get(ctx, rowKey(l.rule, k.ID(), w))
	if err != nil && !errors.Is(err, tables.ErrNotFound) {
		return 0, 0, err
	}
	state := decode(row)
	return uint64(l.rule.Amount), uint64(max(0, state.Left(l.rule, w))), nil
}

// Set fails: no key has a limit of its own.
func (l *Limiter) Set(context.Context, string, uint64, time.Duration) error { return errFixed }

// Burst fails: what is added to one instance's count would be more than the limit.
func (l *Limiter) Burst(context.Context, string, uint64) error { return errFixed }

// Close does nothing; the tables are the account's.
func (l *Limiter) Close(context.Context) error { return nil }
